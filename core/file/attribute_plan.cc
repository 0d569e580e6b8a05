#include "core/file/attribute_plan.h"

#include <cerrno>
#include <string_view>

#include "core/base/check.h"

namespace ringcp {
namespace {

// Room for the names of a directory's extended attributes: few have more than one or two.
// If the names do not fit, the ACLs are replaced without looking.
constexpr size_t kNamesBytesMax = 1024;

}  // namespace

void AttributePlan::Start(const FileCopyPolicy& policy, const struct statx& source,
                          const Target& target) {
  RINGCP_CHECK(done());
  policy_ = &policy;
  source_ = &source;
  target_ = target;
  failed_ = tries_group_ = closes_group_ = false;
  mode_.reset();
  acls_.reset();
  if (target.stat != nullptr) {
    stat_ = *target.stat;
    mode_ = stat_.stx_mode & kAllModeBits;
  }
  GoOnWith(Step::kLook);
}

void AttributePlan::GoOnWith(Step step) {
  while (step != Step::kDone && !Needs(step)) step = After(step);
  step_ = step;
}

bool AttributePlan::Needs(Step step) const {
  const Preserve& keep = policy_->preserve;
  switch (step) {
    case Step::kLook:
      return !mode_.has_value() && (keep.ownership || may_set_mode());
    case Step::kSetTimes:
      return keep.timestamps;
    case Step::kRestrictMode:
      return keeps_mode() && keep.ownership && !target_.created && owner_differs() &&
             *mode_ != RestrictedMode();
    case Step::kSetOwner:
      return keep.ownership && owner_differs();
    case Step::kSetGroup:
      return tries_group_;
    case Step::kListAcls:
      return is_directory() && replaces_acls();
    case Step::kRemoveDefaultAcl:
      return is_directory() && replaces_acls() &&
             (!acls_.has_value() || acls_->default_acl);
    case Step::kReplaceAcl:
      return replaces_acls() && (!acls_.has_value() || acls_->access_acl);
    case Step::kSetMode:
      return may_set_mode() && (!mode_.has_value() || *mode_ != WantedMode());
    case Step::kDone:
      break;
  }
  return false;
}

bool AttributePlan::keeps_mode() const { return policy_->preserve.mode && !is_link(); }

bool AttributePlan::may_set_mode() const {
  return keeps_mode() || target_.withheld != 0 || target_.lent != 0;
}

bool AttributePlan::owner_differs() const {
  return stat_.stx_uid != source_->stx_uid || stat_.stx_gid != source_->stx_gid;
}

bool AttributePlan::replaces_acls() const {
  return keeps_mode() && (!target_.created || target_.default_acl.has_value());
}

mode_t AttributePlan::WantedMode() const {
  if (keeps_mode()) {
    return target_.kept_mode & ~(closes_group_ ? mode_t{S_IRWXG} : 0);
  }
  const mode_t granted =
      target_.withheld & ~policy_->umask & target_.default_acl.value_or(kPermissions);
  return (*mode_ & ~target_.lent) | granted;
}

Op AttributePlan::op() {
  const FileRef file = target_.file;
  switch (step_) {
    case Step::kLook:
      return StatDescriptor(file, &stat_);
    case Step::kSetTimes:
      return SetTimes(file, *source_);
    case Step::kRestrictMode:
      return SetMode(file, RestrictedMode());
    case Step::kSetOwner:
      return SetOwner(file, source_->stx_uid, source_->stx_gid);
    case Step::kSetGroup:
      return SetOwner(file, static_cast<uid_t>(-1), source_->stx_gid);
    case Step::kListAcls:
      buffer_.resize(kNamesBytesMax);
      return ListXattrs(file, buffer_.data(), kNamesBytesMax);
    case Step::kRemoveDefaultAcl:
      return RemoveXattr(file, kDefaultAclName);
    case Step::kReplaceAcl:
      // If the ACL were removed, the group would have the ACL's mask as its permissions
      // until the mode is set. So an ACL that says no more than a mode replaces it, and
      // the kernel sets the mode accordingly.
      buffer_ = AclOfMode(target_.kept_mode);
      return SetXattr(file, kAccessAclName, buffer_.data(),
                      static_cast<uint32_t>(buffer_.size()));
    case Step::kSetMode:
      return SetMode(file, WantedMode());
    case Step::kDone:
      break;
  }
  RINGCP_CHECK(!done());
  return Op();
}

void AttributePlan::Settle(int32_t result) {
  const int error_number = result < 0 ? -result : 0;
  const bool is_done = error_number == 0;
  const Step step = step_;
  switch (step) {
    case Step::kLook:
      if (!is_done) Fail(Operation::kStat, error_number);
      mode_ = stat_.stx_mode & kAllModeBits;
      break;
    case Step::kSetTimes:
      if (!is_done) Fail(Operation::kSetTimes, error_number);
      break;
    case Step::kRestrictMode:
      if (!is_done) Fail(Operation::kSetMode, error_number);
      mode_ = RestrictedMode();
      break;
    case Step::kSetOwner:
      if (is_done) OnOwnerSet();
      if (!is_done) OnOwnerNotSet(error_number);
      break;
    case Step::kSetGroup:
      if (is_done) OnOwnerSet();
      break;
    case Step::kListAcls:
      OnListAcls(result);
      break;
    case Step::kRemoveDefaultAcl:
      if (!is_done) OnAclNotSet(error_number);
      break;
    case Step::kReplaceAcl:
      if (!is_done) OnAclNotSet(error_number);
      if (is_done) mode_.reset();
      break;
    case Step::kSetMode:
      if (!is_done && !policy_->MayFailToSetMode(error_number)) {
        Fail(Operation::kSetMode, error_number);
      }
      break;
    case Step::kDone:
      RINGCP_CHECK(!done());
  }
  const bool goes_on =
      !failed_ || closes_group_ || (step == Step::kSetOwner && tries_group_);
  GoOnWith(goes_on ? After(step) : Step::kDone);
}

void AttributePlan::OnOwnerSet() {
  if (!is_directory()) *mode_ &= ~kSetIdBits;
}

void AttributePlan::OnOwnerNotSet(int error_number) {
  tries_group_ = error_number == EPERM || error_number == EINVAL;
  if (!policy_->MayFailToSetOwner(error_number)) {
    return Fail(Operation::kSetOwner, error_number);
  }
  // The target must not act with the rights of a user or group other than its source's.
  target_.kept_mode &= is_directory() ? ~kSetIdBits : kPermissions;
}

void AttributePlan::OnListAcls(int32_t result) {
  if (result == -ERANGE) return;
  acls_ = AccessAttributes();
  if (result >= 0) {
    acls_ = FindAccessAttributes(std::string_view(buffer_.data(), result));
  } else if (!SaysNoAcl(-result)) {
    NoteAclStays(-result);
  }
}

void AttributePlan::OnAclNotSet(int error_number) {
  // If the ACL was in the list of names, it exists, whatever error the file system gives
  // now; only ENODATA says that somebody has removed it since.
  const bool is_none =
      acls_.has_value() ? error_number == ENODATA : SaysNoAcl(error_number);
  if (!is_none) NoteAclStays(error_number);
}

void AttributePlan::NoteAclStays(int error_number) {
  Fail(Operation::kSetMode, error_number);
  closes_group_ = true;
}

void AttributePlan::Fail(Operation operation, int error_number) {
  if (!failed_) failure_ = TargetFailure(operation, error_number);
  failed_ = true;
}

}  // namespace ringcp

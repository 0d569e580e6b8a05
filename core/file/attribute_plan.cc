#include "core/file/attribute_plan.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string_view>
#include <utility>

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
  failed_ = tries_group_ = has_acl_ = lacks_acl_ = closes_group_ = false;
  dropped_bits_ = 0;
  unsupported_error_ = 0;
  value_bytes_ = -1;
  names_ = target.attributes != nullptr ? &target.attributes->names() : nullptr;
  name_at_ = 0;
  if (target.attributes != nullptr && target.attributes->list_error() != 0) {
    NoteXattr(Operation::kListXattrs, target.attributes->list_error(),
              /*on_target=*/false);
  }
  mode_.reset();
  acls_.reset();
  if (target.stat != nullptr) {
    stat_ = *target.stat;
    mode_ = stat_.stx_mode & kAllModeBits;
  }
  GoOnWith(Step::kLook);
}

void AttributePlan::GoOnWith(Step step) {
  while (step != Step::kDone && !Needs(step)) {
    step = After(step);
    if (step != Step::kGetOtherAcl) continue;
    names_ = keeps_acls() ? &target_.attributes->other_acls() : nullptr;
    name_at_ = 0;
  }
  step_ = step;
  if (step == Step::kDone) End();
}

void AttributePlan::End() {
  const SourceAttributes* const attributes = target_.attributes;
  if (attributes != nullptr && attributes->acl_error() != 0) {
    Fail(Operation::kSetMode, attributes->acl_error());
  }
  const bool are_required = policy_->preserve.requires_xattrs();
  if (failed_ || !are_required) return;
  const auto last =
      std::find_if(xattr_failures_.rbegin(), xattr_failures_.rend(),
                   [](const CopyFailure& failure) { return !IsAboutLabel(failure); });
  if (last == xattr_failures_.rend()) return;
  failed_ = true;
  failure_ = *last;
  xattr_failures_.erase(std::next(last).base());
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
      return keep.ownership &&
             (owner_differs() || (policy_->always_sets_attributes && target_.created));
    case Step::kSetGroup:
      return tries_group_;
    case Step::kLendMode:
      return has_name() && target_.lent != 0 && (target_.lent & ~*mode_) != 0;
    case Step::kGetXattr:
    case Step::kGetOtherAcl:
      return has_name();
    case Step::kSetXattr:
    case Step::kSetOtherAcl:
      return has_value();
    case Step::kListAcls:
      return is_directory() && replaces_acls();
    case Step::kRemoveDefaultAcl:
      return is_directory() && replaces_acls() && !Needs(Step::kSetDefaultAcl) &&
             (!acls_.has_value() || acls_->default_acl);
    case Step::kSetDefaultAcl:
      return keeps_acls() && !target_.attributes->default_acl().empty();
    case Step::kSetAcl:
      return keeps_acls() && !target_.attributes->access_acl().empty();
    case Step::kReplaceAcl:
      return !has_acl_ && replaces_acls() && (!acls_.has_value() || acls_->access_acl);
    case Step::kSetMode:
      return may_set_mode() && (!mode_.has_value() || *mode_ != WantedMode() ||
                                policy_->always_sets_attributes);
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
    const mode_t mode = has_acl_ ? target_.attributes->mode() : target_.kept_mode;
    const bool is_closed = closes_group_ && !has_acl_;
    return mode & ~dropped_bits_ & ~(is_closed ? mode_t{S_IRWXG} : 0);
  }
  const mode_t granted = target_.withheld & ~policy_->umask &
                         (target_.default_acl.value_or(kPermissions) | kSpecialBits);
  return (*mode_ & ~target_.lent) | granted;
}

Op AttributePlan::SetAcl(const char* name, const std::string& acl) const {
  return SetXattr(target_.file, name, acl.data(), static_cast<uint32_t>(acl.size()));
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
    case Step::kLendMode:
      return SetMode(file, *mode_ | target_.lent);
    case Step::kGetXattr:
    case Step::kGetOtherAcl:
      return GetNamed();
    case Step::kSetXattr:
    case Step::kSetOtherAcl:
      return SetXattr(file, name(), value_.data(), static_cast<uint32_t>(value_bytes_));
    case Step::kListAcls:
      buffer_.resize(kNamesBytesMax);
      return ListXattrs(file, buffer_.data(), kNamesBytesMax);
    case Step::kRemoveDefaultAcl:
      return RemoveXattr(file, kDefaultAclName);
    case Step::kSetDefaultAcl:
      return SetAcl(kDefaultAclName, target_.attributes->default_acl());
    case Step::kSetAcl:
      return SetAcl(kAccessAclName, target_.attributes->access_acl());
    case Step::kReplaceAcl:
      // If the ACL were removed, the group would have the ACL's mask as its permissions
      // until the mode is set. So an ACL that says no more than a mode replaces it, and
      // the kernel sets the mode accordingly.
      buffer_ = AclOfMode(target_.kept_mode);
      return SetAcl(kAccessAclName, buffer_);
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
    case Step::kLendMode:
      // If it fails, so does setting the attributes.
      if (is_done) *mode_ |= target_.lent;
      break;
    case Step::kGetXattr:
    case Step::kGetOtherAcl:
      OnGot(step, result);
      return GoOnWith(has_value() ? After(step) : step);
    case Step::kSetXattr:
      OnSet(step, error_number);
      return GoOnWith(Step::kGetXattr);
    case Step::kSetOtherAcl:
      OnSet(step, error_number);
      return GoOnWith(Step::kGetOtherAcl);
    case Step::kListAcls:
      OnListAcls(result);
      break;
    case Step::kRemoveDefaultAcl:
      if (!is_done) OnAclNotSet(error_number);
      break;
    case Step::kSetDefaultAcl:
    case Step::kSetAcl:
      has_acl_ = is_done && step == Step::kSetAcl;
      if (has_acl_) mode_.reset();
      if (is_done) break;
      Fail(Operation::kSetMode, error_number);
      lacks_acl_ = true;
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
  const bool goes_on = !failed_ || lacks_acl_ || closes_group_ ||
                       (step == Step::kSetOwner && tries_group_);
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
  dropped_bits_ = is_directory() ? kSetIdBits : kSpecialBits;
}

// --- Attributes whose values are read one by one ---

Op AttributePlan::GetNamed() {
  if (value_.size() < SourceAttributes::kUsualBytes) {
    value_.resize(SourceAttributes::kUsualBytes);
  }
  return GetXattr(target_.source, name(), value_.data(),
                  static_cast<uint32_t>(value_.size()));
}

void AttributePlan::OnGot(Step step, int32_t result) {
  if (result == -ERANGE && value_.size() < SourceAttributes::kBytesMax) {
    value_.resize(SourceAttributes::kBytesMax);  // The same step comes once more.
    return;
  }
  value_bytes_ = std::min(result, static_cast<int32_t>(value_.size()));
  if (has_value()) return;
  if (step == Step::kGetOtherAcl) {
    if (!SaysNoAcl(-result)) Fail(Operation::kSetMode, -result);
  } else if (result != -ENODATA) {  // Otherwise somebody has removed it just now.
    NoteXattr(Operation::kGetXattr, -result, /*on_target=*/false);
  }
  TakeNextName();
}

void AttributePlan::OnSet(Step step, int error_number) {
  const bool is_unsupported = error_number == EOPNOTSUPP || error_number == ENOSYS;
  if (step == Step::kSetOtherAcl) {
    if (error_number != 0 && !is_unsupported) Fail(Operation::kSetMode, error_number);
  } else if (is_unsupported) {
    unsupported_error_ = error_number;
  } else if (error_number != 0) {
    NoteXattr(Operation::kSetXattr, error_number, /*on_target=*/true);
  }
  TakeNextName();
}

void AttributePlan::TakeNextName() {
  name_at_ = names_->find('\0', name_at_) + 1;
  value_bytes_ = -1;
  if (has_name() || unsupported_error_ == 0) return;
  NoteXattr(Operation::kSetXattrs, unsupported_error_, /*on_target=*/true);
  unsupported_error_ = 0;
}

void AttributePlan::NoteXattr(Operation operation, int error_number, bool on_target) {
  const Preserve& keep = policy_->preserve;
  const bool is_telling =
      keep.requires_xattrs() || policy_->attributes_only ||
      (keep.xattrs == Xattrs::kReported && error_number != EOPNOTSUPP);
  if (!is_telling) return;
  CopyFailure failure = {
      .operation = operation, .error_number = error_number, .on_target = on_target};
  if (has_name()) failure.attribute = name();
  xattr_failures_.push_back(std::move(failure));
}

// --- ACLs ---

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

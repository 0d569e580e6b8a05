#include "core/file/source_attributes.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/base/check.h"
#include "core/base/posix_acl.h"
#include "core/kernel/attribute_rules.h"
#include "core/kernel/security_labels.h"

namespace ringcp {
namespace {

constexpr mode_t kOthersPermissions = S_IRWXG | S_IRWXO;

}  // namespace

void SourceAttributes::Start(const Preserve& preserve, FileRef source, mode_t mode) {
  RINGCP_CHECK(done());
  preserve_ = preserve;
  if (S_ISLNK(mode)) preserve_.mode = false;
  source_ = source;
  has_access_acl_ = has_default_acl_ = false;
  type_ = mode & S_IFMT;
  mode_ = mode_without_acl_ = mode & kAllModeBits;
  access_acl_.clear();
  default_acl_.clear();
  other_acls_.clear();
  names_.clear();
  label_.clear();
  acl_error_ = list_error_ = label_error_ = 0;
  step_ = preserve_.keeps_label() ? Step::kGetLabel : After(Step::kGetLabel);
}

void SourceAttributes::NoteUnreadable(const Preserve& preserve, mode_t mode,
                                      int error_number) {
  Start({}, FileRef(), mode);
  if (preserve.keeps_label()) label_error_ = error_number;
  if (!preserve.mode) return;
  acl_error_ = error_number;
  mode_without_acl_ &= ~kOthersPermissions;
}

Op SourceAttributes::op() {
  const auto get = [this](const char* name, std::string* acl) {
    if (acl->empty()) acl->resize(kUsualBytes);
    return GetXattr(source_, name, acl->data(), static_cast<uint32_t>(acl->size()));
  };
  switch (step_) {
    case Step::kGetLabel:
      return get(kLabelAttribute, &label_);
    case Step::kList:
      if (list_.size() < kUsualBytes) list_.resize(kUsualBytes);
      return ListXattrs(source_, list_.data(), static_cast<uint32_t>(list_.size()));
    case Step::kGetAccessAcl:
      return get(kAccessAclName, &access_acl_);
    case Step::kGetDefaultAcl:
      return get(kDefaultAclName, &default_acl_);
    case Step::kDone:
      break;
  }
  RINGCP_CHECK(!done());
  return Op();
}

SourceAttributes::Step SourceAttributes::After(Step step) const {
  if (step == Step::kGetLabel) {
    return preserve_.mode || preserve_.has_xattrs() ? Step::kList : Step::kDone;
  }
  if (step == Step::kList && has_access_acl_) return Step::kGetAccessAcl;
  const bool was_default = step == Step::kGetDefaultAcl;
  return has_default_acl_ && !was_default ? Step::kGetDefaultAcl : Step::kDone;
}

std::string* SourceAttributes::RoomOf(Step step) {
  switch (step) {
    case Step::kGetLabel:
      return &label_;
    case Step::kGetAccessAcl:
      return &access_acl_;
    case Step::kGetDefaultAcl:
      return &default_acl_;
    default:
      return &list_;
  }
}

void SourceAttributes::Settle(int32_t result) {
  std::string* const room = RoomOf(step_);
  if (result == -ERANGE && room->size() < kBytesMax) {
    room->resize(kBytesMax);
    return;
  }
  const Step step = step_;
  switch (step) {
    case Step::kGetLabel:
      OnLabel(result);
      break;
    case Step::kList:
      OnList(result);
      break;
    case Step::kGetAccessAcl:
      if (!TakeAcl(result, &access_acl_)) {
        mode_without_acl_ &= ~kOthersPermissions;
      } else if (!access_acl_.empty()) {
        const std::optional<mode_t> permissions = PermissionsWithoutAcl(access_acl_);
        mode_without_acl_ = permissions.has_value()
                                ? (mode_ & ~kPermissions) | *permissions
                                : mode_ & ~kOthersPermissions;
      }
      break;
    case Step::kGetDefaultAcl:
      TakeAcl(result, &default_acl_);
      break;
    case Step::kDone:
      RINGCP_CHECK(!done());
  }
  step_ = After(step);
}

void SourceAttributes::OnLabel(int32_t result) {
  label_error_ = result < 0 ? -result : 0;
  label_.resize(std::clamp<int64_t>(result, 0, static_cast<int64_t>(label_.size())));
  while (label_.ends_with('\0')) label_.pop_back();
  // The kernel takes no label that is "".
  if (label_.empty() && label_error_ == 0) label_error_ = ENODATA;
}

void SourceAttributes::OnList(int32_t result) {
  if (result < 0) {
    if (SaysNoAcl(-result)) return;
    if (preserve_.has_xattrs()) list_error_ = -result;
    if (!preserve_.mode) return;
    acl_error_ = -result;
    mode_without_acl_ &= ~kOthersPermissions;
    return;
  }
  const size_t size = std::min(static_cast<size_t>(result), list_.size());
  const std::string_view names(list_.data(), size);
  for (size_t at = 0, end = 0; (end = names.find('\0', at)) != std::string_view::npos;
       at = end + 1) {
    if (end > at) Sort(list_.data() + at);
  }
}

void SourceAttributes::Sort(const char* name) {
  const size_t size_with_nul = std::strlen(name) + 1;
  if (std::strcmp(name, kAccessAclName) == 0) {
    has_access_acl_ = preserve_.mode;
  } else if (std::strcmp(name, kDefaultAclName) == 0) {
    has_default_acl_ = preserve_.mode && type_ == S_IFDIR;
  } else if (std::strcmp(name, kLabelAttribute) == 0 &&
             preserve_.context != Context::kNone) {
    return;
  } else {
    switch (RuleOfAttribute(name)) {
      case AttributeRule::kCopy:
        if (preserve_.xattrs != Xattrs::kNone) names_.append(name, size_with_nul);
        break;
      case AttributeRule::kPermissions:
        if (preserve_.mode) other_acls_.append(name, size_with_nul);
        break;
      case AttributeRule::kSkip:
        break;
    }
  }
}

bool SourceAttributes::TakeAcl(int32_t result, std::string* acl) {
  if (result >= 0) {
    acl->resize(std::min(static_cast<size_t>(result), acl->size()));
    return true;
  }
  acl->clear();
  // Somebody has removed it just now.
  if (SaysNoAcl(-result)) return true;
  acl_error_ = -result;
  return false;
}

}  // namespace ringcp

#include "core/file/copy_policy.h"

#include <cerrno>

namespace ringcp {

bool FileCopyPolicy::MayClone(const FileSystem* source, const FileSystem& target) const {
  if (reflink == Reflink::kAuto) return file_systems->MayClone(source, target);
  return reflink == Reflink::kAlways;
}

mode_t FileCopyPolicy::NewMode(mode_t source_mode) const {
  const bool is_directory = S_ISDIR(source_mode);
  // Without the sticky bit others could remove the directory's entries.
  const mode_t sticky = is_directory ? source_mode & S_ISVTX : 0;
  if (default_mode && !preserve.mode) {
    // The umask counts even if the directory has a default ACL, with which the kernel
    // ignores the umask.
    const mode_t permissions = is_directory || S_ISSOCK(source_mode) ? 0777 : 0666;
    return (permissions & ~umask) | sticky;
  }
  return (source_mode & kPermissions) | sticky;
}

mode_t FileCopyPolicy::WithheldMode(mode_t source_mode, bool inherits_acl) const {
  const bool from_all = preserve.ownership || (preserve.mode && inherits_acl);
  const mode_t withheld = from_all               ? S_IRWXG | S_IRWXO
                          : S_ISDIR(source_mode) ? S_IWGRP | S_IWOTH
                                                 : 0;
  return NewMode(source_mode) & withheld;
}

bool FileCopyPolicy::MayFailToSetOwner(int error_number) const {
  return user != 0 && (error_number == EPERM || error_number == EINVAL);
}

bool FileCopyPolicy::MayFailToSetMode(int error_number) const {
  // ENOTSUPP, which NFS gives if the server has no modes. It is internal to the kernel,
  // so <cerrno> does not name it.
  constexpr int kKernelNotSupported = 524;
  if (preserve.mode) return false;
  switch (error_number) {
    case EPERM:
    case EACCES:
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
    case kKernelNotSupported:
      return true;
    default:
      return false;
  }
}

bool IsAboutLabel(const CopyFailure& failure) {
  switch (failure.operation) {
    case Operation::kGetLabel:
    case Operation::kLabelNext:
    case Operation::kLabelNextByPolicy:
    case Operation::kSetLabel:
      return true;
    default:
      return false;
  }
}

bool RemovingMayHelp(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case ETXTBSY:  // The target is being executed.
    case ELOOP:
    case ENXIO:  // A socket, or a device without a driver.
    case ENODEV:
      return true;
    default:
      return false;
  }
}

bool MayNeedTruncating(int error_number) {
  return error_number == EPERM || error_number == EACCES || error_number == EINVAL ||
         error_number == EOPNOTSUPP || error_number == ENOSYS || error_number == ENOSPC ||
         error_number == EDQUOT;
}

bool NeedsTruncating(const FileSystem& file_system, int error_number, bool has_one_name) {
  // Opening the target copies it up. If it had several names, only this name would lead
  // to the new file afterwards.
  if (file_system.copies_up()) return has_one_name;
  return file_system.may_open_truncating_only() && MayNeedTruncating(error_number);
}

CopyFailure TargetFailure(Operation operation, int error_number) {
  return {.operation = operation, .error_number = error_number, .on_target = true};
}

CopyFailure RefusedTarget(Refusal refusal) {
  return {.refusal = refusal, .on_target = true};
}

}  // namespace ringcp

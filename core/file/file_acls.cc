#include "core/file/file_acls.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "core/base/posix_acl.h"
#include "core/kernel/op.h"

namespace ringcp {
namespace {

// Room for the names of a file's extended attributes: few files have more than one or
// two. If the names do not fit, the attributes are asked for one by one.
constexpr size_t kNamesBytesMax = 1024;

// The kernel's limit for the value of an attribute, in bytes.
constexpr size_t kAttributeBytesMax = 64 * 1024;

bool HasAttribute(Kernel* kernel, int fd, const char* name) {
  return kernel->Do(GetXattr(FileRef::Descriptor(fd), name, nullptr, 0)) >= 0;
}

// Returns the bytes of an ACL; absent if there is no ACL, empty if it can't be read.
std::optional<std::string> ReadAcl(Kernel* kernel, int fd, const char* name) {
  std::string acl(256, '\0');
  const auto read = [&] {
    return kernel->Do(GetXattr(FileRef::Descriptor(fd), name, acl.data(),
                               static_cast<uint32_t>(acl.size())));
  };
  int32_t size = read();
  if (size == -ERANGE) {
    acl.resize(kAttributeBytesMax);
    size = read();
  }
  if (size == -ENODATA || size == -EOPNOTSUPP || size == -ENOENT) return std::nullopt;
  acl.resize(size < 0 ? 0 : size);
  return acl;
}

// If an ACL can't be read, only the owner is known to have access: nobody else gets any.
constexpr mode_t kOthersPermissions = S_IRWXG | S_IRWXO;

// Returns 0 and sets *names, or returns an errno. On a file system without extended
// attributes no file has any, which is no error.
int ListNames(Kernel* kernel, int fd, AccessAttributes* names) {
  *names = AccessAttributes();
  std::array<char, kNamesBytesMax> list;
  const int32_t size =
      kernel->Do(ListXattrs(FileRef::Descriptor(fd), list.data(), list.size()));
  if (size == -ERANGE) {
    *names = {.access_acl = HasAttribute(kernel, fd, kAccessAclName),
              .default_acl = HasAttribute(kernel, fd, kDefaultAclName),
              .capability = HasAttribute(kernel, fd, kCapabilityName)};
    return 0;
  }
  if (size < 0) return SaysNoAcl(-size) ? 0 : -size;
  *names = FindAccessAttributes(std::string_view(list.data(), size));
  return 0;
}

}  // namespace

SourceAccess LookAtAccess(Kernel* kernel, int fd, mode_t mode) {
  AccessAttributes names;
  const int error_number = ListNames(kernel, fd, &names);
  SourceAccess access;
  access.mode = mode;
  // ENOENT: without /proc a pipe's or device's ACLs can't be read, so only its mode
  // counts.
  if (error_number != 0 && error_number != ENOENT) {
    access.mode &= ~kOthersPermissions;
    access.is_more_than_mode = true;
    return access;
  }
  access.is_more_than_mode = names.access_acl || names.default_acl || names.capability;
  if (!names.access_acl) return access;
  const std::optional<std::string> acl = ReadAcl(kernel, fd, kAccessAclName);
  if (!acl.has_value()) return access;  // Somebody has removed it just now.
  const std::optional<mode_t> permissions = PermissionsWithoutAcl(*acl);
  access.mode = permissions.has_value() ? (mode & ~mode_t{0777}) | *permissions
                                        : mode & ~kOthersPermissions;
  return access;
}

std::optional<mode_t> GrantsOfDefaultAcl(Kernel* kernel, int fd) {
  const std::optional<std::string> acl = ReadAcl(kernel, fd, kDefaultAclName);
  if (!acl.has_value()) return std::nullopt;
  return PermissionsGrantedByDefault(*acl).value_or(0);
}

bool ReplaceInheritedAcls(Kernel* kernel, int fd, mode_t mode) {
  const FileRef directory = FileRef::Descriptor(fd);
  const int32_t removed = kernel->Do(RemoveXattr(directory, kDefaultAclName));
  const std::string acl = AclOfMode(mode);
  const int32_t set = kernel->Do(
      SetXattr(directory, kAccessAclName, acl.data(), static_cast<uint32_t>(acl.size())));
  return (removed == 0 || removed == -ENODATA) && set == 0;
}

}  // namespace ringcp

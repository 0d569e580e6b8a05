#include "core/file/file_acls.h"

#include <cerrno>
#include <string>

#include "core/base/posix_acl.h"
#include "core/kernel/op.h"

namespace ringcp {
namespace {

// The kernel's limit for the value of an attribute, in bytes.
constexpr size_t kAttributeBytesMax = 64 * 1024;

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
  if (size == -ENODATA || size == -EOPNOTSUPP) return std::nullopt;
  // Without /proc it can't be asked by a descriptor for which no permission to read was
  // needed.
  if (size == -EPERM) return std::nullopt;
  acl.resize(size < 0 ? 0 : size);
  return acl;
}

}  // namespace

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

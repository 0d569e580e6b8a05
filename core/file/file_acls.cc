#include "core/file/file_acls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "core/base/posix_acl.h"
#include "core/kernel/path_descriptor.h"

namespace ringcp {
namespace {

constexpr char kCapabilityName[] = "security.capability";

// Names of extended attributes: few files have more than one or two. Where they are more
// they are asked for one by one.
constexpr size_t kNamesBytesMax = 1024;

// The most that an attribute can take, in bytes.
constexpr size_t kAttributeBytesMax = 64 * 1024;

// Reads the attribute `name`; the size, or -errno.
ssize_t GetAttribute(int fd, const char* name, void* value, size_t size) {
  ssize_t result = fgetxattr(fd, name, value, size);
  if (result < 0 && errno == EBADF) {
    result = getxattr(ProcPath(fd).c_str(), name, value, size);
  }
  return result < 0 ? -errno : result;
}

bool HasAttribute(int fd, const char* name) {
  return GetAttribute(fd, name, nullptr, 0) >= 0;
}

// An ACL's bytes; absent if there is none, empty if it can't be read.
std::optional<std::string> ReadAcl(int fd, const char* name) {
  std::string acl(256, '\0');
  ssize_t size = GetAttribute(fd, name, acl.data(), acl.size());
  if (size == -ERANGE) {
    acl.resize(kAttributeBytesMax);
    size = GetAttribute(fd, name, acl.data(), acl.size());
  }
  if (size == -ENODATA || size == -EOPNOTSUPP || size == -ENOENT) return std::nullopt;
  acl.resize(size < 0 ? 0 : size);
  return acl;
}

// Of a list that can't be read nobody but the owner is known to get in.
constexpr mode_t kOthersPermissions = S_IRWXG | S_IRWXO;

// Which of the attributes that matter here a file has.
struct Names {
  bool access_acl = false;
  bool default_acl = false;
  bool capability = false;
};

// Opens the directory `fd`, which was opened with O_PATH, anew: unlike its path in /proc
// that is there everywhere, but it takes the right to read. -1 with errno if it fails.
int OpenForReading(int fd) { return openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

// 0, with *names, or an errno. A file system without such attributes has none.
int ListNames(int fd, Names* names) {
  *names = Names();
  std::array<char, kNamesBytesMax> list;
  ssize_t size = flistxattr(fd, list.data(), list.size());
  if (size < 0 && errno == EBADF) {
    const int opened = OpenForReading(fd);
    size = opened >= 0 ? flistxattr(opened, list.data(), list.size())
                       : listxattr(ProcPath(fd).c_str(), list.data(), list.size());
    const int error_number = errno;
    if (opened >= 0) close(opened);
    errno = error_number;
  }
  if (size < 0 && errno == ERANGE) {
    *names = {.access_acl = HasAttribute(fd, kAccessAclName),
              .default_acl = HasAttribute(fd, kDefaultAclName),
              .capability = HasAttribute(fd, kCapabilityName)};
    return 0;
  }
  if (size < 0) return SaysNoAcl(errno) ? 0 : errno;
  std::string_view left(list.data(), size);
  while (!left.empty()) {
    const std::string_view name = left.substr(0, left.find('\0'));
    if (name == kAccessAclName) names->access_acl = true;
    if (name == kDefaultAclName) names->default_acl = true;
    if (name == kCapabilityName) names->capability = true;
    left.remove_prefix(std::min(left.size(), name.size() + 1));
  }
  return 0;
}

// 0 or an errno.
int SetAttribute(int fd, const char* name, std::string_view value) {
  if (fsetxattr(fd, name, value.data(), value.size(), 0) == 0) return 0;
  if (errno != EBADF) return errno;
  return setxattr(ProcPath(fd).c_str(), name, value.data(), value.size(), 0) == 0 ? 0
                                                                                  : errno;
}

int RemoveAttribute(int fd, const char* name) {
  if (fremovexattr(fd, name) == 0) return 0;
  if (errno != EBADF) return errno;
  return removexattr(ProcPath(fd).c_str(), name) == 0 ? 0 : errno;
}

}  // namespace

SourceAccess LookAtAccess(int fd, mode_t mode) {
  Names names;
  const int error_number = ListNames(fd, &names);
  SourceAccess access;
  access.mode = mode;
  // Without /proc a pipe or a device can't be asked; what its mode says has to do.
  if (error_number != 0 && error_number != ENOENT) {
    access.mode &= ~kOthersPermissions;
    access.is_more_than_mode = true;
    return access;
  }
  access.is_more_than_mode = names.access_acl || names.default_acl || names.capability;
  if (!names.access_acl) return access;
  const std::optional<std::string> acl = ReadAcl(fd, kAccessAclName);
  if (!acl.has_value()) return access;  // Taken away just now.
  const std::optional<mode_t> permissions = PermissionsWithoutAcl(*acl);
  access.mode = permissions.has_value() ? (mode & ~mode_t{0777}) | *permissions
                                        : mode & ~kOthersPermissions;
  return access;
}

std::optional<mode_t> GrantsOfDefaultAcl(int fd) {
  std::optional<std::string> acl;
  if (fcntl(fd, F_GETFL) & O_PATH) {
    const int opened = OpenForReading(fd);
    acl = ReadAcl(opened >= 0 ? opened : fd, kDefaultAclName);
    if (opened >= 0) close(opened);
  } else {
    acl = ReadAcl(fd, kDefaultAclName);
  }
  if (!acl.has_value()) return std::nullopt;
  return PermissionsGrantedByDefault(*acl).value_or(0);
}

int ReplaceAcls(int fd, mode_t mode) {
  Names names;
  if (const int error_number = ListNames(fd, &names); error_number != 0) {
    return error_number;
  }
  if (names.default_acl) {
    const int error_number = RemoveAttribute(fd, kDefaultAclName);
    if (error_number != 0 && error_number != ENODATA) return error_number;
  }
  // To remove it would leave its mask to the group for a moment; one that says no more
  // than a mode does takes its place, and the kernel makes that the mode.
  return names.access_acl ? SetAttribute(fd, kAccessAclName, AclOfMode(mode)) : 0;
}

}  // namespace ringcp

#include "core/kernel/path_descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "core/kernel/preloaded_libraries.h"
#include "core/kernel/proc_path.h"

namespace ringcp {
namespace {

// fchmodat2(2), which Debian 12's headers don't define yet. Its number is the same on
// every architecture.
#ifdef SYS_fchmodat2
constexpr long kFchmodat2 = SYS_fchmodat2;
#else
constexpr long kFchmodat2 = 452;
#endif

int32_t ResultOf(ssize_t value) {
  return value >= 0 ? static_cast<int32_t>(value) : -errno;
}

// The result to report if the call by descriptor failed with `error_number`, and
// CallByProcPath() then returned `result`, whose EPERM can be for want of /proc.
int32_t OrTheirs(int error_number, int32_t result) {
  return result == -EPERM ? -error_number : result;
}

// Calls `by_descriptor`. If that fails because `fd` was opened with O_PATH, calls it once
// more with a new descriptor if the file is a directory that may be read, and `by_path`
// with a path in /proc otherwise.
template <typename ByDescriptor, typename ByPath>
int32_t OnAnyDescriptor(int fd, const ByDescriptor& by_descriptor,
                        const ByPath& by_path) {
  const ssize_t result = by_descriptor(fd);
  if (result >= 0 || errno != EBADF) return ResultOf(result);
  const int opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0 && errno == EBADF) return -EBADF;  // `fd` is not open at all.
  if (opened < 0) return CallByProcPath(fd, by_path);
  const int32_t of_opened = ResultOf(by_descriptor(opened));
  close(opened);
  return of_opened;
}

}  // namespace

int32_t ChangeMode(int fd, mode_t mode) {
  if (fchmod(fd, mode) == 0) return 0;
  if (errno != EBADF) return -errno;
  int error_number = ENOSYS;
  // No preloaded library sees this call: glibc has no function for it before 2.39.
  if (!LibrariesArePreloaded()) {
    if (syscall(kFchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0) return 0;
    error_number = errno;
  }
  // ENOSYS comes from an older Linux. EPERM may come from a seccomp filter: most of them
  // do not know this call.
  if (error_number != ENOSYS && error_number != EPERM) return -error_number;
  return OrTheirs(error_number, CallByProcPath(fd, [mode](const char* path) {
                    return chmod(path, mode);
                  }));
}

int32_t ChangeOwner(int fd, uid_t user, gid_t group) {
  return ResultOf(fchownat(fd, "", user, group, AT_EMPTY_PATH));
}

int32_t ChangeTimes(int fd, const timespec times[2]) {
  if (futimens(fd, times) == 0) return 0;
  if (errno != EBADF) return -errno;
  if (utimensat(fd, "", times, AT_EMPTY_PATH) == 0) return 0;
  const int error_number = errno;
  if (error_number != EINVAL) return -error_number;  // EINVAL: an older Linux.
  return OrTheirs(error_number, CallByProcPath(fd, [times](const char* path) {
                    return utimensat(AT_FDCWD, path, times, /*flags=*/0);
                  }));
}

int32_t ReadXattr(int fd, const char* name, void* value, size_t size) {
  return OnAnyDescriptor(
      fd, [&](int any) { return fgetxattr(any, name, value, size); },
      [&](const char* path) { return getxattr(path, name, value, size); });
}

int32_t ReadXattrNames(int fd, void* names, size_t size) {
  char* const list = static_cast<char*>(names);
  return OnAnyDescriptor(
      fd, [&](int any) { return flistxattr(any, list, size); },
      [&](const char* path) { return listxattr(path, list, size); });
}

int32_t WriteXattr(int fd, const char* name, const void* value, size_t size) {
  return OnAnyDescriptor(
      fd, [&](int any) { return fsetxattr(any, name, value, size, /*flags=*/0); },
      [&](const char* path) { return setxattr(path, name, value, size, /*flags=*/0); });
}

int32_t TakeXattrAway(int fd, const char* name) {
  return OnAnyDescriptor(
      fd, [&](int any) { return fremovexattr(any, name); },
      [&](const char* path) { return removexattr(path, name); });
}

}  // namespace ringcp

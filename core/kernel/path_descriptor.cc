#include "core/kernel/path_descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace ringcp {
namespace {

// Its number is the same on every architecture; Debian 12's headers don't know it yet.
#ifdef SYS_fchmodat2
constexpr long kFchmodat2 = SYS_fchmodat2;
#else
constexpr long kFchmodat2 = 452;
#endif

// What to tell when the call that takes a descriptor failed with `error_number` and the
// one by /proc with errno: where there is no /proc, that says nothing about the file.
int TheirError(int error_number) {
  return errno == ENOENT || errno == ENOTDIR ? error_number : errno;
}

}  // namespace

std::string ProcPath(int fd) { return absl::StrCat("/proc/self/fd/", fd); }

int ChangeMode(int fd, mode_t mode) {
  if (fchmod(fd, mode) == 0) return 0;
  if (errno != EBADF) return errno;
  if (syscall(kFchmodat2, fd, "", mode, AT_EMPTY_PATH) == 0) return 0;
  const int error_number = errno;
  // An older kernel; or a filter of system calls, most of which know nothing of this one
  // and say EPERM.
  if (error_number != ENOSYS && error_number != EPERM) return error_number;
  return chmod(ProcPath(fd).c_str(), mode) == 0 ? 0 : TheirError(error_number);
}

int ChangeOwner(int fd, uid_t user, gid_t group) {
  return fchownat(fd, "", user, group, AT_EMPTY_PATH) == 0 ? 0 : errno;
}

int ChangeTimes(int fd, const timespec times[2]) {
  if (futimens(fd, times) == 0) return 0;
  if (errno != EBADF) return errno;
  if (utimensat(fd, "", times, AT_EMPTY_PATH) == 0) return 0;
  const int error_number = errno;
  if (error_number != EINVAL) return error_number;  // An older kernel.
  return utimensat(AT_FDCWD, ProcPath(fd).c_str(), times, 0) == 0
             ? 0
             : TheirError(error_number);
}

}  // namespace ringcp

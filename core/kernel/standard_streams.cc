#include "core/kernel/standard_streams.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ringcp {

// By syscall(), and unseen by sanitizers: they are not set up either when this runs
// before all libraries.
// (gcc and clang have the attribute in this form both.)
__attribute__((no_sanitize("address", "thread", "undefined"))) void
OccupyStandardStreams() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (syscall(SYS_fcntl, descriptor, F_GETFD) != -1) continue;
    // The lowest free descriptor is this one. Not closed by exec: the next program needs
    // it as much.
    if (syscall(SYS_openat, AT_FDCWD, "/proc/self", O_PATH | O_NOFOLLOW) >= 0) continue;
    // Without /proc there is no way to open a descriptor anew.
    syscall(SYS_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY);
  }
}

}  // namespace ringcp

#include "core/kernel/standard_streams.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ringcp {

// Uses syscall(), and is not instrumented by sanitizers, because neither they nor any
// library are set up if this runs before all libraries. Both gcc and clang know the
// attribute in this form.
__attribute__((no_sanitize("address", "thread", "undefined"))) void
OccupyStandardStreams() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (syscall(SYS_fcntl, descriptor, F_GETFD) != -1) continue;
    // The lowest free descriptor is this one. It is not closed by exec, because the next
    // program needs it just as much.
    if (syscall(SYS_openat, AT_FDCWD, "/proc/self", O_PATH | O_NOFOLLOW) >= 0) continue;
    // Without /proc no descriptor can be opened anew, so any file will do.
    syscall(SYS_openat, AT_FDCWD, "/", O_PATH | O_DIRECTORY);
  }
}

}  // namespace ringcp

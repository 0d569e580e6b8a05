// Calls that take the path of a file, made for a descriptor: through /proc/self/fd, and
// where /proc is not mounted, as in the roots that images are built in, through an
// instance of it that only this process sees (fsopen(2), fsmount(2)).

#ifndef RINGCP_CORE_KERNEL_PROC_PATH_H_
#define RINGCP_CORE_KERNEL_PROC_PATH_H_

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace ringcp {

// Calls `call` with a path that leads to the file of `fd`, and returns what that returns,
// or -errno. `call` is a system call; it may be made by another thread, whose working
// directory is another.
// EPERM where /proc is not mounted and the process may not mount it (CAP_SYS_ADMIN).
//
// Thread-safety: may be called by any thread.
int32_t CallByProcPath(int fd, absl::FunctionRef<int64_t(const char* path)> call);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_PROC_PATH_H_

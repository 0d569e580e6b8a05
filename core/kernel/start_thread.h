// Starts a thread, or says that the process may have no more.
//
// Thread-safety: may be called by any thread.

#ifndef RINGCP_CORE_KERNEL_START_THREAD_H_
#define RINGCP_CORE_KERNEL_START_THREAD_H_

#include <cstddef>
#include <system_error>
#include <thread>
#include <utility>

namespace ringcp {

// Address space (RLIMIT_AS), in bytes, that large allocations leave to all others, which
// end the program if they fail. Threads other than the first take a page for even the
// smallest allocation if there is no room for a heap of their own (64 MiB in glibc).
inline constexpr size_t kSpareBytes = size_t{4} << 20;

// Whether the process may have so much address space (RLIMIT_AS) that a thread finds
// kSpareBytes besides its stack. Otherwise the thread could be started, but the next
// allocation of any thread might end the program.
bool HasRoomForThread();

// Starts `thread` with `function`. Returns false if the process may have no more threads
// (RLIMIT_NPROC, a control group's pids.max) or if there is no memory for the stack:
// std::thread throws then, and nobody would catch that.
// REQUIRES: `thread` is not joinable.
template <typename Function>
bool StartThread(Function function, std::thread* thread) {
  if (!HasRoomForThread()) return false;
  try {
    *thread = std::thread(std::move(function));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_START_THREAD_H_

// Starting a thread where there may be none to be had.
//
// Thread-safety: may be called by any thread.

#ifndef RINGCP_CORE_KERNEL_START_THREAD_H_
#define RINGCP_CORE_KERNEL_START_THREAD_H_

#include <system_error>
#include <thread>
#include <utility>

namespace ringcp {

// Starts `thread` with `function`. False where the process may have no more threads
// (RLIMIT_NPROC, a control group's pids.max) or there is no memory for its stack:
// std::thread throws then, and nobody would catch that.
// REQUIRES: `thread` is not joinable.
template <typename Function>
bool StartThread(Function function, std::thread* thread) {
  try {
    *thread = std::thread(std::move(function));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_START_THREAD_H_

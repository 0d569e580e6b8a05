// The calling thread's kernel of plain system calls. It is for tests of code that takes a
// Kernel and is tried on real files.
//
// Thread-safety: each thread has its own, which lives as long as the thread.

#ifndef RINGCP_TESTS_SYSTEM_KERNEL_H_
#define RINGCP_TESTS_SYSTEM_KERNEL_H_

#include <vector>

#include "absl/time/time.h"
#include "core/kernel/kernel.h"
#include "core/kernel/syscall_kernel.h"

namespace ringcp {

inline Kernel* SystemKernel() {
  thread_local SyscallKernel kernel(/*slots=*/0);
  return &kernel;
}

// Waits until this thread is woken; false if that has taken `limit` or longer.
inline bool AwaitWake(absl::Duration limit) {
  std::vector<ChainResults> none;
  const SteadyTime until = SystemKernel()->Now() + absl::ToChronoNanoseconds(limit);
  SystemKernel()->Wait(limit, &none);
  return SystemKernel()->Now() < until;
}

}  // namespace ringcp

#endif  // RINGCP_TESTS_SYSTEM_KERNEL_H_

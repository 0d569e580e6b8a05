// The calling thread's kernel of plain system calls, for tests of what takes a kernel and
// is tried on real files.
//
// Thread-safety: each thread gets one of its own, which lives as long as the thread.

#ifndef RINGCP_TESTS_SYSTEM_KERNEL_H_
#define RINGCP_TESTS_SYSTEM_KERNEL_H_

#include "core/kernel/syscall_kernel.h"

namespace ringcp {

inline Kernel* SystemKernel() {
  thread_local SyscallKernel kernel(/*slots=*/0);
  return &kernel;
}

}  // namespace ringcp

#endif  // RINGCP_TESTS_SYSTEM_KERNEL_H_

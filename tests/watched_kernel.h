// The system's kernel with somebody who watches what is asked of it: notes the kinds of
// ops, may do something before one runs, have one fail, and change what one tells.
//
// Thread-safety: none.

#ifndef RINGCP_TESTS_WATCHED_KERNEL_H_
#define RINGCP_TESTS_WATCHED_KERNEL_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "core/kernel/op.h"
#include "core/kernel/syscall_kernel.h"

namespace ringcp {

class WatchedKernel : public SyscallKernel {
 public:
  WatchedKernel() : SyscallKernel(/*slots=*/0) {}

  int32_t Do(const Op& op) override {
    kinds.push_back(op.kind);
    const int error_number = fault ? fault(op) : 0;
    if (error_number != 0) return -error_number;
    Op changed = op;
    if (change) change(&changed);
    const int32_t result = SyscallKernel::Do(changed);
    if (told) told(op);
    return result;
  }

  std::vector<OpKind> kinds;
  std::function<int(const Op&)> fault;  // 0: the op runs.
  std::function<void(Op*)> change;      // Called before an op runs.
  std::function<void(const Op&)> told;  // ... and once it has.
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_WATCHED_KERNEL_H_

// A kernel on plain system calls, with the same contract as io_uring's. It carries out
// each chain on the calling thread when the chain is queued, except for polls, which
// Wait() waits for. It serves systems and containers that refuse io_uring,
// --engine=threads, and single small files, for which setting up a ring costs more than
// the copy.
//
// Thread-safety: see kernel.h.

#ifndef RINGCP_CORE_KERNEL_SYSCALL_KERNEL_H_
#define RINGCP_CORE_KERNEL_SYSCALL_KERNEL_H_

#include <vector>

#include "core/kernel/kernel.h"
#include "core/kernel/system_calls.h"

namespace ringcp {

class SyscallKernel : public RealKernel {
 public:
  // Keeps the files in `slots` slots as descriptors in a table.
  explicit SyscallKernel(int slots);
  // Closes the files that are still open in slots.
  ~SyscallKernel() override;

  ChainResults RunAtOnce(ChainId id, absl::Span<const Op> chain) override;
  bool Queue(ChainId id, absl::Span<const Op> chain) override;
  void Wait(absl::Duration timeout, std::vector<ChainResults>* settled) override;
  int chains_in_flight() const override {
    return static_cast<int>(settled_.size()) + polls_queued();
  }
  int slots() const override { return static_cast<int>(slots_.size()); }
  // Not worth two more system calls for each file: a caller that wants an ordinary
  // descriptor opens one.
  bool can_install_descriptor() const override { return false; }
  bool can_queue_truncate() const override { return true; }
  KernelCounters counters() const override { return WithTimes(counters_); }

 private:
  int32_t Run(Op op);

  std::vector<int> slots_;  // Each a descriptor, or -1.
  std::vector<ChainResults> settled_;
  KernelCounters counters_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_SYSCALL_KERNEL_H_

// A ring on plain system calls: the same contract as io_uring, each chain carried out on
// the calling thread when it is queued, but for polls, which Wait() waits for. For
// kernels and containers that refuse io_uring, for --engine=threads, and for single small
// files, where setting up a real ring costs more than the copy.
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
  // Slots are kept as descriptors in a table of `slots`.
  explicit SyscallKernel(int slots);
  // Closes what is still open in a slot.
  ~SyscallKernel() override;

  ChainResults RunAtOnce(ChainId id, absl::Span<const Op> chain) override;
  bool Queue(ChainId id, absl::Span<const Op> chain) override;
  void Wait(absl::Duration timeout, std::vector<ChainResults>* settled) override;
  int chains_in_flight() const override {
    return static_cast<int>(settled_.size()) + polls_queued();
  }
  int slots() const override { return static_cast<int>(slots_.size()); }
  // It would take two more system calls for each file: who wants an ordinary descriptor
  // opens one.
  bool can_install_descriptor() const override { return false; }
  bool can_queue_truncate() const override { return true; }
  KernelCounters counters() const override { return counters_; }

 private:
  int32_t Run(Op op);

  std::vector<int> slots_;  // A descriptor, or -1.
  std::vector<ChainResults> settled_;
  KernelCounters counters_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_SYSCALL_KERNEL_H_

// Carries out ops and chains by plain system calls on the calling thread: all that
// SyscallKernel does, and what UringKernel does at once.
//
// Thread-safety: the functions keep no state; RealKernel is a Kernel (see kernel.h).

#ifndef RINGCP_CORE_KERNEL_SYSTEM_CALLS_H_
#define RINGCP_CORE_KERNEL_SYSTEM_CALLS_H_

#include <cerrno>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/base/check.h"
#include "core/kernel/kernel.h"
#include "core/kernel/op.h"
#include "core/kernel/queued_polls.h"
#include "core/kernel/security_labels.h"
#include "core/kernel/side_times.h"
#include "core/kernel/wake_up.h"

namespace ringcp {

// Carries out one op that names no slot; returns its result as in kernel.h.
int32_t RunWithSystemCall(const Op& op);

// Whether the op that is tied behind `op` runs, given the `result` of `op`.
bool LetsGoOn(const Op& op, int32_t result);

// Carries out a chain; `run` carries out one op and returns its result.
template <typename Run>
ChainResults RunChain(ChainId id, absl::Span<const Op> chain, const Run& run) {
  RINGCP_CHECK(!chain.empty() && chain.size() <= Chain::kOpsMax);
  ChainResults settled;
  settled.id = id;
  settled.size = static_cast<int>(chain.size());
  bool goes_on = true;
  for (size_t i = 0; i < chain.size(); ++i) {
    const int32_t result = goes_on ? run(chain[i]) : -ECANCELED;
    settled.results_array[i] = result;
    goes_on = goes_on && LetsGoOn(chain[i], result);
  }
  return settled;
}

// What the kernels on the real system have in common: everything except carrying out
// chains. Its Submit() is for kernels without a ring.
class RealKernel : public Kernel {
 public:
  // Whatever its thread makes later has no label that was meant for this kernel's ops.
  ~RealKernel() override { ForgetLabel(); }
  int32_t Do(const Op& op) override;
  SteadyTime Now() const override;
  uint64_t Random() override;
  absl::Duration CpuTime() const override;
  absl::Duration ThreadCpuTime() const override;
  ThreadWaits Waits() const override;
  void Wake() override { wake_up_.Notify(); }
  // Carries `chain` out at once if its first op can't be queued or is marked AtOnce();
  // queues it otherwise.
  Submitted Submit(ChainId id, absl::Span<const Op> chain,
                   ChainResults* results) override;
  // Carries it out.
  Submitted SubmitTask(ChainId id, Task* task) override;

 protected:
  // Queues the chain `id`, which consists of `poll` alone, for Await().
  void QueuePoll(ChainId id, const Op& poll) { polls_.Add(id, poll, Now()); }
  int polls_queued() const { return polls_.size(); }
  // Waits until a poll that was queued by QueuePoll() has ended or Wake() was called, but
  // no longer than `timeout`, and appends the polls that have ended to `settled`.
  void Await(absl::Duration timeout, std::vector<ChainResults>* settled);
  WakeUp* wake_up() { return &wake_up_; }
  // Carries out one op that names no slot, and counts how long that takes.
  int32_t RunTimed(const Op& op) { return side_times_.Time(op, RunWithSystemCall); }
  SideTimes* side_times() { return &side_times_; }
  // `counters` with the time that calls have taken.
  KernelCounters WithTimes(KernelCounters counters) const {
    counters.source_us = side_times_.microseconds(Side::kSource);
    counters.target_us = side_times_.microseconds(Side::kTarget);
    return counters;
  }

 private:
  WakeUp wake_up_;
  QueuedPolls polls_;
  SideTimes side_times_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_SYSTEM_CALLS_H_

// A ring on io_uring.
//
// Set-up, and why (measured on Linux 6.18, copying 50,000 small files):
//  - SINGLE_ISSUER | DEFER_TASKRUN, and waiting for about half of the completions that
//    are outstanding: 0.51 s, against 0.74 to 0.85 s without the flags (each completion
//    wakes the submitter) and 0.96 s when waiting for one at a time.
//  - At most workers_max bounded kernel workers: one ring keeps about one of them busy
//    while nothing blocks, and uncapped pools grow to hundreds of threads.
//  - SQPOLL only where it is asked for: on two CPUs its thread takes the time of a worker
//    (IORING_SETUP_SQPOLL rules DEFER_TASKRUN out as well).
//  - IOPOLL only where it is asked for, as a second ring: such a ring takes reads and
//    writes with O_DIRECT only. While it has something in flight, nothing sleeps: both
//    rings are asked in turn, each time for what is there, as long as settling may take.
//    (Letting the kernel poll until something is there takes fewer system calls, but it
//    knows no timeout then, and the other ring's completions wait.) It is never
//    submitted to by SQPOLL's thread, which would do the polling, too.
//  - The ring also waits for an eventfd, by which other threads wake its own one
//    (Uring::Watch). It is queued with the first wait and after each time that the thread
//    was woken, so it costs nothing else.
//  - A poll (OpKind::kPoll) is taken away when its time is over: a linked timeout would
//    be one more op that may be cut off.
//  - A chain that the kernel took in only a part of is never completed by submitting the
//    rest: its ops are taken back, with -ECANCELED for their results. SQPOLL's thread
//    can't be kept from submitting the rest by itself, so with it nothing is linked: an
//    op is queued when the one before it has ended well.
//  - Every completion is collected (no IOSQE_CQE_SKIP_SUCCESS): a chain's end can't be
//    told from its last completion alone, because a severed chain posts others.
//
// Thread-safety: see kernel.h; Create() must run on the thread that will use the ring.

#ifndef RINGCP_CORE_KERNEL_URING_KERNEL_H_
#define RINGCP_CORE_KERNEL_URING_KERNEL_H_

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/kernel/asked_calls.h"
#include "core/kernel/chain_table.h"
#include "core/kernel/helper_chooser.h"
#include "core/kernel/helper_threads.h"
#include "core/kernel/kernel.h"
#include "core/kernel/system_calls.h"

namespace ringcp {

struct Uring;  // uring.h

struct UringParameters {
  // Submission queue entries; halved down to kEntriesMin when memory is short.
  int entries = 256;
  // Slots for open files.
  int slots = 128;
  // Kernel worker threads for ops that can't complete in the submitter.
  int workers_max = 2;
  // A kernel thread takes in what is submitted, instead of system calls.
  bool sqpoll = false;
  // Polled ops are polled: their completions asked for at the device.
  bool iopoll = false;
};

class UringKernel : public RealKernel {
 public:
  // How long the kernel may have no memory for what is submitted, with nothing ending
  // meanwhile, until the ring counts as failed: memory that others want back is given up
  // far sooner.
  static constexpr std::chrono::seconds kNoMemoryMax{30};
  // The pause before the kernel is asked for that memory again.
  static constexpr std::chrono::milliseconds kNoMemoryPause{10};

  // Sets up a ring. The status of a failure says what was refused and the likely cause,
  // for a person: "io_uring_setup: Operation not permitted (a container's seccomp
  // profile or kernel.io_uring_disabled forbids it)".
  static absl::StatusOr<std::unique_ptr<UringKernel>> Create(
      const UringParameters& params);

  // REQUIRES: nothing is in flight, or the ring has failed.
  ~UringKernel() override;

  ChainResults RunAtOnce(ChainId id, absl::Span<const Op> chain) override;
  bool Queue(ChainId id, absl::Span<const Op> chain) override;
  Submitted Submit(ChainId id, absl::Span<const Op> chain,
                   ChainResults* results) override;
  void Wait(absl::Duration timeout, std::vector<ChainResults>* settled) override;
  int chains_in_flight() const override {
    return chains_.in_flight() + helpers_.chains_in_flight() + polls_queued() +
           static_cast<int>(carried_out_.size());
  }
  int slots() const override { return slots_; }
  bool can_install_descriptor() const override { return can_install_descriptor_; }
  bool can_queue_truncate() const override { return can_queue_truncate_; }
  KernelCounters counters() const override { return counters_; }
  absl::Status status() const override { return status_; }

 private:
  // `polled` may be nullptr.
  UringKernel(std::unique_ptr<Uring> uring, std::unique_ptr<Uring> polled,
              const UringParameters& params, bool can_install_descriptor,
              bool can_queue_truncate);

  bool HasOpcodes(absl::Span<const Op> chain) const;
  void CountAtOnce(absl::Span<const Op> chain);
  // RunAtOnce() of a chain without opcodes, and what follows from whether that waited.
  ChainResults RunAndLearn(ChainId id, absl::Span<const Op> chain);
  // Queue() of a chain without opcodes.
  bool QueueForHelper(ChainId id, absl::Span<const Op> chain);

  // Queue() with SQPOLL.
  bool QueueSteps(ChainId id, absl::Span<const Op> chain);
  // With SQPOLL: queues the op of `tag`, or notes that it has to be when there is room.
  void QueueStep(OpTag tag);
  void QueueStalledSteps();
  // With SQPOLL: takes in the result of the op of `tag`, and sees to what follows from
  // it.
  void OnStep(OpTag tag, int32_t result, std::vector<ChainResults>* settled);
  // Submits what is queued without waiting.
  void EnterToSubmit(Uring* uring);
  // Sees to what entering the kernel has come to: 0 or more, or -errno.
  void NoteEntered(Uring* uring, int result);

  // Submits what is queued, and takes in what is there by now.
  void Ask(Uring* uring, std::vector<ChainResults>* settled);
  // The kernel refused what is queued, for now.
  void OnNoMemory(Uring* uring, int error_number);
  // From now on the ring has failed.
  void FailForGood(int error_number);
  // Carries out a chain with a ring that has failed, or has no helper thread.
  ChainResults CarryOutWithoutSlots(ChainId id, absl::Span<const Op> chain);

  // Wait() of a ring that has not failed.
  void SettleByKernel(absl::Duration timeout, std::vector<ChainResults>* settled);
  // Submits what is queued, waits and takes in completions. Whether it ended for nothing:
  // for what was left over from a wake that has been taken.
  bool WaitForRing(absl::Duration timeout, std::vector<ChainResults>* settled);
  // SettleByKernel() while polled ops are outstanding.
  void Poll(absl::Duration timeout, std::vector<ChainResults>* settled);
  // Notes the poll that was queued as `entry`.
  void NotePoll(uint32_t entry, const Op& poll);
  // Has polls end whose time is over; returns how long it is until the next one's is, at
  // most `timeout`.
  absl::Duration EndLatePolls(absl::Duration timeout);
  // What the completion of a poll with that result comes to.
  int32_t PollResult(uint32_t entry, int32_t result);
  // Takes in the completions that the kernel has told.
  void Reap(Uring* uring, std::vector<ChainResults>* settled);
  void NoteResult(Uring* uring, OpTag tag, int32_t result,
                  std::vector<ChainResults>* settled);

  // A poll in flight.
  struct PollInFlight {
    uint32_t entry = 0;
    SteadyTime until;
    bool is_late = false;  // The kernel was told to end it.
  };

  const std::unique_ptr<Uring> uring_;
  const std::unique_ptr<Uring> polled_;  // nullptr: nothing is polled.
  const int slots_;
  const bool can_install_descriptor_;
  const bool can_queue_truncate_;
  ChainTable chains_;
  // With SQPOLL the ops of the chains in flight: Chain::kOpsMax for each entry of
  // chains_.
  std::vector<Op> steps_;
  std::vector<OpTag> stalled_;  // Steps that the queue had no room for.
  std::vector<PollInFlight> polls_;
  KernelCounters counters_;
  // Since when the kernel has refused all that was submitted, and nothing has ended.
  std::optional<std::chrono::steady_clock::time_point> refused_since_;
  absl::Status status_;
  std::vector<ChainResults> carried_out_;  // See CarryOutWithoutSlots().
  HelperThreads helpers_;
  HelperChooser helper_chooser_;
  AskedCalls asked_calls_;
  ThreadWaits waits_seen_;
  bool has_waited_ = true;  // In Wait(), since waits_seen_.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_URING_KERNEL_H_

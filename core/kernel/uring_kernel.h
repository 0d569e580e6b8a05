// A kernel on io_uring.
//
// Set-up, and why:
//  - SINGLE_ISSUER | DEFER_TASKRUN, and waiting for about half of the completions that
//    are outstanding, because otherwise each completion wakes the submitter. Copying
//    50,000 small files takes half as long as when the thread waits for one completion at
//    a time (Linux 6.18).
//  - As few kernel workers as WaitLimits says, because one ring keeps about one of them
//    busy while nothing blocks, and uncapped pools grow to hundreds of threads.
//  - SQPOLL only if it is asked for, because on two CPUs its thread takes the time of a
//    worker, and because IORING_SETUP_SQPOLL rules out DEFER_TASKRUN.
//  - IOPOLL only if it is asked for, as a second ring, because such a ring takes only
//    reads and writes with O_DIRECT. While the second ring has something in flight, the
//    thread never sleeps: it asks both rings in turn for the completions that are there,
//    until a chain has settled or the wait has to end. (Letting Linux poll until
//    something is there takes fewer system calls, but then there is no timeout, and the
//    completions of the other ring wait.) The second ring never uses SQPOLL, whose thread
//    would do the polling as well.
//  - The ring also watches an eventfd, by which other threads wake the ring's own thread
//    (Uring::Watch). The watch is queued with the first wait and again after each
//    wake-up, so it costs nothing otherwise.
//  - A poll (OpKind::kPoll) is removed when its time is over, because a linked timeout
//    would be one more op that may be cut off.
//  - If Linux took in only a part of a chain, the rest is not submitted: its ops are
//    taken back, and their results are -ECANCELED. SQPOLL's thread can't be kept from
//    submitting the rest by itself, so with SQPOLL nothing is linked: each op is queued
//    only after the op before it has a result that lets it run.
//  - Every completion is collected (no IOSQE_CQE_SKIP_SUCCESS), because the last
//    completion alone does not show that a chain has settled: a severed chain also posts
//    completions of other ops.
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
#include "core/kernel/task_chooser.h"

struct io_uring_sqe;

namespace ringcp {

struct Uring;  // uring.h

struct UringParameters {
  // Submission queue entries; halved down to Uring::kEntriesMin if memory is short.
  int entries = 256;
  // Slots for open files.
  int slots = 128;
  // A kernel thread takes in what is submitted, instead of system calls.
  bool sqpoll = false;
  // Polled ops (IsPolled()) ask the device for their completions; otherwise they run like
  // other ops.
  bool iopoll = false;
};

class UringKernel : public RealKernel {
 public:
  // How long Linux may have no memory for what is submitted, while nothing ends, before
  // the ring counts as failed. Linux reclaims memory in far less time.
  static constexpr std::chrono::seconds kNoMemoryMax{30};
  // The pause before Linux is asked for that memory again.
  static constexpr std::chrono::milliseconds kNoMemoryPause{10};

  // A wait is for one of so many completions that are outstanding: while nothing comes
  // from far away, few wake-ups are what counts. After a wait that took long, so many
  // waits are for fewer: then what comes next is to be asked for as soon as possible.
  // (With DEFER_TASKRUN the next op of a chain does not begin before its thread has
  // woken.)
  static constexpr int kShare = 2;
  static constexpr int kFewShare = 64;
  static constexpr int kWaitsForFew = 64;
  static constexpr std::chrono::milliseconds kLongWait{1};

  // Sets up a ring. If that fails, the status tells a person what was refused and the
  // likely cause: "io_uring_setup: Operation not permitted (a container's seccomp profile
  // or kernel.io_uring_disabled forbids it)".
  static absl::StatusOr<std::unique_ptr<UringKernel>> Create(
      const UringParameters& params);

  // REQUIRES: nothing is in flight, or the ring has failed.
  ~UringKernel() override;

  ChainResults RunAtOnce(ChainId id, absl::Span<const Op> chain) override;
  bool Queue(ChainId id, absl::Span<const Op> chain) override;
  Submitted Submit(ChainId id, absl::Span<const Op> chain,
                   ChainResults* results) override;
  Submitted SubmitTask(ChainId id, Task* task) override;
  bool helps_with_tasks() const override { return task_choosers_.for_long.hands_over(); }
  int helpers_in_flight() const override { return helpers_.in_flight(); }
  void SetWaitLimits(const WaitLimits& limits) override;
  void Wait(absl::Duration timeout, std::vector<ChainResults>* settled) override;
  int chains_in_flight() const override {
    return chains_.in_flight() + helpers_.in_flight() + polls_queued() +
           static_cast<int>(carried_out_.size());
  }
  int slots() const override { return slots_; }
  absl::Duration CallTime() const override { return call_time_; }
  bool can_install_descriptor() const override { return can_install_descriptor_; }
  bool can_queue_truncate() const override { return can_queue_truncate_; }
  KernelCounters counters() const override { return WithTimes(counters_); }
  absl::Status status() const override { return status_; }

 private:
  // Short tasks that are watched after one that took long.
  static constexpr int kShortTasksToWatch = 64;

  // `polled`: nullptr if nothing is polled.
  UringKernel(std::unique_ptr<Uring> uring, std::unique_ptr<Uring> polled,
              const UringParameters& params, bool can_install_descriptor,
              bool can_queue_truncate);

  bool HasOpcodes(absl::Span<const Op> chain) const;
  void CountAtOnce(absl::Span<const Op> chain);
  // Runs `run` on this thread, and tells `chooser` whether that waited.
  template <typename Run>
  void RunAndLearn(const Run& run, HelperChooser* chooser);
  // Carries out a short task on this thread, and tells `chooser` whether that waited.
  void RunShort(Task* task, TaskChooser* chooser);
  void Prepare(const Op& op, io_uring_sqe* sqe) const;
  // Queue() for a chain with an op that has no opcode.
  bool QueueForHelper(ChainId id, absl::Span<const Op> chain);

  // Queues `call`, which is carried out if it did not run; as Queue().
  bool QueueCall(ChainId id, const Op& call);
  // Queue() with SQPOLL.
  bool QueueSteps(ChainId id, absl::Span<const Op> chain);
  // With SQPOLL: queues the op of `tag`, or notes it in stalled_ if there is no room.
  void QueueStep(OpTag tag);
  void QueueStalledSteps();
  // With SQPOLL: takes in the result of the op of `tag`, and queues the next op of its
  // chain or cancels the rest.
  void OnStep(OpTag tag, int32_t result, std::vector<ChainResults>* settled);
  // Submits what is queued, without waiting.
  void EnterToSubmit(Uring* uring);
  // Handles the `result` of entering Linux: 0 or more, or -errno.
  void NoteEntered(Uring* uring, int result);

  // Submits what is queued, and takes in the completions that are there.
  void Ask(Uring* uring, std::vector<ChainResults>* settled);
  // Handles that Linux has refused what is queued for lack of memory: pauses, or fails
  // for good after kNoMemoryMax.
  void OnNoMemory(Uring* uring, int error_number);
  // Makes the ring count as failed from now on.
  void FailForGood(int error_number);
  // Carries out a chain at once, because the ring has failed or there is no helper
  // thread.
  ChainResults CarryOutWithoutSlots(ChainId id, absl::Span<const Op> chain);

  // Wait() with a ring that has not failed.
  void SettleByKernel(absl::Duration timeout, std::vector<ChainResults>* settled);
  // Submits what is queued, waits and takes in completions. Returns true if the wait
  // ended for nothing, because of an event that was left over from an earlier wake-up.
  bool WaitForRing(absl::Duration timeout, std::vector<ChainResults>* settled);
  // SettleByKernel() while polled ops are outstanding.
  void Poll(absl::Duration timeout, std::vector<ChainResults>* settled);
  // Notes that `poll` was queued as the chain `entry`.
  void NotePoll(uint32_t entry, const Op& poll);
  // Ends the polls whose time is over. Returns how long it takes until the time of the
  // next one is over, but at most `timeout`.
  absl::Duration EndLatePolls(absl::Duration timeout);
  // The result of the poll `entry` whose completion has `result`.
  int32_t PollResult(uint32_t entry, int32_t result);
  // Takes in the completions that Linux has posted.
  void Reap(Uring* uring, std::vector<ChainResults>* settled);
  void NoteResult(Uring* uring, OpTag tag, int32_t result,
                  std::vector<ChainResults>* settled);

  // A poll in flight.
  struct PollInFlight {
    uint32_t entry = 0;
    SteadyTime until;
    bool is_late = false;  // Linux was told to end it.
  };

  const std::unique_ptr<Uring> uring_;
  const std::unique_ptr<Uring> polled_;  // nullptr: nothing is polled.
  const int slots_;
  const absl::Duration call_time_;
  const bool can_install_descriptor_;
  const bool can_queue_truncate_;
  ChainTable chains_;
  // With SQPOLL, the ops of the chains in flight: Chain::kOpsMax for each entry of
  // chains_.
  std::vector<Op> steps_;
  // Of the entries of chains_, those that are a call which was queued instead: if it did
  // not run, for want of a thread or of memory, it is called after all. Empty until there
  // is one.
  std::vector<std::optional<Op>> calls_;
  uint32_t entry_queued_ = 0;   // Of the chain that was queued last.
  std::vector<OpTag> stalled_;  // Steps that the queue had no room for.
  std::vector<PollInFlight> polls_;
  KernelCounters counters_;
  // Since when Linux has refused everything that was submitted, while nothing has ended.
  std::optional<std::chrono::steady_clock::time_point> refused_since_;
  absl::Status status_;
  std::vector<ChainResults> carried_out_;  // See CarryOutWithoutSlots().
  TaskChoosers task_choosers_;
  HelperThreads helpers_;
  HelperChooser call_chooser_;   // For ops that are at once unless slow.
  HelperChooser chain_chooser_;  // For chains with an op that has no opcode.
  WaitLimits wait_limits_;
  AskedCalls asked_calls_;
  WaitAccount waits_;
  int waits_for_few_ = 0;   // So many of the next waits end with the first completion.
  bool has_waited_ = true;  // There was a wait of any kind since the last look at waits_.
  int short_tasks_to_watch_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_URING_KERNEL_H_

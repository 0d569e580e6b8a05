// Copies contents from or to what is no regular file: pipes, terminals, devices, as in
// `ringcp <(command) FILE` or `ringcp FILE /dev/stdout`. One read and write at a time, in
// order, in steps: whenever there is something to wait for, it says for what. What
// becomes of a target that was not completed says placed_target.h.
//
// It does not use FileSource and FileSink: a stream has no offsets, ranges or size, and
// whether it is at its end, or has to be waited for, is for poll(2) to tell before each
// read. Of what the two know, only a loop that repeats EINTR would be shared.
//
// Thread-safety: belongs to its worker.

#ifndef RINGCP_CORE_FILE_STREAM_COPY_H_
#define RINGCP_CORE_FILE_STREAM_COPY_H_

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "core/base/engine_counters.h"
#include "core/base/mutex.h"
#include "core/file/copy_policy.h"
#include "core/file/file_copy.h"
#include "core/file/placed_target.h"
#include "core/file/target_claims.h"
#include "core/file/target_decision.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"

namespace ringcp {

class StreamCopy {
 public:
  using Outcome = FileCopy::Outcome;

  // What the next step is to wait for, but no longer than `max`: until `fd` is ready for
  // `events`, or, where `fd` is negative, until the kernel is woken.
  struct Waiting {
    int fd = -1;
    short events = 0;
    absl::Duration max = absl::ZeroDuration();
  };

  // REQUIRES: all that is pointed to, by `names` too, outlives the copy.
  StreamCopy(const FileCopyPolicy& policy, const FileCopyNames& names,
             const std::atomic<bool>& cancelled, EngineCounters* counters);
  ~StreamCopy();
  StreamCopy(const StreamCopy&) = delete;
  StreamCopy& operator=(const StreamCopy&) = delete;

  // Does what can be done without waiting for anybody. True once the copy has ended.
  // REQUIRES: it has not.
  bool Step();
  // Valid after a Step() that was false.
  const Waiting& waiting() const { return waiting_; }

  // kRunning until the copy has ended; then kCopied, kSkipped, kCancelled or kFailed.
  Outcome outcome() const { return outcome_; }
  // REQUIRES: kFailed.
  const CopyFailure& failure() const { return failure_; }
  OldTarget old_target() const { return old_target_; }
  // Why a half-written target could not be removed, or an old one not emptied; 0 where
  // there is none.
  int removal_error() const { return target_.removal_error(); }

 private:
  // How long a wait goes on before it looks whether the job was cancelled.
  static constexpr absl::Duration kPollInterval = absl::Milliseconds(100);

  enum class State { kBegin, kOpenTarget, kTakeTarget, kContents };

  // Each of these is kCopied if the copy goes on, kRunning if it has to wait, or what it
  // ends with.
  Outcome GoOn();
  Outcome Begin();
  Outcome OpenSource();
  Outcome OpenTarget();
  Outcome MakeTarget();
  Outcome CarryOut(const TargetDecision& decision);
  // Opens what is there without emptying it.
  Outcome OpenExisting();
  Outcome OnOpenFailed(int error_number);
  // Claims the existing target by its name, and empties it by opening it.
  Outcome TakeByTruncating();
  Outcome OpenTruncating();
  // Makes the file that a symbolic link to nowhere leads to.
  Outcome MakePointee();
  // Goes on with `fd`, the target, which was there and is open now.
  Outcome TakeOpened(int fd);
  // Claims the existing target, which is target_stat_, once no other copy writes to it.
  Outcome TakeTarget();
  // Makes a new file in the place of one that can't be opened (-f), or must be kept.
  Outcome ReplaceTarget(OldTarget what_becomes_of_it);
  Outcome CopyContents();
  Outcome ReadBlock();
  Outcome WriteBlock();
  // Of a regular file: a terminal or a device that is written to keeps what it has.
  Outcome SetAttributes();
  // Closes the target, which is kept, emptied or removed.
  Outcome Finish(Outcome outcome);

  Outcome Await(State state, const Waiting& waiting);
  Outcome AwaitReady(int fd, short events);
  Outcome Fail(Operation operation, int error_number, bool on_target);
  Outcome Refuse(Refusal refusal);

  TargetDecision Decide();
  void LookAtExisting();
  int32_t LookAtTarget(int flags, struct statx* stat) const;
  // A descriptor or -errno.
  int OpenTargetWith(int flags, mode_t mode = 0) const;
  // Whether an existing target may take no other opening than one with O_TRUNC, as some
  // file systems in user space have it. Finds out what it is on.
  bool ShouldTruncate(int error_number);
  // Empties the existing target, which is open and claimed. 0 or an errno.
  int EmptyOld();
  // 0 or an errno: EEXIST if there is something already.
  int CreateTarget();
  bool IsReady(int fd, short events) const;

  Kernel* const kernel_;
  const FileCopyPolicy& policy_;
  const FileCopyNames names_;
  const std::atomic<bool>& cancelled_;
  EngineCounters* const counters_;

  State state_ = State::kBegin;
  Waiting waiting_;
  Outcome outcome_ = Outcome::kRunning;
  CopyFailure failure_;
  OldTarget old_target_ = OldTarget::kKept;

  TargetQuestion question_;
  struct statx existing_ = {};         // What was there.
  int target_error_ = 0;               // Why it could not be made, looked at or opened.
  std::optional<SteadyTime> give_up_;  // When a lease is waited for no longer.
  bool truncates_ = false;             // It is opened with O_TRUNC, once it is claimed.
  int source_ = -1;
  PlacedTarget target_;
  struct statx source_stat_ = {};
  struct statx target_stat_ = {};  // Of one that was there, as it was opened.
  mode_t mode_ = 0;                // The source's, without an ACL's mask.
  mode_t withheld_ = 0;            // Of the target's, at first.
  bool made_pointee_ = false;      // What the target, a link, led to was not there.
  bool is_at_end_ = false;         // Of the source.
  std::vector<char> buffer_;
  int32_t filled_ = 0;   // Bytes of it that were read ...
  int32_t written_ = 0;  // ... and written.
  TargetClaims::Claim claim_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_STREAM_COPY_H_

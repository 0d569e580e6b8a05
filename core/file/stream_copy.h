// Copies contents from or to something other than a regular file: a pipe, a terminal or a
// device, as in `ringcp <(command) FILE` or `ringcp FILE /dev/stdout`. The copy has one
// read or write at a time, in order. It proceeds in steps: each ends when there is
// something to wait for, and says for what. placed_target.h decides what becomes of a
// target that was not completed.
//
// FileSource and FileSink are not used. A stream has no offsets, ranges or size, and only
// poll(2), before each read, tells whether the stream has ended or has to be waited for.
// Nothing would be shared but a loop that repeats interrupted calls.
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
#include "core/file/attribute_plan.h"
#include "core/file/copy_policy.h"
#include "core/file/file_copy.h"
#include "core/file/placed_target.h"
#include "core/file/source_attributes.h"
#include "core/file/target_claims.h"
#include "core/file/target_decision.h"
#include "core/file/target_label.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"
#include "core/kernel/op.h"

namespace ringcp {

class StreamCopy {
 public:
  using Outcome = FileCopy::Outcome;

  // What to wait for before the next step: until `file` is ready for `events` or, without
  // a file, until the kernel is woken; but no longer than `max`.
  struct Waiting {
    FileRef file = {};
    short events = 0;
    absl::Duration max = absl::ZeroDuration();
  };

  // REQUIRES: all arguments, and what `names` points to, outlive the copy.
  StreamCopy(const FileCopyPolicy& policy, const FileCopyNames& names,
             const std::atomic<bool>& cancelled, EngineCounters* counters);
  ~StreamCopy();
  StreamCopy(const StreamCopy&) = delete;
  StreamCopy& operator=(const StreamCopy&) = delete;

  // Whether the copy has ended, because its target is to be asked about, skipped or left
  // alone. Otherwise nothing has been opened, and a step looks once more.
  // REQUIRES: no step has been made.
  bool EndsAtFirstLook();
  // Does as much as is possible without waiting. Returns true if the copy has ended.
  // REQUIRES: it has not ended before.
  bool Step();
  // Valid after Step() has returned false.
  const Waiting& waiting() const { return waiting_; }

  // kRunning until the copy has ended; then kCopied, kSkipped, kAsks, kKeptNewer,
  // kCancelled or kFailed.
  Outcome outcome() const { return outcome_; }
  // REQUIRES: kFailed.
  const CopyFailure& failure() const { return failure_; }
  OldTarget old_target() const { return old_target_; }
  // See FileCopy.
  bool is_target_whole() const { return target_.is_whole(); }
  const std::vector<CopyFailure>& xattr_failures() const {
    return attributes_.xattr_failures();
  }
  // With kAsks: the target's st_mode.
  mode_t target_mode() const { return existing_.stx_mode; }
  // The name that an old target got, if it is kBackedUp.
  const std::string& backup() const { return backup_; }
  // The errno that says why a half-written target could not be removed, or an old one
  // could not be emptied; 0 if no such failure happened.
  int removal_error() const { return target_.removal_error(); }

 private:
  // The longest wait before the copy checks whether the job was cancelled.
  static constexpr absl::Duration kPollInterval = absl::Milliseconds(100);

  enum class State { kBegin, kOpenTarget, kTakeTarget, kContents };

  // Each of these returns kCopied if the copy can go on, kRunning if it has to wait, or
  // otherwise the outcome that ends it.
  Outcome GoOn();
  Outcome Begin();
  Outcome LookFirst();
  Outcome OpenSource();
  Outcome OpenTarget();
  Outcome MakeTarget();
  Outcome CarryOut(const TargetDecision& decision);
  // Opens the existing target without emptying it.
  Outcome OpenExisting();
  Outcome OnOpenFailed(int error_number);
  // Claims the existing target by its name, and empties it by opening it.
  Outcome TakeByTruncating();
  Outcome OpenTruncating();
  // Makes the file that a symbolic link to nowhere leads to.
  Outcome MakePointee();
  // Goes on with `fd`, which is the existing target and has just been opened.
  Outcome TakeOpened(int fd);
  // Claims the existing target, whose stat is target_stat_. Waits while another copy
  // writes to it.
  Outcome TakeTarget();
  // Makes a new file in place of one that can't be opened (-f), or whose other names must
  // keep it.
  Outcome ReplaceTarget(OldTarget what_becomes_of_it);
  Outcome CopyContents();
  Outcome ReadBlock();
  Outcome WriteBlock();
  // Only for a regular file: a terminal or a device keeps the attributes that it has.
  Outcome SetAttributes();
  // Ends the target: keeps, empties or removes it, and closes it.
  Outcome Finish(Outcome outcome);

  Outcome Await(State state, const Waiting& waiting);
  Outcome AwaitReady(FileRef file, short events);
  Outcome Fail(Operation operation, int error_number, bool on_target);
  Outcome Refuse(Refusal refusal);

  TargetDecision Decide();
  void LookAtExisting();
  int32_t LookAtTarget(int flags, struct statx* stat) const;
  // Returns a descriptor or -errno.
  int OpenTargetWith(int flags) const;
  int MakeTargetWith(int flags);
  // Its SELinux label. Without it, if it is required, the copy ends.
  TargetLabel label() const { return {policy_, names_, &source_attributes_}; }
  void TakeLabel(const std::optional<CopyFailure>& failure);
  Outcome LabelExisting();
  Outcome FailForWantOfLabel();
  // Whether the existing target may need to be opened with O_TRUNC, as some file systems
  // in user space require. `error_number` says why opening it without has failed. Looks
  // up the target's file system.
  bool ShouldTruncate(int error_number);
  // Empties the existing target, which is open and claimed. Returns 0 or an errno.
  int EmptyOld();
  // Returns 0 or an errno: EEXIST if the target's name is taken.
  int CreateTarget();
  bool IsReady(FileRef file, short events) const;

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
  std::string backup_;

  TargetQuestion question_;
  struct statx existing_ = {};         // What has the target's name.
  int target_error_ = 0;               // Why making, looking at or opening it failed.
  std::optional<SteadyTime> give_up_;  // When the copy stops waiting for a lease.
  bool truncates_ = false;             // Once claimed, it is opened with O_TRUNC.
  int source_ = -1;
  PlacedTarget target_;
  struct statx source_stat_ = {};
  struct statx target_stat_ = {};  // The existing target's, when it was opened.
  mode_t mode_ = 0;                // The source's, without an ACL's mask.
  mode_t withheld_ = 0;            // Permissions that the target is created without.
  bool made_pointee_ = false;      // The target is a link to a file that this copy made.
  bool is_at_end_ = false;         // The source has ended.
  std::vector<char> buffer_;
  int32_t filled_ = 0;   // Bytes of the buffer that were read ...
  int32_t written_ = 0;  // ... and of these, written.
  TargetClaims::Claim claim_;
  SourceAttributes source_attributes_;
  std::optional<CopyFailure> label_failure_;
  AttributePlan attributes_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_STREAM_COPY_H_

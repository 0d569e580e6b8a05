// The life of one regular file's copy, as a state machine without I/O: It takes in the
// results of a chain, and says which chains come next. A worker's kernel carries them
// out. A test hands in whatever results it likes.
//
// Whatever happens, when the copy is done, the target is complete, or nothing that this
// copy made is left; an old target is whole or empty (placed_target.h has the rules); and
// both files are closed. file_copy.cc has a picture of the states.
//
// The copy believes only what it read from the open source: its type, mode, owner, times
// and identity. The source's name may lead to another file at any time.
//
// Only a new small target is in a slot, on a file system whose closing tells no error
// (FileSystem::tells_errors_at_close()), and only inside the one chain that makes and
// closes it, because closing a slot does not flush. Others have ordinary descriptors.
//
// If the target exists, target_decision.h decides what becomes of it. A target that is
// overwritten is opened without O_TRUNC, looked at by its descriptor and claimed
// (target_claims.h) before its contents go. But on overlayfs such an open would copy the
// contents that are to go, and some file systems in user space take no such open. There
// the target is looked at by its name, claimed, and then opened with O_TRUNC.
//
// With CallsAtOnce::kAll all chains are carried out at once (at_once_chooser.h says when,
// and why), until the copy finds that contents of more than a block are not in the page
// cache. The states are the same.
//
// Thread-safety: belongs to its worker.
// Ownership: borrows names, directories and the block pool; they outlive the copy.

#ifndef RINGCP_CORE_FILE_FILE_COPY_H_
#define RINGCP_CORE_FILE_FILE_COPY_H_

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/types/span.h"
#include "core/base/contents_route.h"
#include "core/base/engine_counters.h"
#include "core/base/file_error.h"
#include "core/file/attribute_plan.h"
#include "core/file/block.h"
#include "core/file/calls_at_once.h"
#include "core/file/contents_copy.h"
#include "core/file/copy_policy.h"
#include "core/file/next_chains.h"
#include "core/file/placed_target.h"
#include "core/file/shared_file.h"
#include "core/file/source_attributes.h"
#include "core/file/target_claims.h"
#include "core/file/target_decision.h"
#include "core/file/target_label.h"
#include "core/file/target_opening.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/call_side.h"
#include "core/kernel/op.h"

namespace ringcp {

class FileCopy {
 public:
  enum class Outcome {
    kRunning,
    kMultiplyLinked,  // Waits for Proceed() or Abandon(). stat() is known.
    kAwaitTarget,     // Waits for RetryTarget(): another copy writes to the target.
    kAwaitHelper,     // Waits for Resume() after a helper has left shared_file().
    kCopied,
    kSkipped,          // The target exists, and has to be left alone.
    kAsks,             // So it is unless the user says otherwise: see target_mode().
    kKeptNewer,        // So it is with -u: further names of the source are linked to it.
    kAbandoned,        // After Abandon().
    kCancelled,        // After Stop(), and the target was not complete.
    kTargetIsSpecial,  // The target exists and is a device, a pipe or a socket.
    kSourceIsOther,    // The source is no regular file, whatever its directory says.
    kFailed,           // See failure().
  };

  // REQUIRES: both outlive the copy; `pool` has a block for each copy that runs.
  FileCopy(BlockPool* pool, EngineCounters* counters)
      : pool_(pool),
        counters_(counters),
        block_size_bytes_(pool->block_size_bytes()),
        contents_(pool, counters, &control_) {}

  // Begins a copy that may use slot `slot`. REQUIRES: outcome() is final.
  void Start(const FileCopyPolicy& policy, const FileCopyNames& names, int slot,
             CallsAtOnce calls_at_once, NextChains* next);

  // Takes in the results of the chain of `lane`.
  void Settle(int lane, absl::Span<const int32_t> results, NextChains* next);

  // Goes on with a copy that is kMultiplyLinked.
  void Proceed(NextChains* next);
  // Closes the source and ends a copy that is kMultiplyLinked.
  void Abandon(NextChains* next);

  // Goes on with a copy that is kAwaitTarget, unless another copy still writes there.
  void RetryTarget(NextChains* next);

  // Goes on with a copy that is kAwaitHelper, unless somebody is still helping.
  void Resume(NextChains* next);
  const SharedFile* shared_file() const { return contents_.shared_file(); }

  // Gives up as soon as the chains in flight have settled, unless they complete the
  // target. REQUIRES: called once; the caller goes on handing in results until done().
  void Stop() { control_.stopped = true; }

  Outcome outcome() const { return outcome_; }
  bool done() const {
    return outcome_ != Outcome::kRunning && outcome_ != Outcome::kMultiplyLinked &&
           outcome_ != Outcome::kAwaitTarget && outcome_ != Outcome::kAwaitHelper;
  }

  // Whether the next chain copies, at once, a block of a file that may have many blocks.
  // The caller sees to other files first.
  bool copies_blocks_at_once() const {
    return state_ == State::kContents && contents_.copies_blocks_at_once();
  }
  // Which side the next ops, or those in flight, concern where their kind does not say.
  Side side() const { return state_ < State::kCopyWhole ? Side::kSource : Side::kTarget; }
  // Whether the next chain, or the one in flight, makes a new target, or removes the old
  // one for that. If it is the first such chain of a copy that is stopped, the caller may
  // say instead that it was cancelled (-ECANCELED for each op): then nothing is made.
  bool is_making() const {
    return state_ == State::kCopyWhole || state_ == State::kRemoveTarget ||
           (state_ == State::kOpenTarget && (opening_.flags() & O_CREAT) != 0);
  }
  // A call has made the thread wait, or would have. The chains from the next one on are
  // queued, unless all of the contents have to be copied at once.
  void LeaveToChains() {
    control_.may_call = false;
    control_.at_once = control_.only_calls;
  }
  // The kernel has queued the chain that was to be carried out at once.
  void NoteQueued() {
    LeaveToChains();
    contents_.NoteQueued();
  }

  // The stat of the open source. REQUIRES: outcome() is, or has been, kMultiplyLinked, or
  // is final. Meaningless if opening the source failed.
  const struct statx& stat() const { return source_stat_; }
  const CopyFailure& failure() const { return failure_; }  // REQUIRES: kFailed.
  std::array<PollRefusal, 2> poll_refusals() const { return contents_.poll_refusals(); }
  // Why a half-written target could not be removed, or an old one could not be emptied;
  // otherwise 0.
  int removal_error() const { return target_.removal_error(); }
  // Whether the copy failed because an existing file, source or target, could not be
  // opened.
  bool failed_to_open() const {
    return outcome_ == Outcome::kFailed &&
           (failure_.operation == Operation::kOpen ||
            (failure_.operation == Operation::kCreate && opening_.is_existing() &&
             target_.is_untouched()));
  }
  // How the contents were copied; absent if they were left out. REQUIRES: kCopied.
  std::optional<ContentsRoute> route() const;
  // Bytes that this copy has added to the counters' bytes_found.
  uint64_t bytes_found() const { return bytes_found_; }
  mode_t target_mode() const { return target_.stat().stx_mode; }
  // Whether this copy removed an old target, and when.
  OldTarget old_target() const { return old_target_; }
  // The name that an old target got, if it is kBackedUp.
  const std::string& backup() const { return backup_; }
  // Whether the target is there with all of its contents, though perhaps not with all of
  // its attributes. REQUIRES: done().
  bool is_target_whole() const { return target_.is_whole(); }
  const auto& xattr_failures() const { return attributes_.xattr_failures(); }

 private:
  enum class State {
    kOpenSource,
    kLookAtSource,
    kAwaitCaller,
    kLookAtAttributes,
    kReadFirst,
    kConfirmEnd,
    kCopyWhole,
    kStatBoth,
    kStatTarget,
    kLookAtOld,
    kRemoveTarget,
    kOpenTarget,
    kStatOpened,
    kConfirmTarget,
    kLookAnew,
    kLetGo,
    kEmptyTarget,
    kWriteWhole,
    kLeaveSlot,
    kContents,
    kAttributes,
    kEndTarget,
    kDropCached,
    kClose,
    kDone
  };

  // Some files are read in whole records only, such as /proc/PID/pagemap.
  static constexpr uint32_t kBeyondEndBytes = 1024;

  void GoOn(int lane, absl::Span<const int32_t> results, NextChains* next);

  // --- The source ---
  void OpenSource(int nonblock, NextChains* next);
  void OnOpenSource(int32_t result, NextChains* next);
  void OnOpenSourceFailed(int error_number, NextChains* next);
  void LookAtSource(NextChains* next);
  void SetSourceFileSystem(FileSystem* file_system);
  void OnLookAtSource(absl::Span<const int32_t> results, NextChains* next);
  void OnSourceKnown(NextChains* next);
  void LookAtAttributes(NextChains* next);
  void OnAttributesKnown(NextChains* next);

  // Whether the worker has to know the source, because it may have further names.
  bool may_have_names() const;

  // --- The contents of a small file ---
  // Whether a source of up to a block may be read in the chain that looks at it.
  bool reads_first() const;
  bool is_small() const { return source_stat_.stx_size <= block_size_bytes_; }
  Op FirstRead();
  void ReadFirst(NextChains* next);
  void OnFirstRead(int32_t result, NextChains* next);
  void ConfirmEnd(NextChains* next);
  void OnConfirmEnd(int32_t result, NextChains* next);
  void OnReadWhole(NextChains* next);
  void DropFirstBlock();

  // --- The target ---
  // The permissions that a new target lacks until it has its owner, and the mode that it
  // is made with.
  mode_t WithheldMode() const;
  mode_t FirstMode() const;
  mode_t LentMode() const;  // So that its owner can set extended attributes.
  bool may_use_slot() const;
  void ClaimNewTarget();
  void CopyWhole(NextChains* next);
  void OnCopyWhole(absl::Span<const int32_t> results, NextChains* next);
  // Gives the target a descriptor, if it has none yet, and closes its slot.
  void LeaveSlot(NextChains* next);
  void OnLeaveSlot(absl::Span<const int32_t> results, NextChains* next);
  void OpenNewTarget(NextChains* next);
  // Whether an existing target has to be opened with O_TRUNC, because opening or emptying
  // it failed without O_TRUNC, with `error_number`; 0: before that has been tried.
  bool ShouldTruncate(int error_number) const;
  void OpenExistingTarget(NextChains* next);
  void OpenTarget(NextChains* next);
  void OnOpenTarget(absl::Span<const int32_t> results, NextChains* next);

  // --- Its SELinux label. False: the copy has to end for want of it. ---
  TargetLabel label() const { return {policy_, names_, &source_attributes_}; }
  void OpenLabelled(const Op& open, NextChains* next);
  bool TakeLabelOfNew(int32_t labelled, int32_t opened);
  bool LabelExisting();
  bool TakeLabel(const std::optional<CopyFailure>& failure);

  void OnOpenTargetFailed(int error_number, NextChains* next);
  // Whether to end, because the copy is stopped, instead of trying again what had
  // `result` and was to make the target, or to remove the old one. Once that is removed,
  // the new one has to be made.
  bool NeedNotMake(int32_t result) const {
    return control_.stopped && MayBeRetried(result) && old_target_ == OldTarget::kKept;
  }
  // Does to an existing target what was decided.
  void CarryOut(const TargetDecision& decision, NextChains* next);
  void Overwrite(NextChains* next);
  void StatBoth(NextChains* next);
  void OnStatBoth(absl::Span<const int32_t> results, NextChains* next);
  void StatTarget(NextChains* next);
  void OnStatTarget(absl::Span<const int32_t> results, NextChains* next);
  // `removed_as`: what old_target() says once the target is removed.
  void RemoveTarget(OldTarget removed_as, NextChains* next);
  void OnLookAtOld(int32_t result, NextChains* next);
  void UnlinkTarget(NextChains* next);
  void OnRemoveTarget(int32_t result, NextChains* next);
  void OnStatOpened(int32_t result, NextChains* next);
  // Claims the target, or waits until another copy has given it up.
  void TakeTarget(NextChains* next);
  // Looks whether the target's name still leads to the target.
  void ConfirmTarget(NextChains* next);
  void OnConfirmTarget(int32_t result, NextChains* next);
  // Empties the claimed target, if it is open. Otherwise opening it will empty it.
  void UseTaken(NextChains* next);
  void EmptyOld(NextChains* next);
  void OnEmptyOld(int32_t result, NextChains* next);
  // Whether it is worth trying to clone the source, as far as is known.
  bool may_clone() const;

  void CopyContents(NextChains* next);
  // Prepares to write the block of a small file.
  void BeginToWrite();
  Op WriteBlock(FileRef target);
  // Whether only the closing follows when a small file is written.
  bool closes_when_written() const;
  void WriteWhole(NextChains* next);
  void OnWriteWhole(absl::Span<const int32_t> results, NextChains* next);
  // Whether calls may be able to write what queued writes could not.
  bool may_help_to_call() const;
  // Takes in the result of writing a small file's block. False if the copy has to end.
  bool NoteWritten(int32_t result);
  void OnContents(NextChains* next);
  // Whether to copy all once more, by calls, after `failure`.
  bool ShouldCopyAnew(const CopyFailure& failure) const;
  void CopyAnew(NextChains* next);
  // Whether all is about to be copied once more: from CopyAnew() to CopyContents().
  bool begins_anew() const { return first_failure_.has_value(); }
  void OnLookAnew(absl::Span<const int32_t> results, NextChains* next);
  void OnEmptyAnew(int32_t result, NextChains* next);
  void LetGo(NextChains* next);
  void OnLetGo(absl::Span<const int32_t> results, NextChains* next);
  void OnConfirmAnew(int32_t result, NextChains* next);
  bool sets_attributes() const {  // On the target.
    return policy_.preserve.any_attribute() || source_attributes_.any();
  }
  void SetAttributes(NextChains* next);
  void SetNextAttribute(NextChains* next);

  // --- The end ---
  // Whether pages of the two files get into the page cache, and have to be dropped.
  bool has_cached() const;
  bool source_refuses_uncached() const;
  void CloseAll(NextChains* next);
  // Does the next thing that the target needs besides being closed, if there is one.
  bool EndsTarget(NextChains* next);
  void OnEndTarget(absl::Span<const int32_t> results, NextChains* next);
  void OnDropCached(int32_t written_back, NextChains* next);
  // Adds the ops that close the open files, tied to the op before them by `tie`.
  // OnClosed() takes in their results. A file whose close was cancelled is still open.
  void AddCloses(Tie tie, Chain* chain);
  void CloseFiles(NextChains* next);
  // Whether an op with this result may not have run, and has to be repeated.
  bool MayNotHaveRun(int32_t result) const;
  void OnClosed(absl::Span<const int32_t> results);
  void Done();

  void Enter(State state, const Op& op, NextChains* next);
  // Has the next chains be carried out at once, if this file is copied so.
  void SetAtOnce(NextChains* next) const;
  // Only the first failure counts. Later ones follow from it.
  void Fail(const CopyFailure& failure);
  void FailOnSource(Operation operation, int error_number);
  void FailOnTarget(Operation operation, int error_number);

  BlockPool* const pool_;
  EngineCounters* const counters_;
  const uint32_t block_size_bytes_;

  FileCopyPolicy policy_;
  FileCopyNames names_;
  int slot_ = 0;

  State state_ = State::kDone;
  CallsAtOnce calls_at_once_ = CallsAtOnce::kNone;
  Outcome outcome_ = Outcome::kAbandoned;
  Outcome outcome_at_end_ = Outcome::kCopied;  // Unless the copy is stopped.
  CopyControl control_;
  CopyFailure failure_;
  uint64_t bytes_found_ = 0;
  int retries_ = 0;
  int targets_let_go_ = 0;  // Because their names led to another file by then.

  FileRef source_;  // No file when it is not open.
  PlacedTarget target_;

  // The one block of a small file, while it is in memory.
  Block block_;
  int32_t first_read_ = 0;  // The result of its read in kLookAtSource, or kNotRead.
  bool is_whole_ = false;   // It has all that there is in the source.

  TargetOpening opening_;
  TargetQuestion question_;  // What is known about an existing target.
  int target_error_ = 0;     // Why the target could not be made, looked at or opened.
  OldTarget removed_as_ = OldTarget::kKept;  // What old_target_ becomes by removing it.
  OldTarget old_target_ = OldTarget::kKept;
  std::string backup_;
  // What the source is on: the file system of its directory, unless another one is
  // mounted over the source alone. nullptr while it is not known.
  FileSystem* source_file_system_ = nullptr;
  // While all is about to be copied once more: the failure of the first time, which the
  // user is told if the second time can't even begin.
  std::optional<CopyFailure> first_failure_;
  // Files are closed at once: a queued close did not run, or all is written by calls.
  bool closes_at_once_ = false;
  bool keeps_newer_ = false;  // With -u, if the source can't be opened.
  struct statx source_stat_ = {};
  std::array<char, kBeyondEndBytes> beyond_end_;  // The buffer of kConfirmEnd.
  TargetClaims::Claim claim_;

  ContentsCopy contents_;
  SourceAttributes source_attributes_;
  AttributePlan attributes_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_FILE_COPY_H_

// The life of one regular file's copy, as a state machine without I/O: it is given the
// results of a chain and says which chains come next. A worker carries them out on a
// ring; a test hands in whatever results it likes.
//
// Whatever happens, when it is done either the target is complete, or nothing that this
// copy made is left, and an old target is whole or empty: placed_target.h has the rules.
// Both files are closed. file_copy.cc has a picture of the states.
//
// What is believed of the source is what was read from its open descriptor: its type,
// mode, owner, times and identity. The name may lead to another file at any time.
//
// A file's size is a hint. What is read decides: a small file is complete when a read of
// more than is left got less (on a known local file system), or when pread(2) has
// confirmed the end elsewhere.
//
// Slots are used only for new small targets on file systems whose closing tells no error
// (FileSystem::tells_errors_at_close()), inside the one chain that makes and closes them:
// closing a slot does not flush. All else has ordinary descriptors.
//
// What becomes of a target that is there is decided in target_decision.h. One that is
// overwritten is opened without O_TRUNC, looked at by its descriptor and claimed
// (target_claims.h) before its contents go. Where that would copy what is to go
// (overlayfs), or a file system takes no other opening (of those in user space some), it
// is looked at by its name, claimed, and opened with O_TRUNC.
//
// With CallsAtOnce::kAll all chains are to be carried out at once (at_once_chooser.h says
// when, and why), until contents of more than a block are found not to be in the page
// cache. The states are the same.
//
// Where nothing is to stay in the page cache and reads and writes can't say so, what was
// copied is written back and dropped before it is closed (kDropCached).
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

#include "absl/types/span.h"
#include "core/base/engine_counters.h"
#include "core/base/file_error.h"
#include "core/file/attribute_plan.h"
#include "core/file/block.h"
#include "core/file/contents_copy.h"
#include "core/file/copy_policy.h"
#include "core/file/next_chains.h"
#include "core/file/placed_target.h"
#include "core/file/shared_file.h"
#include "core/file/target_claims.h"
#include "core/file/target_decision.h"
#include "core/file/target_opening.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/op.h"

namespace ringcp {

// What a copy does by calls at once, on the ring's own thread, instead of by chains.
enum class CallsAtOnce {
  kNone,  // For a file that may have to be read from a device.
  kOpen,  // Opening and looking at the source: its inode is likely to be in memory.
  // All of it, if the file is of up to a block, or cloned, or large and in the page
  // cache; of others, the opening: for one that is likely to be in memory with its
  // contents.
  kAll,
};

class FileCopy {
 public:
  enum class Outcome {
    kRunning,
    kMultiplyLinked,  // Waits for Proceed() or Abandon(); stat() is known.
    kAwaitTarget,     // Waits for RetryTarget(): another copy writes to the target.
    kAwaitHelper,     // Waits for Resume(), until a helper has left shared_file().
    kCopied,
    kSkipped,          // The target exists and is to be left alone.
    kAbandoned,        // After Abandon().
    kCancelled,        // After Stop(), and the target was not complete.
    kTargetIsSpecial,  // The target exists and is a device, a pipe or a socket.
    kSourceIsOther,    // The source is no regular file, whatever its directory says.
    kFailed,           // See failure().
  };

  // REQUIRES: `pool` and `counters` outlive the copy, `pool` has a block left for each
  // copy that runs.
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

  // Goes on with a copy that is kAwaitTarget, if the target is free by now; it stays so
  // else.
  void RetryTarget(NextChains* next);

  // Goes on with a copy that is kAwaitHelper, if nobody helps any more; it stays so else.
  void Resume(NextChains* next);
  const SharedFile* shared_file() const { return contents_.shared_file(); }

  // Gives up as soon as the chains in flight have settled, unless that completes the
  // target. Call it once; go on handing in results until done().
  void Stop() { control_.stopped = true; }

  Outcome outcome() const { return outcome_; }
  bool done() const {
    return outcome_ != Outcome::kRunning && outcome_ != Outcome::kMultiplyLinked &&
           outcome_ != Outcome::kAwaitTarget && outcome_ != Outcome::kAwaitHelper;
  }

  // Whether the chain that comes next copies a block of a file that may have many, to be
  // carried out at once. Other files are to be seen to before it is.
  bool copies_blocks_at_once() const {
    return state_ == State::kContents && contents_.copies_blocks_at_once();
  }
  // What a call was for has to be waited for: the chains from the next one on are queued,
  // if that is possible.
  void LeaveToChains() {
    control_.may_call = false;
    control_.at_once = control_.only_calls;
  }
  // The chain that was to be carried out at once has been queued instead.
  void NoteQueued() {
    LeaveToChains();
    contents_.NoteQueued();
  }

  // The source as it was when it was opened. REQUIRES: outcome() is kMultiplyLinked or
  // was later; meaningless if opening failed.
  const struct statx& stat() const { return source_stat_; }
  // REQUIRES: kFailed.
  const CopyFailure& failure() const { return failure_; }
  // See ContentsCopy.
  std::array<PollRefusal, 2> poll_refusals() const { return contents_.poll_refusals(); }
  // Why a half-written target could not be removed, or an old one not emptied; 0 where
  // there is none.
  int removal_error() const { return target_.removal_error(); }
  // Whether it was an existing file, source or target, that could not be opened.
  bool failed_to_open() const {
    return outcome_ == Outcome::kFailed &&
           (failure_.operation == Operation::kOpen ||
            (failure_.operation == Operation::kCreate && opening_.is_existing() &&
             target_.is_untouched()));
  }
  // What the counters' bytes_found has got by this copy.
  uint64_t bytes_found() const { return bytes_found_; }
  // What became of a target that was there.
  OldTarget old_target() const { return old_target_; }
  // The source has an access control list or capabilities, which are not copied.
  bool left_out_rights() const { return left_out_rights_; }

 private:
  enum class State {
    kOpenSource,
    kLookAtSource,
    kAwaitCaller,
    kGetAcl,
    kGetCapability,
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
    kDone,
  };

  // Room for an access control list of some hundred entries; what is longer is not read.
  static constexpr uint32_t kAclBytesMax = 1024;

  void GoOn(int lane, absl::Span<const int32_t> results, NextChains* next);

  // --- The source ---
  void OpenSource(int nonblock, NextChains* next);
  void OnOpenSource(int32_t result, NextChains* next);
  void OnOpenSourceFailed(int error_number, NextChains* next);
  void LookAtSource(NextChains* next);
  void SetSourceFileSystem(FileSystem* file_system);
  void OnLookAtSource(absl::Span<const int32_t> results, NextChains* next);
  void OnSourceKnown(NextChains* next);
  void GetAcl(NextChains* next);
  void OnGetAcl(int32_t result, NextChains* next);
  void OnRightsKnown(NextChains* next);

  // --- The contents of a small file ---
  // Whether a source of up to a block is read before its target is opened.
  bool reads_first() const;
  bool is_small() const { return source_stat_.stx_size <= block_size_bytes_; }
  Op FirstRead();
  void ReadFirst(NextChains* next);
  void OnFirstRead(int32_t result, NextChains* next);
  void OnConfirmEnd(int32_t result, NextChains* next);
  void OnReadWhole(NextChains* next);
  void DropFirstBlock();

  // --- The target ---
  // What a new target is made without until it has its owner, and its mode then.
  mode_t WithheldMode() const;
  mode_t FirstMode() const;
  bool may_use_slot() const;
  void ClaimNewTarget();
  void CopyWhole(NextChains* next);
  void OnCopyWhole(absl::Span<const int32_t> results, NextChains* next);
  // Gives the target a descriptor instead of its slot, as far as that is left to be done.
  void LeaveSlot(NextChains* next);
  void OnLeaveSlot(absl::Span<const int32_t> results, NextChains* next);
  void OpenNewTarget(NextChains* next);
  // Whether an existing target is to be opened with O_TRUNC after all, if opening it
  // failed with `error_number`; 0: if it has not been tried.
  bool ShouldTruncate(int error_number) const;
  void OpenExistingTarget(NextChains* next);
  void OpenTarget(NextChains* next);
  void OnOpenTarget(int32_t result, NextChains* next);
  void OnOpenTargetFailed(int error_number, NextChains* next);
  // Goes on with a target that is there.
  void CarryOut(const TargetDecision& decision, NextChains* next);
  void Overwrite(NextChains* next);
  void StatBoth(NextChains* next);
  void OnStatBoth(absl::Span<const int32_t> results, NextChains* next);
  void StatTarget(NextChains* next);
  void OnStatTarget(absl::Span<const int32_t> results, NextChains* next);
  // `removed_as`: what old_target() is to say then.
  void RemoveTarget(OldTarget removed_as, NextChains* next);
  void OnLookAtOld(int32_t result, NextChains* next);
  void UnlinkTarget(NextChains* next);
  void OnRemoveTarget(int32_t result, NextChains* next);
  void OnStatOpened(int32_t result, NextChains* next);
  void TakeTarget(NextChains* next);
  // Looks whether the target's name still leads to it.
  void ConfirmTarget(NextChains* next);
  // Claims the target, if that is possible by now.
  void OnConfirmTarget(int32_t result, NextChains* next);
  // The target is claimed: empties it, unless opening it is to do so.
  void UseTaken(NextChains* next);
  void EmptyOld(NextChains* next);
  void OnEmptyOld(int32_t result, NextChains* next);
  // Whether it is worth trying to clone the source, as far as is known by now.
  bool may_clone() const;

  void CopyContents(NextChains* next);
  // The block of a small file is written from now on.
  void BeginToWrite();
  Op WriteBlock(FileRef target);
  // Whether nothing but closing comes behind the write of a small file.
  bool closes_when_written() const;
  void WriteWhole(NextChains* next);
  void OnWriteWhole(absl::Span<const int32_t> results, NextChains* next);
  // Whether what could not be written may be, by calls.
  bool may_help_to_call() const;
  // Takes in a write of the first block; false if it failed for good.
  bool NoteWritten(int32_t result);
  void OnContents(NextChains* next);
  // Whether all is to be copied once more, by calls, after `failure`.
  bool ShouldCopyAnew(const CopyFailure& failure) const;
  void CopyAnew(NextChains* next);
  // Whether all is about to be copied once more.
  bool begins_anew() const { return first_failure_.has_value(); }
  void OnLookAnew(absl::Span<const int32_t> results, NextChains* next);
  void OnEmptyAnew(int32_t result, NextChains* next);
  void LetGo(NextChains* next);
  void OnLetGo(absl::Span<const int32_t> results, NextChains* next);
  void OnConfirmAnew(int32_t result, NextChains* next);
  void SetAttributes(NextChains* next);
  void SetNextAttribute(NextChains* next);

  // --- The end ---
  // Whether what is copied passes through the page cache, and has to leave it.
  bool has_cached() const;
  bool source_refuses_uncached() const;
  void CloseAll(NextChains* next);
  // Whether there is more to be done with the target than to close it; then it is done.
  bool EndsTarget(NextChains* next);
  void OnEndTarget(absl::Span<const int32_t> results, NextChains* next);
  void OnDropCached(int32_t written_back, NextChains* next);
  // Adds the closing of what is open, tied to the op before it by `link`. OnClosed()
  // takes in the results; what was cancelled is open still.
  void AddCloses(Link link, Chain* chain);
  void CloseFiles(NextChains* next);
  // Whether a close that ended with `closed` may have to be repeated.
  bool MayNotHaveRun(int32_t result) const;
  void OnClosed(absl::Span<const int32_t> results);
  void Done();

  void Enter(State state, const Op& op, NextChains* next);
  // Has what comes next be carried out at once, if that is how this file is copied.
  void SetAtOnce(NextChains* next) const;
  // The first failure counts; what comes after it is its consequence.
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
  Outcome outcome_ = Outcome::kAbandoned;
  Outcome outcome_at_end_ = Outcome::kCopied;  // Unless it fails or is stopped.
  CopyControl control_;
  CopyFailure failure_;
  uint64_t bytes_found_ = 0;
  int retries_ = 0;
  int targets_let_go_ = 0;  // Because their names led elsewhere by then.

  FileRef source_;  // Where it is open; kNone when it is not.
  PlacedTarget target_;

  // The one block of a small file, while it is in memory.
  Block block_;
  int32_t first_read_ = 0;  // What the first read gave, or that there was none.
  bool is_whole_ = false;   // What was read is all that the source has.

  TargetOpening opening_;
  TargetQuestion question_;  // What is known of a target that is there.
  int target_error_ = 0;     // Why it could not be made, looked at or opened.
  OldTarget removed_as_ = OldTarget::kKept;  // What it becomes once it is removed.
  OldTarget old_target_ = OldTarget::kKept;
  // What the source is on: what its directory is on, unless another file system is
  // mounted over it alone.
  FileSystem* source_file_system_ = nullptr;
  // While all is about to be copied once more: the failure of the first time, which the
  // user is told if the second time can't even begin.
  std::optional<CopyFailure> first_failure_;
  bool closes_at_once_ = false;  // The kernel did not get round to it.
  bool left_out_rights_ = false;
  struct statx source_stat_ = {};
  std::array<char, kAclBytesMax> acl_;  // Also what a read behind the end would give.
  TargetClaims::Claim claim_;

  ContentsCopy contents_;
  AttributePlan attributes_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_FILE_COPY_H_

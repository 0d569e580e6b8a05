// The life of one regular file's copy, as a state machine without I/O: it is given the
// results of a chain and says which chains come next. A worker carries them out on a
// ring; a test hands in whatever results it likes.
//
//            Start()
//               v
//          kStatName       [statx source], if CallsAtOnce is kStat
//               v
//         kOpenSource      [openat source -> statx source]
//               v            (kReopenSource, kStatSource: see below)
//        kAwaitDecision    only for a file with several links that are to be kept:
//               |          the worker calls Proceed() or Abandon()
//               v
//   1 byte to one block:                        other sizes:
//   kCopyWhole [(openat source ->) openat       kOpenTarget [openat target]
//     target -> read -> write -> close               |
//     => close]                                      |
//   (or ... -> install -> close => close)            |
//      |  target exists -> kStatTarget -> kOpenTarget (kRemoveTarget first, with -f)
//      v                                             v
//   all there, or the rest by kContents       kContents (contents_copy.h)
//      |                                             |
//      v                                             v
//   kInstall -> kAttributes (attribute_setter.h), where there are any to keep
//               v
//            kClose        [close => close ...]
//               v
//            kRemove       [unlinkat target], only after a failure (with other names it
//               |          is emptied before it is closed: kInstallToEmpty, kEmpty)
//               v
//             kDone        outcome()
//
// -> is a soft link, => a hard one. Whatever happens, when it is done either the target
// is complete or nothing that this copy created is left; and both files are closed.
//
// A small file whose stat is known before it is opened (CallsAtOnce::kStat) goes straight
// to kCopyWhole, which then opens both files: one chain is its whole copy.
//
// The stat is by name, and of such a small file it is taken before it is opened, so
// somebody may have put another file there in between. Where the copy would get
// set-user-ID or set-group-ID bits, the source is therefore opened once more with an
// ordinary descriptor and its own stat taken; likewise for all files where the policy has
// no slots.
//
// Holes, clones and the sharing of a large file take ordinary descriptors as well; as
// soon as a pair of file systems has refused clones, its files have slots.
//
// With CallsAtOnce::kAll all chains are to be carried out at once (at_once_chooser.h says
// when, and why), until contents of more than a block are found not to be in the page
// cache. They are of ordinary descriptors, which calls take anyway, and the states are
// the same.
//
// Where nothing is to stay in the page cache and reads and writes can't say so, what was
// copied is written back and dropped before it is closed (kDropCached).
//
// Why the target is opened before the source is read: see ARCHITECTURE.md.
//
// Thread-safety: belongs to its worker.
// Ownership: borrows names, directories and the block pool; they outlive the copy.

#ifndef RINGCP_CORE_FILE_COPY_H_
#define RINGCP_CORE_FILE_COPY_H_

#include <sys/stat.h>

#include <cstdint>

#include "absl/types/span.h"
#include "core/attribute_setter.h"
#include "core/block_pool.h"
#include "core/contents_copy.h"
#include "core/copy_policy.h"
#include "core/engine_counters.h"
#include "core/file_error.h"
#include "core/next_chains.h"
#include "core/op.h"
#include "core/polled_io.h"
#include "core/shared_file.h"

namespace ringcp {

// What a copy does by calls at once, on the ring's own thread, instead of by chains.
enum class CallsAtOnce {
  kNone,  // For a file that may have to be read from a device.
  kStat,  // The source's stat: for one whose inode is likely to be in memory.
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
    kAwaitHelper,     // Waits for Resume(), until a helper has left shared_file().
    kCopied,
    kSkipped,          // The target exists and is to be left alone.
    kAbandoned,        // After Abandon().
    kCancelled,        // After Stop(), and the target was not complete.
    kTargetIsSpecial,  // The target exists and is a device, a pipe or a socket.
    kSourceIsOther,    // The source is no regular file, or a link not to be followed.
    kFailed,           // See failure().
  };

  // REQUIRES: `pool` and `counters` outlive the copy, `pool` has a block left for each
  // copy that runs.
  FileCopy(BlockPool* pool, EngineCounters* counters)
      : counters_(counters),
        block_size_bytes_(pool->block_size_bytes()),
        contents_(pool, counters, &control_) {}

  // Begins a copy that uses slots `slot` and `slot + 1`. Of a file that is opened with
  // ordinary descriptors the stat is taken by descriptor, whatever `calls_at_once` says.
  // REQUIRES: outcome() is final.
  void Start(const FileCopyPolicy& policy, const FileCopyNames& names, int slot,
             CallsAtOnce calls_at_once, NextChains* next);

  // Takes in the results of the chain of `lane`.
  void Settle(int lane, absl::Span<const int32_t> results, NextChains* next);

  // Goes on with a copy that is kMultiplyLinked.
  void Proceed(NextChains* next);
  // Closes the source and ends a copy that is kMultiplyLinked.
  void Abandon(NextChains* next);

  // Goes on with a copy that is kAwaitHelper, if nobody helps any more; it stays so else.
  void Resume(NextChains* next);
  const SharedFile* shared_file() const { return contents_.shared_file(); }

  // Gives up as soon as the chains in flight have settled, unless that completes the
  // target. Call it once; go on handing in results until done().
  void Stop() { control_.stopped = true; }

  Outcome outcome() const { return outcome_; }
  bool done() const {
    return outcome_ != Outcome::kRunning && outcome_ != Outcome::kMultiplyLinked &&
           outcome_ != Outcome::kAwaitHelper;
  }

  // Whether the chain that comes next copies a block of a file that may have many, to be
  // carried out at once. Other files are to be seen to before it is.
  bool copies_blocks_at_once() const {
    return state_ == State::kContents && contents_.copies_blocks_at_once();
  }
  // The contents had to be waited for: the chains from the next one on are queued.
  // REQUIRES: copies_blocks_at_once().
  void LeaveBlocksToChains() { control_.at_once = false; }

  // The source as it was when it was opened. REQUIRES: outcome() is kMultiplyLinked or
  // was later; meaningless if opening failed.
  const struct statx& stat() const { return source_stat_; }
  // REQUIRES: kFailed.
  const CopyFailure& failure() const { return failure_; }
  // What the job has learned by this copy, if it did: that there is no polling.
  const PolledIo::Refusal& poll_refusal() const { return contents_.poll_refusal(); }
  // Why a half-written target could not be removed; 0 where there is none.
  int removal_error() const { return removal_error_; }

 private:
  enum class State {
    kStatName,
    kOpenSource,
    kReopenSource,
    kStatSource,
    kAwaitDecision,
    kCopyWhole,
    kStatBoth,
    kStatTarget,
    kRemoveTarget,
    kOpenTarget,
    kContents,
    kInstall,
    kAttributes,
    kInstallToEmpty,
    kEmpty,
    kDropCached,
    kClose,
    kRemove,
    kDone,
  };

  void GoOn(int lane, absl::Span<const int32_t> results, NextChains* next);
  void OnStatName(int32_t result, NextChains* next);
  Op SourceOpen(int nonblock) const;
  Op SourceStat();
  void OpenSource(int nonblock, NextChains* next);
  void OnOpenSource(absl::Span<const int32_t> results, NextChains* next);
  void OnOpenSourceFailed(int error_number, NextChains* next);
  void OnStatSource(int32_t result, NextChains* next);
  void OnSourceKnown(NextChains* next);

  bool is_small() const {
    return source_stat_.stx_size > 0 && source_stat_.stx_size <= block_size_bytes_;
  }
  mode_t FirstMode() const;
  void CopyWhole(NextChains* next);
  void OnCopyWhole(absl::Span<const int32_t> results, NextChains* next);
  void OpenTarget(int flags, NextChains* next);
  void OnOpenTarget(int32_t result, NextChains* next);
  void OnOpenTargetFailed(int error_number, NextChains* next);
  void StatBoth(NextChains* next);
  void OnStatBoth(absl::Span<const int32_t> results, NextChains* next);
  void StatTarget(NextChains* next);
  void OnStatTarget(absl::Span<const int32_t> results, NextChains* next);
  void OnRemoveTarget(int32_t result, NextChains* next);
  // Whether it is worth trying to clone the source, as far as is known by now.
  bool may_clone() const;

  // The target's ordinary descriptor; negative while it has none.
  int target_fd() const { return use_slots_ ? installed_.index : target_.index; }
  void CopyContents(NextChains* next);
  void OnContents(NextChains* next);
  void SetAttributes(NextChains* next);
  void OnAttributes(NextChains* next);

  // Whether what was copied is in the page cache and has to leave it.
  bool has_cached() const;
  void CloseAll(NextChains* next);
  // A half-written target that has other names stays, but empty: with a part of what it
  // should have it could be taken for whole.
  void EmptyTarget(NextChains* next);
  void OnDropCached(int32_t written_back, NextChains* next);
  void CloseFiles(NextChains* next);
  void OnClose(absl::Span<const int32_t> results, NextChains* next);
  void Finish(NextChains* next);
  void Done(Outcome outcome);

  void Enter(State state, const Op& op, NextChains* next);
  // Has what comes next be carried out at once, if that is how this file is copied.
  void SetAtOnce(NextChains* next) const;
  // The first failure counts; what comes after it is its consequence.
  void Fail(const CopyFailure& failure);
  void FailOnSource(Operation operation, int error_number);
  void FailOnTarget(Operation operation, int error_number);

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
  int removal_error_ = 0;
  int retries_ = 0;
  bool use_slots_ = true;
  bool source_is_found_ = false;  // Its bytes are counted.
  bool opens_both_ = false;       // kCopyWhole opens the source, too.

  // Where the files are open; kNone when they are not.
  FileRef source_;
  FileRef target_;
  FileRef installed_;  // The target once more, as an ordinary descriptor.

  // target_created_ or target_changed_: the target is this copy's to complete or
  // remove.
  bool target_created_ = false;
  bool target_overwritten_ = false;  // It was there.
  bool target_changed_ = false;      // ... and has lost its contents.
  bool target_complete_ = false;
  bool target_removable_ = true;  // No other name leads to it.
  bool tried_removing_ = false;
  bool waits_for_target_ = false;  // Opening it once more waits for a lease to end.
  struct statx source_stat_ = {};
  struct statx target_stat_ = {};
  struct statx target_link_stat_ = {};

  ContentsCopy contents_;
  AttributeSetter attributes_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_COPY_H_

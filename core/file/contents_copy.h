// Copies the contents of one regular file to another, both of which are open: the middle
// of a FileCopy, as a state machine without I/O. A clone shares the source's blocks; else
// a BlockPump moves them, after it has been found out how. What concerns one side alone
// is that side's (source_contents.h, target_contents.h); here is what takes both.
//
//   kClone, if it may be cloned ---------------------------------------------> kDone
//     | refused (with old contents in the target: kTruncate, and kClone again)
//     v
//   kCountCached, if it is large, or of more than a block and to be copied at once
//     v
//     +-- no holes --> kPump, many [read -> write] at a time
//     |       |          (shared with a helper: kAwaitHelper)
//     |       +-- as long as the source was ----------------+
//     |       +-- the source has been cut: kSetSize --------+
//     +-- holes -----> kFindData and kFindHole for several pieces, kPump, and again;
//                      in the end kStatEnd and kSetSize ----+
//                                                           v
//                                   kPump, what there is behind that -------> kDone
//
// A source's size is a hint: files grow and are cut while they are copied, and some file
// systems tell too small a size, or none. What is copied ends where a call of pread(2)
// gets nothing. Where the source was cut while several blocks were on their way, the
// target is cut where the first read met the end: what other lanes had read behind it
// does not stay there, with zeros in front of it.
//
// A file that takes less room than its size has holes: those are left out, and become
// holes of the target. Finding them takes ordinary descriptors.
//
// The pieces between holes are found first, as many as the pump takes, and then copied
// together on all lanes: pieces of a block each, on ext4, take 8 us each then, against 62
// us when each is found, copied and awaited alone. Alternatives: small pieces by system
// calls on the ring's thread take 4 to 5 us while all is in memory, but a device would be
// read one piece at a time, with all other files waiting. A chain of several pieces is
// carried out one piece after the other, and ends where one falls short. Finding the next
// pieces while lanes are busy saves no more than many pieces at a time do (3 %, see
// FileSource::kRangesMax), for a state that is two at once.
//
// A large file that is in the page cache is offered to workers that have nothing else to
// do (shared_file.h). They have other rings, so it takes ordinary descriptors, too.
//
// Where nothing is to stay in the page cache, reads and writes say so. With --direct a
// file of more than a block and without holes does not pass through it at all:
//
//   kSetDirect -> kPreallocate -> (kLengthen -> kPump)*, whole pages -> kUnsetDirect
//        | refused (kAskSource)              | not complete                  |
//        v                                   v                               v
//      kPump               kUnsetDirect -> kDiscard -> kPump          kPump, the rest
//
// A large file that is not in the page cache is read that way without being asked, too,
// but written through it. With --iopoll what is read and written with O_DIRECT is polled.
//
// A direct write that makes a file longer waits for all others. So room is set aside
// first, and the target is made longer by many blocks at a time, but never as long as its
// source before all but the last block is written. A file that does not take O_DIRECT, in
// the middle or at an end that has moved meanwhile, is begun anew without it.
//
// Where a file takes less room than its size, but its file system knows nothing of holes
// (NFS before 4.2, CIFS), zeros in it are taken for its holes, as in GNU cp.
//
// Thread-safety: belongs to its FileCopy.

#ifndef RINGCP_CORE_FILE_CONTENTS_COPY_H_
#define RINGCP_CORE_FILE_CONTENTS_COPY_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <array>
#include <cstdint>

#include "absl/types/span.h"
#include "core/base/engine_counters.h"
#include "core/base/file_error.h"
#include "core/file/block_io.h"
#include "core/file/block_pump.h"
#include "core/file/copy_policy.h"
#include "core/file/file_sink.h"
#include "core/file/next_chains.h"
#include "core/file/shared_file.h"
#include "core/file/source_contents.h"
#include "core/file/target_contents.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/op.h"

namespace ringcp {

// What a FileCopy and its ContentsCopy both go by and change.
struct CopyControl {
  bool may_call = false;  // CallsAtOnce::kAll.
  bool at_once = false;   // What comes next is carried out at once.
  // All of the contents are, in order, whether or not they have to be waited for.
  bool only_calls = false;
  bool stopped = false;  // It is to give up as soon as what is in flight has settled.
};

class ContentsCopy {
 public:
  enum class Outcome {
    kRunning,
    kAwaitHelper,  // Waits for Resume(), until a helper has left shared_file().
    kCopied,
    kStopped,  // By CopyControl, or a helper; not all was copied.
    kFailed,   // See failure().
  };

  struct Files {
    FileRef source;
    FileRef target;
    // What the two are on.
    FileSystem* source_file_system = nullptr;
    FileSystem* target_file_system = nullptr;
    bool target_created = false;       // By this copy; else it was there.
    bool target_has_contents = false;  // It was there, and has its contents still:
    uint64_t target_size = 0;          // so many bytes.
    // Whether cloning is to be tried. REQUIRES: ordinary descriptors, if so.
    bool may_clone = false;
    // What the source's directory is on: that a clone was refused is noted by this,
    // because of the next file no more is known before it is open.
    FileSystem* source_found_on = nullptr;
  };

  // REQUIRES: all outlive it; else as for BlockPump.
  ContentsCopy(BlockPool* pool, EngineCounters* counters, CopyControl* control)
      : counters_(counters),
        control_(control),
        block_size_bytes_(pool->block_size_bytes()),
        source_(counters),
        target_(counters),
        pump_(pool, &source_.blocks(), &target_.blocks()) {}

  // Forgets the last file. Of the next one, `policy` and `source_stat` stay as they are
  // from the first of the calls below on; the stat need not be known now.
  void Reset(const FileCopyPolicy* policy, const struct statx* source_stat);

  // Forgets what has been copied of the file, to begin once more with Start().
  void Restart() { Restart(&source_.stat()); }

  // Begins. REQUIRES: nothing has begun since Reset() or Restart().
  void Start(const Files& files, NextChains* next);

  // Takes in the results of the chain of `lane`.
  void Settle(int lane, absl::Span<const int32_t> results, NextChains* next);

  // Goes on if it is kAwaitHelper, and nobody helps any more; it stays so else.
  void Resume(NextChains* next);
  const SharedFile* shared_file() const { return &shared_; }

  Outcome outcome() const { return outcome_; }
  // REQUIRES: kFailed.
  const CopyFailure& failure() const { return failure_; }
  // Whether the target was there and has lost its contents by this copy.
  bool target_emptied() const { return target_.is_emptied(); }
  // Whether room for all of the target was set aside before there was anything in it.
  bool is_preallocated() const { return target_.is_preallocated(); }
  // O_DIRECT is on, of the source or of both files.
  bool is_direct() const { return is_direct_; }
  // The chain that was to be carried out at once was queued instead.
  void NoteQueued() { pump_.NoteQueued(); }
  // How much of what the counters' bytes_done has got is of this file; 0 the next time.
  int64_t TakeCounted();
  // For a FileCopy that reads and writes the one block of a small file itself.
  BlockIo& source_io() { return source_.blocks().io(); }
  FileSink& sink() { return target_.blocks(); }
  // Whether a read or write of the file that was to leave nothing in the page cache was
  // refused.
  bool refused_uncached() const {
    return source_.blocks().io().refused_uncached() ||
           target_.blocks().io().refused_uncached();
  }
  // What the job has learned by this copy, if it did: that the source's file system can't
  // be polled, or the target's.
  std::array<PollRefusal, 2> poll_refusals() const {
    return {source_.blocks().io().poll_refusal(), target_.blocks().io().poll_refusal()};
  }

  // Whether what comes next is a block, to be carried out at once, of a file that may
  // have many.
  bool copies_blocks_at_once() const {
    const bool may_be_endless =
        (source_.size() == 0 || is_behind_) && target_.blocks().bytes_written() > 0;
    return control_->at_once && state_ == State::kPump &&
           (may_be_endless || !may_be_read_at_once());
  }

 private:
  enum class State {
    kClone,
    kTruncate,
    kCountCached,
    kSetDirect,
    kAskSource,
    kPreallocate,
    kLengthen,
    kUnsetDirect,
    kDiscard,
    kFindData,
    kFindHole,
    kPump,
    kAwaitHelper,
    kStatEnd,
    kSetSize,
    kDone,
  };

  // Whether the file may be offered to other workers.
  bool is_large() const;
  // Whether the file is to be copied with O_DIRECT.
  bool wants_direct() const;
  // Whether reading and writing it takes so little time that it may be done at once, if
  // it is in memory, and nothing has to wait for a device.
  bool may_be_read_at_once() const {
    return source_.size() <= block_size_bytes_ && !policy_->leaves_cache();
  }

  void Restart(const struct statx* source_stat);
  void OnClone(int32_t result, NextChains* next);
  void OnTruncate(int32_t result, NextChains* next);
  void CopyBytes(NextChains* next);
  void OnCountCached(int32_t result, NextChains* next);

  // Turns O_DIRECT on or off: of both files, or with reads_direct_ of the source.
  void SwitchDirect(bool on, NextChains* next);
  // Has both sides poll, with O_DIRECT on both files, if that is wanted.
  void PollIfAsked();
  void OnSetDirect(int32_t result, NextChains* next);
  // Finds out which of the two files does not take O_DIRECT, by asking for the source
  // alone.
  void AskSource(NextChains* next);
  void OnSourceAsked(absl::Span<const int32_t> results, NextChains* next);
  void OnPreallocate(int32_t result, NextChains* next);
  // Copies with O_DIRECT from `begin` on.
  void CopyDirect(uint64_t begin, NextChains* next);
  void OnLengthen(int32_t result, NextChains* next);
  void OnUnsetDirect(int32_t result, NextChains* next);
  void OnDiscard(int32_t result, NextChains* next);

  // Copies all of it, of a file with holes its pieces.
  void CopyPieces(NextChains* next);
  // Whether [begin, end) is worth being offered to other workers. It is copied alone
  // then.
  bool is_shareable(uint64_t begin, uint64_t end) const;
  void CopyShared(uint64_t begin, uint64_t end, NextChains* next);
  // Finds the pieces at or behind `offset`, as many as the pump takes, and copies them.
  void FindPieces(uint64_t offset, NextChains* next);
  // Finds the piece that comes next, or copies those found when that is enough.
  void FindPiece(NextChains* next);
  void OnFindData(int32_t result, NextChains* next);
  void OnFindHole(int32_t result, NextChains* next);

  // Has the pump copy [begin, end).
  void CopyRange(uint64_t begin, uint64_t end, NextChains* next);
  // Lets the pump go on; once it has ended, and no helper is left, goes on with what
  // comes next.
  void Pump(NextChains* next);
  void OnPumped(NextChains* next);
  // All that was known of the source is copied: makes the target as long, and goes on
  // with what there is behind it.
  void OnEndReached(NextChains* next);
  void OnStatEnd(int32_t result, NextChains* next);
  void SetTargetSize(uint64_t size, NextChains* next);
  void CopyBehind(uint64_t end, NextChains* next);

  // Gives up what was copied.
  void Discard(NextChains* next);

  void Enter(State state, const Op& op, NextChains* next);
  void Done(Outcome outcome);
  void Fail(const CopyFailure& failure);
  // An op on the target other than a write failed; the user hears of a write.
  void FailToWrite(int32_t result);

  EngineCounters* const counters_;
  CopyControl* const control_;
  const uint32_t block_size_bytes_;

  const FileCopyPolicy* policy_ = nullptr;
  Files files_;

  State state_ = State::kDone;
  Outcome outcome_ = Outcome::kStopped;
  CopyFailure failure_;
  int retries_ = 0;
  bool is_direct_ = false;     // O_DIRECT is on.
  bool reads_direct_ = false;  // ... or to be, of the source alone.
  uint64_t direct_begin_ = 0;  // What is copied with O_DIRECT now.
  uint64_t direct_end_ = 0;
  bool offered_ = false;    // shared_ is, to other workers.
  bool is_behind_ = false;  // What is behind the end that was known is copied.

  SharedFile shared_;
  SourceContents source_;
  TargetContents target_;
  BlockPump pump_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_CONTENTS_COPY_H_

// Copies the contents of one regular file to another, both of which are open: the middle
// of a FileCopy, as a state machine without I/O. If possible the target becomes a clone,
// which shares the source's blocks. Otherwise the copy finds out how the blocks are to be
// moved, and a BlockPump moves them. What concerns one side alone is in source_contents.h
// or target_contents.h; what takes both sides is here.
//
//   kClone, if the file may be cloned ---------------------------------------> kDone
//     | refused (with old contents in the target: kTruncate, and kClone again)
//     v
//   kCopyRange, if a server has both files: pieces, as long as it copies them
//     | refused, or not whole: what is left goes on below
//     v
//   kCountCached, if the file is large, or of more than a block and to be copied at once
//     v
//     +-- no holes --> kPump, many [read -> write] at a time
//     |       |          (shared with a helper: kAwaitHelper)
//     |       +-- the source has its size still ------------+
//     |       +-- the source has been cut: kSetSize --------+
//     +-- holes -----> kFindData and kFindHole for several pieces, kPump, and again;
//                      in the end kStatEnd and kSetSize ----+
//                                                           v
//                                   kPump, what there is behind that -------> kDone
//
// A source's size is a hint: files grow and are cut while they are copied, and some file
// systems tell too small a size, or none. The copy ends where a call of pread(2) reads
// nothing. If the source is cut while several blocks are on their way, the target is cut
// where the first read met the end. Otherwise blocks that other lanes had read behind
// that place would stay in the target, with zeros in front of them.
//
// A file that takes less room than its size has holes. The copy leaves them out, so that
// they become holes of the target. Finding them takes ordinary descriptors.
//
// The copy first finds as many pieces between holes as the pump takes, and then copies
// them together on all lanes. For pieces of one block on ext4 that takes an eighth of the
// time of finding, copying and awaiting each piece alone. Alternatives: System calls on
// the ring's thread are faster still for small pieces while all is in memory, but would
// read a device one piece at a time, with all other files waiting. A chain of several
// pieces is carried out one piece after the other, and ends where one falls short.
// Finding the next pieces while lanes are busy would save about as much as finding many
// together does (see FileSource::kRangesMax), but takes a state that is two states at the
// same time.
//
// A large file that is in the page cache is offered to workers that have nothing else to
// do (shared_file.h). Their rings don't have this ring's slots, so that takes ordinary
// descriptors, too.
//
// If both files are on a server that may copy between them (FileSystemKind), it is asked
// to, so that the contents don't cross the network twice: for files of more than a block,
// piece by piece (server_copy.h), and from a file with holes only the data. Whenever it
// does not copy what it was asked for, blocks are read and written from that place on:
//  - It refuses or fails, whatever the error is. The error does not say whether source or
//    target was the reason, but the read or write of a block does. For some errors no
//    other file is tried (FileSystem::RefusesAllServerCopies()).
//  - It copies nothing. That may be the end of the source, but only a read can prove it:
//    Linux believes a size that may be old, and has given 0 for files that had contents.
// Once a block has been written, the server is not asked again for that file, because
// some kernels (CIFS before Linux 6.7) throw away what the server has not got yet. For
// the same reason what the client still has to write of the source is written first.
//
// The server is only asked with --reflink=auto, as in GNU cp: with `never` the user wants
// blocks of the target's own, and a server may share them. It is not asked if nothing is
// to stay in the page cache, or with --direct: Linux may copy in the place of the server,
// without saying so, and through the page cache.
//
// If nothing is to stay in the page cache, each read and write says so to the kernel. A
// file that has more than one block, and no holes, goes past it with --direct:
//
//   kSetDirect -> kPreallocate -> (kLengthen -> kPump)*, whole pages -> kUnsetDirect
//        | refused (kAskSource)              | not complete                  |
//        v                                   v                               v
//      kPump               kUnsetDirect -> kDiscard -> kPump          kPump, the rest
//
// Without --direct too, a large file that is not in the page cache is read with O_DIRECT,
// but written through the page cache. With --iopoll all direct reads and writes are
// polled.
//
// A direct write that makes a file longer waits for all other writes. So room is set
// aside first, and the target is made longer by many blocks at a time. It gets as long as
// its source only with the last block, so that a target whose copy was killed does not
// look whole. If a read or write with O_DIRECT is refused in the middle of a file, or at
// an end that has moved, the copy begins anew without O_DIRECT.
//
// If a file takes less room than its size, but its file system knows nothing of holes
// (NFS before 4.2, CIFS), zeros in the file are taken for its holes, as in GNU cp.
//
// Thread-safety: belongs to its FileCopy.

#ifndef RINGCP_CORE_FILE_CONTENTS_COPY_H_
#define RINGCP_CORE_FILE_CONTENTS_COPY_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <array>
#include <cstdint>

#include "absl/types/span.h"
#include "core/base/contents_route.h"
#include "core/base/engine_counters.h"
#include "core/base/file_error.h"
#include "core/file/block_io.h"
#include "core/file/block_pump.h"
#include "core/file/contents_pace.h"
#include "core/file/copy_policy.h"
#include "core/file/file_sink.h"
#include "core/file/next_chains.h"
#include "core/file/server_copy.h"
#include "core/file/shared_file.h"
#include "core/file/source_contents.h"
#include "core/file/target_contents.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/op.h"

namespace ringcp {

// What a FileCopy and its ContentsCopy both read and change.
struct CopyControl {
  // What is in the page cache may be copied at once (CallsAtOnce::kAll and kBlocks).
  bool may_call = false;
  bool at_once = false;  // The next chains are carried out at once.
  // All of the contents are copied at once, in order, even if the thread has to wait.
  bool only_calls = false;
  // The copy gives up as soon as the chains in flight have settled.
  bool stopped = false;
};

class ContentsCopy {
 public:
  enum class Outcome {
    kRunning,
    kAwaitHelper,  // Waits for Resume(), until a helper has left shared_file().
    kCopied,
    kStopped,  // By CopyControl or by a helper, before all was copied.
    kFailed,   // See failure().
  };

  struct Files {
    FileRef source;
    FileRef target;
    // What the two files are on.
    FileSystem* source_file_system = nullptr;
    FileSystem* target_file_system = nullptr;
    bool target_created = false;       // By this copy. Otherwise it was there before.
    bool target_has_contents = false;  // It was there, and has its old contents still.
    uint64_t target_size = 0;          // Bytes of old contents.
    // Whether cloning is to be tried. REQUIRES: ordinary descriptors, if so.
    bool may_clone = false;
    // What the source's directory is on. A refused clone is noted for this file system,
    // because nothing else is known about the next file before that is open.
    FileSystem* source_found_on = nullptr;
  };

  // REQUIRES: `counters` and `control` outlive this; `pool`: as for BlockPump.
  ContentsCopy(BlockPool* pool, EngineCounters* counters, CopyControl* control)
      : counters_(counters),
        control_(control),
        block_size_bytes_(pool->block_size_bytes()),
        source_(counters),
        target_(counters),
        pump_(pool, &source_.blocks(), &target_.blocks()),
        pace_(pool->block_size_bytes()) {}

  // Forgets the last file. The next one's stat may be filled in later, but before any of
  // the calls below; from then on `policy` and `source_stat` must not change.
  void Reset(const FileCopyPolicy* policy, const struct statx* source_stat);

  // Forgets what has been copied of the file, to begin once more with Start().
  void Restart() { Restart(&source_.stat()); }

  // Begins. REQUIRES: nothing has begun since Reset() or Restart().
  void Start(const Files& files, NextChains* next);

  // Takes in the results of the chain of `lane`.
  void Settle(int lane, absl::Span<const int32_t> results, NextChains* next);

  // Goes on with a copy that is kAwaitHelper, unless somebody is still helping.
  void Resume(NextChains* next);
  const SharedFile* shared_file() const { return &shared_; }

  Outcome outcome() const { return outcome_; }
  // REQUIRES: kFailed.
  const CopyFailure& failure() const { return failure_; }
  // How the contents came to be, as far as that is known.
  ContentsRoute route() const;
  // Whether this copy has removed the target's old contents.
  bool target_emptied() const { return target_.is_emptied(); }
  // Whether room for all of the target was set aside while it was empty.
  bool is_preallocated() const { return target_.is_preallocated(); }
  // Whether O_DIRECT is on, for the source or for both files.
  bool is_direct() const { return is_direct_; }
  // The chain that was to be carried out at once was queued instead.
  void NoteQueued() { pump_.NoteQueued(); }
  // How many bytes of this file have been added to the counters' bytes_done since the
  // last call.
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
  // The refusals, if this copy was the first of the job to find that the source's file
  // system, or the target's, can't be polled.
  std::array<PollRefusal, 2> poll_refusals() const {
    return {source_.blocks().io().poll_refusal(), target_.blocks().io().poll_refusal()};
  }

  // Whether the next chain copies, at once, a block of a file that may have many blocks.
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
    kCopyRange,
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
  // Whether zeros are left out wherever they are (--sparse=always).
  bool skips_all_zeros() const;
  // Whether the user wants the file to be copied with O_DIRECT.
  bool wants_direct() const;
  // Whether the file is so small that its blocks may be copied at once without looking
  // whether they are in memory, and no write has to wait for a device.
  bool may_be_read_at_once() const {
    return source_.size() <= block_size_bytes_ && !policy_->leaves_cache();
  }

  void Restart(const struct statx* source_stat);
  void OnClone(int32_t result, NextChains* next);
  void OnTruncate(int32_t result, NextChains* next);
  // Has the server copy, or copies blocks.
  void CopyBytes(NextChains* next);

  // Whether the server may be asked to copy this file.
  bool may_copy_on_server() const;
  bool server_has_copied() const { return route_.server == ContentsRoute::Means::kYes; }
  // Has the server copy [begin, end).
  void CopyOnServer(uint64_t begin, uint64_t end, NextChains* next);
  void AskServer(NextChains* next);
  void OnCopyRange(absl::Span<const int32_t> results, NextChains* next);
  // Copies blocks from where the server has stopped.
  void LeaveServer(NextChains* next);

  void CopyBlocks(NextChains* next);
  void OnCountCached(int32_t result, NextChains* next);

  // Turns O_DIRECT on or off, for both files, or with reads_direct_ for the source alone.
  void SwitchDirect(bool on, NextChains* next);
  // The end of what O_DIRECT can copy: the size, rounded down to what both files' offsets
  // must be multiples of.
  uint64_t WholeDirectEnd() const;
  // Has both sides poll, if that is wanted and both devices can.
  void PollIfAsked();
  void OnSetDirect(int32_t result, NextChains* next);
  // Finds out which of the two files does not take O_DIRECT, by trying the source alone.
  void AskSource(NextChains* next);
  void OnSourceAsked(absl::Span<const int32_t> results, NextChains* next);
  void OnPreallocate(int32_t result, NextChains* next);
  // Copies with O_DIRECT from `begin` on.
  void CopyDirect(uint64_t begin, NextChains* next);
  void OnLengthen(int32_t result, NextChains* next);
  void OnUnsetDirect(int32_t result, NextChains* next);
  void OnDiscard(int32_t result, NextChains* next);

  // Copies the whole file or, if it has holes, its pieces.
  void CopyPieces(NextChains* next);
  // Whether [begin, end) is worth being offered to other workers. Such a piece is copied
  // apart from other pieces.
  bool is_shareable(uint64_t begin, uint64_t end) const;
  void CopyShared(uint64_t begin, uint64_t end, NextChains* next);
  // Finds the pieces at or behind `offset`, as many as the pump takes, and copies them.
  void FindPieces(uint64_t offset, NextChains* next);
  // Finds the next piece, or copies those found, if they are enough.
  void FindPiece(NextChains* next);
  void OnFindData(int32_t result, NextChains* next);
  void OnFindHole(int32_t result, NextChains* next);

  // Has the pump copy [begin, end).
  void CopyRange(uint64_t begin, uint64_t end, NextChains* next);
  // Lets the pump go on. Once it has ended and no helper is left, goes on to the next
  // state.
  void Pump(NextChains* next);
  void OnPumped(NextChains* next);
  // All that was known of the source is copied. Gives the target the same size, and goes
  // on with what there is behind it.
  void OnEndReached(NextChains* next);
  void OnStatEnd(int32_t result, NextChains* next);
  void SetTargetSize(uint64_t size, NextChains* next);
  void CopyBehind(uint64_t end, NextChains* next);

  // Throws away what was copied.
  void Discard(NextChains* next);

  void Enter(State state, const Op& op, NextChains* next);
  void Done(Outcome outcome);
  void Fail(const CopyFailure& failure);
  // An op on the target failed. Whichever it was, the user is told that a write failed.
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
  bool is_direct_ = false;           // O_DIRECT is on.
  bool reads_direct_ = false;        // O_DIRECT is, or will be, on for the source alone.
  struct statx direct_target_ = {};  // The target's stat when O_DIRECT was turned on.
  uint64_t direct_begin_ = 0;        // [begin, end) is copied with O_DIRECT now.
  uint64_t direct_end_ = 0;
  bool is_on_server_ = false;  // The server copies the file.
  ContentsRoute route_;
  bool offered_ = false;    // shared_ is offered to other workers.
  bool is_behind_ = false;  // Now comes what is behind the end that was known.

  SharedFile shared_;
  SourceContents source_;
  TargetContents target_;
  BlockPump pump_;
  ContentsPace pace_;
  ServerCopy server_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_CONTENTS_COPY_H_

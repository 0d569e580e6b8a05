// The source of a BlockPump that is a file: which bytes come next, how they are read,
// what a read's result means, and where the file has been found to end. It knows nothing
// of where they go, and does no I/O itself.
//
// The bytes are those of one range of the file, of several ranges one behind the other,
// or of a SharedFile, which another worker's source takes blocks of as well.
//
// The end of a range is a hint: a file may be longer or shorter by now. Where a read of
// several lanes meets the end of a file that has been cut, other lanes may have copied
// what was behind it: end_offset() says where the source ends, and the pump's owner cuts
// the target there. A file without a known end is read in order until a read gets
// nothing; since a ring may say so without asking the file system (at and beyond the size
// that it tells, Linux 6.18), that is confirmed by a call of pread(2).
//
// Thread-safety: belongs to its worker.

#ifndef RINGCP_CORE_FILE_FILE_SOURCE_H_
#define RINGCP_CORE_FILE_FILE_SOURCE_H_

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/base/engine_counters.h"
#include "core/base/file_error.h"
#include "core/file/block.h"
#include "core/file/block_io.h"
#include "core/file/next_chains.h"
#include "core/file/shared_file.h"
#include "core/kernel/op.h"

namespace ringcp {

class FileSource {
 public:
  // The end of a source that tells no size: it is read until there is nothing more.
  static constexpr uint64_t kEndUnknown = ~uint64_t{0};

  // Ranges that are added before they are copied. Before the next ones are, all lanes run
  // dry, so it should not happen often: with ranges of 4 KiB, each took 10.2 us with 16
  // of them, 8.0 us with 64, 7.8 us with 256.
  static constexpr int kRangesMax = 64;

  // REQUIRES: `counters` outlives the source.
  explicit FileSource(EngineCounters* counters)
      : counters_(counters), io_(Operation::kRead, counters) {}

  // The file that is read from now on.
  void SetFile(FileRef file) { file_ = file; }
  // How it is read.
  BlockIo& io() { return io_; }
  const BlockIo& io() const { return io_; }
  // From the next read on: a ring that reads nothing is believed to have met the end of
  // the file. Else a call has to say so.
  void SetBelievesRing(bool believes_ring) { believes_ring_ = believes_ring; }

  // Begins with [begin, end) of the file. REQUIRES: none of its blocks is on its way.
  void Start(uint64_t begin, uint64_t end);
  // Begins with what there may be behind the end that was known: from `begin` on, read by
  // calls, unless the ring is believed. REQUIRES: as Start().
  void StartBehind(uint64_t begin);
  // Begins with blocks of `file`, which outlives the source or its next Start().
  void Start(SharedFile* file);
  // Has [begin, end) follow all that was added before.
  // REQUIRES: started with an end that is known; may_add(); begin < end.
  void Add(uint64_t begin, uint64_t end);
  bool may_add() const { return ranges_added_ < kRangesMax; }

  // The file of which another worker takes blocks as well; nullptr: there is none.
  SharedFile* shared_file() const { return shared_; }

  // --- For the pump ---

  // How many blocks may be on their way.
  int lanes_max() const {
    // Where the next block starts is not known before this one has been read.
    if (end_ == kEndUnknown) return 1;
    return shared_ != nullptr ? std::min(shared_->lanes_max(), kLanesMax) : kLanesMax;
  }
  // Whether there is nothing more to take.
  bool exhausted() const {
    if (shared_ != nullptr) return shared_->exhausted();
    return end_found_ || (next_offset_ >= end_ && ranges_begun_ == ranges_added_);
  }
  // Has `block` carry the next bytes, `length_max` at most; false: there are none.
  // REQUIRES: !exhausted().
  bool Take(uint32_t length_max, Block* block);
  // Has a block that is written carry what of its bytes has not been read; false: there
  // is nothing left.
  bool TakeRest(Block* block) const {
    // Of a file without a known end the next block is the rest.
    if (end_ == kEndUnknown || block->filled == block->length) return false;
    block->offset += block->filled;
    block->length -= block->filled;
    block->filled = block->written = 0;
    return true;
  }
  // Whether a read is likely to fill the block, so that a write of all of it can be
  // linked to it.
  bool fills_blocks() const { return end_ != kEndUnknown; }
  // Reads what the block carries. `by_call`: it is going to be carried out by a call.
  Op Read(bool by_call, Block* block) const;
  // Takes in the result. kDone: the block has bytes to be written.
  BlockResult OnRead(int32_t result, Block* block) {
    const BlockResult outcome = io_.Settle(result, block->read, block);
    if (outcome.kind != BlockResult::Kind::kDone) return outcome;
    if (result == 0) return OnNothingRead(block);
    block->confirms_end = false;
    block->filled = result;
    block->written = 0;
    if (end_ == kEndUnknown) {
      next_offset_ = block->offset + block->filled;
    } else if (block->filled < block->read.asked_bytes) {
      counters_->short_reads.Add(1);
    }
    return outcome;
  }

  // Whether the source ended earlier than asked, or at an end that was not known.
  bool end_found() const {
    return shared_ != nullptr ? shared_->end_found() : end_found_;
  }
  // The first place where a read found the end. REQUIRES: end_found().
  uint64_t end_offset() const {
    return shared_ != nullptr ? shared_->end_offset() : end_offset_;
  }

 private:
  struct Range {
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  BlockResult OnNothingRead(Block* block);

  EngineCounters* const counters_;
  BlockIo io_;
  FileRef file_;
  SharedFile* shared_ = nullptr;  // Then the range and its end are there.
  uint64_t end_ = 0;
  uint64_t next_offset_ = 0;              // The first byte before end_ not taken.
  std::array<Range, kRangesMax> ranges_;  // What comes behind.
  int ranges_added_ = 0;
  int ranges_begun_ = 0;
  bool reads_by_calls_ = false;
  bool believes_ring_ = false;
  bool end_found_ = false;  // A read returned 0.
  uint64_t end_offset_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_FILE_SOURCE_H_

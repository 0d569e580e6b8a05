// The source of a BlockPump, if that is a file. It decides which bytes are read next,
// judges the results of reads, and knows where a read has found the end of the file. It
// does not know where the bytes go, and does no I/O itself.
//
// It reads one range of the file, several ranges in order, or blocks of a SharedFile,
// from which another worker's source takes blocks as well.
//
// The end of a range is only a hint, because the file may have become longer or shorter.
// If the file has been truncated and one lane meets the new end, other lanes may already
// have copied what was behind it. end_offset() then says where the source ends, and the
// pump's owner truncates the target there. A file without a known end is read in order
// until a read gets nothing. A ring may say that without asking the file system (for
// offsets at or beyond the size that the file system tells, Linux 6.18), so a call of
// pread(2) confirms it.
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
  // The end of a source whose size is not known: it is read until a read gets nothing.
  static constexpr uint64_t kEndUnknown = ~uint64_t{0};

  // The most ranges that are added before they are copied. All lanes run dry before the
  // next ranges are added, so that should not happen often: with 16 of them, each range
  // of 4 KiB took 1.28 times as long as with 64; 256 are hardly faster (BENCHMARKS.md,
  // "Ways to copy a large file").
  static constexpr int kRangesMax = 64;

  // REQUIRES: `counters` outlives the source.
  explicit FileSource(EngineCounters* counters)
      : counters_(counters), io_(Operation::kRead, counters) {}

  // Sets the file that is read from now on.
  void SetFile(FileRef file) { file_ = file; }
  // How the file is read.
  BlockIo& io() { return io_; }
  const BlockIo& io() const { return io_; }
  // Sets whether, from the next read on, a ring's read that gets nothing proves the end
  // of the file. Otherwise a system call has to confirm the end.
  void SetBelievesRing(bool believes_ring) { believes_ring_ = believes_ring; }

  // Begins with the bytes [begin, end) of the file.
  // REQUIRES: none of the source's blocks is on its way.
  void Start(uint64_t begin, uint64_t end);
  // Begins with the bytes that the file may have behind its known end, which is `begin`.
  // They are read by system calls, unless the ring is believed. REQUIRES: as Start().
  void StartBehind(uint64_t begin);
  // Begins with blocks of `file`. REQUIRES: `file` stays valid until the next Start() or
  // the end of the source.
  void Start(SharedFile* file);
  // Adds the range [begin, end), to be read after all ranges that were added before.
  // REQUIRES: started with an end that is known; may_add(); begin < end.
  void Add(uint64_t begin, uint64_t end);
  bool may_add() const { return ranges_added_ < kRangesMax; }

  // The shared file that the blocks are taken from; nullptr if there is none.
  SharedFile* shared_file() const { return shared_; }

  // --- For the pump ---

  // How many blocks may be on their way.
  int lanes_max() const {
    // A block's read has to end before it is known where the next block begins.
    if (end_ == kEndUnknown) return 1;
    return shared_ != nullptr ? std::min(shared_->lanes_max(), kLanesMax) : kLanesMax;
  }
  // Whether there are no more blocks to take.
  bool exhausted() const {
    if (shared_ != nullptr) return shared_->exhausted();
    return end_found_ || (next_offset_ >= end_ && ranges_begun_ == ranges_added_);
  }
  // How many bytes the next block could carry, however large; as many as can be if other
  // workers take blocks as well. REQUIRES: !exhausted().
  uint64_t next_length() const {
    if (shared_ != nullptr) return kEndUnknown;
    if (next_offset_ < end_) return end_ - next_offset_;
    return ranges_[ranges_begun_].end - ranges_[ranges_begun_].begin;
  }
  // Gives `block` the next bytes to carry, at most `length_max`; false if there are none.
  // REQUIRES: !exhausted().
  bool Take(uint32_t length_max, Block* block);
  // After a short read: once a block is written, gives it those of its bytes to carry
  // that were not read; false if all were.
  bool TakeRest(Block* block) const {
    // In a file without a known end the next block begins where this read has ended.
    if (end_ == kEndUnknown || block->filled == block->length) return false;
    block->offset += block->filled;
    block->length -= block->filled;
    block->filled = block->written = 0;
    return true;
  }
  // Whether a read is likely to fill its block, so that a write of the whole block can be
  // chained to it.
  bool fills_blocks() const { return end_ != kEndUnknown; }
  // The op that reads the block's bytes. `by_call`: a system call will carry it out.
  Op Read(bool by_call, Block* block) const;
  // Takes in the result of a read. After kDone the block has bytes to write.
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

  // Whether a read found the end of the source: before the end that Start() was given, or
  // where no end was known.
  bool end_found() const {
    return shared_ != nullptr ? shared_->end_found() : end_found_;
  }
  // The smallest offset at which a read found the end. REQUIRES: end_found().
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
  SharedFile* shared_ = nullptr;  // If set, it keeps the range and the end.
  uint64_t end_ = 0;
  uint64_t next_offset_ = 0;              // The first byte not taken, if before end_.
  std::array<Range, kRangesMax> ranges_;  // The ranges that were added.
  int ranges_added_ = 0;
  int ranges_begun_ = 0;
  bool reads_by_calls_ = false;
  bool believes_ring_ = false;
  bool end_found_ = false;  // A read returned 0.
  uint64_t end_offset_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_FILE_SOURCE_H_

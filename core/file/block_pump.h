// Moves the contents of one file, block by block: which reads and writes come next, given
// the results of those before. Part of a FileCopy, or a helper's; does no I/O itself.
//
// A block is copied by a linked [read -> write] of the same length, several at a time,
// each on a lane of its own. What falls short is continued: a short read's bytes are
// written and the rest of the block is read again (0 bytes: the file ends there), a short
// write's rest is written again.
//
// Polled reads and writes are chains of their own. io_uring could link them, but on a
// ring that polls the kernel does not break a link when a read fails at the device or
// falls short (seen with Linux 6.1 and 6.12): the write would put into the target what
// the buffer had before. There a short read may also tell less than it has read, or 0 as
// at the end of the file: then the rest is read once more, or the file begun anew. A
// polled op that fails is tried again without, and what that comes to counts.
//
// The end of a range is a hint: a file may be longer or shorter by now. Where a read of
// several lanes meets the end of a file that has been cut, other lanes may have copied
// what was behind it: end_offset() says where the source ends, and the caller cuts the
// target there. A file without a known end is read until a read gets nothing; since a
// ring may say so without asking the file system (at and beyond the size that it tells,
// Linux 6.18), that is confirmed by a call of pread(2).
//
// Of files whose holes their file system does not know, zeros are not written but left
// out (SetSkipsZeros()).
//
// The blocks are those of one range of the source, of several ranges one behind the
// other, or of a SharedFile, which another worker's pump takes blocks of as well.
//
// Thread-safety: belongs to its worker.
// Ownership: borrows the pool; the blocks it took go back when a lane becomes idle.

#ifndef RINGCP_CORE_FILE_BLOCK_PUMP_H_
#define RINGCP_CORE_FILE_BLOCK_PUMP_H_

#include <array>
#include <cstdint>
#include <utility>

#include "absl/types/span.h"
#include "core/base/engine_counters.h"
#include "core/base/file_error.h"
#include "core/file/next_chains.h"
#include "core/file/shared_file.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/op.h"

namespace ringcp {

// That a read or write could not be polled, and why.
struct PollRefusal {
  Operation operation = Operation::kRead;  // Or kWrite.
  int error_number = 0;                    // 0: none was refused.
};

class BlockPump {
 public:
  // REQUIRES: both outlive the pump.
  BlockPump(BlockPool* pool, EngineCounters* counters)
      : pool_(pool), counters_(counters) {}
  ~BlockPump();
  BlockPump(const BlockPump&) = delete;
  BlockPump& operator=(const BlockPump&) = delete;

  // The end of a source that tells no size: it is read until there is nothing more.
  static constexpr uint64_t kEndUnknown = ~uint64_t{0};

  // Zeros that are left out are whole pages: a smaller hole saves nothing.
  static constexpr uint32_t kZerosBytes = 4096;

  // Ranges that are added before they are copied. Before the next ones are, all lanes run
  // dry, so it should not happen often: with ranges of 4 KiB, each took 10.2 us with 16
  // of them, 8.0 us with 64, 7.8 us with 256.
  static constexpr int kRangesMax = 64;

  // From the next read and write on: copies between files on these two, which learn what
  // they refuse and outlive the pump. With `is_uncached` it leaves nothing in the page
  // cache where they can. REQUIRES: they are set if it is to be so.
  void SetFileSystems(FileSystem* source, FileSystem* target, bool is_uncached) {
    source_file_system_ = source;
    target_file_system_ = target;
    reads_uncached_ = writes_uncached_ = is_uncached;
    refused_uncached_ = false;
    polled_length_ = 0;
    poll_refusal_ = PollRefusal();
  }
  // Whether it could not be so for a read or write since then.
  bool refused_uncached() const { return refused_uncached_; }

  // From the next read and write on: polls up to so many bytes each, which is a refusal
  // where they are 0. O_DIRECT is on both files until EndPolling().
  // REQUIRES: SetFileSystems() with some.
  void BeginPolling(uint32_t read_length_max, uint32_t write_length_max);
  void EndPolling() { polled_length_ = 0; }
  // What the job has learned by this pump since SetFileSystems(), if it did: that one of
  // the two file systems can't be polled.
  const PollRefusal& poll_refusal() const { return poll_refusal_; }

  // From the next block on: one at a time, as for calls at once; or as many as there are
  // lanes.
  void SetOneLane(bool one_lane) { one_lane_ = one_lane; }

  // Prepares to copy [begin, end) of the source. REQUIRES: busy() is false.
  void Start(uint64_t begin, uint64_t end);
  // Prepares to copy what there may be behind the end that was known: from `begin` on,
  // read by calls, unless the ring is believed. REQUIRES: busy() is false.
  void StartBehind(uint64_t begin);
  // Prepares to copy [begin, end) as well, after all that was added before.
  // REQUIRES: started with an end that is known; may_add(); begin < end.
  void Add(uint64_t begin, uint64_t end);
  bool may_add() const { return ranges_added_ < kRangesMax; }
  // Prepares to copy blocks of `file`, which outlives the pump or its next Start().
  void Start(SharedFile* file);

  // From the next read on: a ring that reads nothing is believed to have met the end of
  // the file. Else a call has to say so.
  void SetBelievesRing(bool believes_ring) { believes_ring_ = believes_ring; }

  // From the next block on: whole pages of zeros are not written. The target has nothing
  // where they would be, and the caller sees to its size.
  void SetSkipsZeros(bool skips_zeros) { skips_zeros_ = skips_zeros; }

  // Queues a chain on every lane that can do something: one lane always, more as the pool
  // lends blocks.
  void Advance(FileRef source, FileRef target, NextChains* next);

  // Takes in the results of the read and the write of `lane` (of the one that was
  // queued, if only one was: the other is ignored).
  void Settle(int lane, int32_t read_result, int32_t write_result);

  // Gives up: queues nothing more. Lanes in flight still have to settle.
  void Stop();

  // Whether any lane is in flight.
  bool busy() const { return lanes_in_flight_ > 0; }
  // All that was to be copied is in the target; with a shared file, if nobody else has
  // blocks on their way.
  bool complete() const;
  // Bytes written since Start(), without those of a shared file.
  uint64_t bytes_written() const { return bytes_written_; }
  // What this pump has added to the counters' bytes_done since it was asked last, but for
  // shared files' blocks.
  int64_t TakeCounted() { return std::exchange(bytes_counted_, 0); }
  // Whether the source ended earlier than asked, or at an end that was not known.
  bool end_found() const {
    return shared_ != nullptr ? shared_->end_found() : end_found_;
  }
  // The first place where a read found the end. REQUIRES: end_found().
  uint64_t end_offset() const {
    return shared_ != nullptr ? shared_->end_offset() : end_offset_;
  }
  // The first read or write that failed, if any did; of a shared file, whosever.
  bool failed() const { return error_number() != 0; }
  Operation failed_operation() const {
    return shared_ != nullptr ? shared_->failed_operation() : failed_operation_;
  }
  int error_number() const {
    return shared_ != nullptr ? shared_->error_number() : error_number_;
  }

 private:
  enum class LaneState {
    kIdle,       // No block.
    kReadWrite,  // To read the rest of the block and write it, linked.
    kRead,       // To read only: polled, or how much will come is not known.
    kWrite,      // To write what is in the buffer and not written yet.
  };

  // One block: [offset, offset + length) of the file, of which `filled` bytes are in the
  // buffer and `written` of those in the target.
  struct Lane {
    LaneState state = LaneState::kIdle;
    bool in_flight = false;
    bool buffer_is_extra = false;
    char* buffer = nullptr;
    uint64_t offset = 0;
    uint32_t length = 0;
    uint32_t filled = 0;
    uint32_t written = 0;
    int retries = 0;
    uint32_t asked = 0;         // Bytes of its last read or write.
    bool read_by_call = false;  // So what it says of the end is to be believed.
    bool confirms_end = false;  // Its last read got nothing: it is repeated by a call.
    // Whether its last read and write were to leave nothing in the page cache.
    bool read_uncached = false;
    bool write_uncached = false;
    bool polled = false;  // Its last read or write was.
    int poll_error = 0;   // What its last one failed with, if that was polled.
  };

  struct Range {
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  bool nothing_left() const {
    if (shared_ != nullptr) return shared_->exhausted();
    return end_found_ || (next_offset_ >= end_ && ranges_begun_ == ranges_added_);
  }
  int lanes_max() const;
  // Whether the lane's next read or write is to be polled.
  bool polls(const Lane& lane) const {
    return polled_length_ > 0 && lane.poll_error == 0 &&
           !source_file_system_->refuses_polling() &&
           !target_file_system_->refuses_polling();
  }
  Op Read(FileRef source, Lane* lane) const;
  // Of the lane's block, the bytes [begin, end).
  Op Write(FileRef target, uint32_t begin, uint32_t end, Lane* lane) const;
  // Gives an idle lane the next block; false when there is none or no buffer for it.
  bool TakeBlock(Lane* lane);
  // Takes the next `length_max` bytes at most; 0 when there are none.
  uint32_t TakeRange(uint32_t length_max, uint64_t* offset);
  void DropBlocks();
  void NotePollRefusal(Operation operation, int error_number);
  // Takes in what polling has to do with a read's or write's result.
  void OnPolled(Lane* lane, Operation operation, int32_t result);
  void OnRead(Lane* lane, int32_t result);
  void OnWrite(Lane* lane, int32_t result);
  // Counts what is left out of the lane's block from its first byte not written on.
  void SkipZeros(Lane* lane);
  // Counts bytes that the target has now.
  void Count(int64_t bytes);
  // Where the bytes to be written next end.
  uint32_t WriteEnd(const Lane& lane) const;
  void OnBlockWritten(Lane* lane);
  void Release(Lane* lane);
  void Fail(Lane* lane, Operation operation, int error_number);

  BlockPool* const pool_;
  EngineCounters* const counters_;
  FileSystem* source_file_system_ = nullptr;
  FileSystem* target_file_system_ = nullptr;
  bool reads_uncached_ = false;
  bool writes_uncached_ = false;
  bool refused_uncached_ = false;
  PollRefusal poll_refusal_;
  uint32_t polled_length_ = 0;    // 0: nothing is polled.
  SharedFile* shared_ = nullptr;  // Then the range and the outcome are there.
  uint64_t end_ = 0;
  uint64_t bytes_written_ = 0;
  int64_t bytes_counted_ = 0;
  uint64_t next_offset_ = 0;  // The first byte before end_ that no lane has taken.
  std::array<Range, kRangesMax> ranges_;  // What comes behind.
  int ranges_added_ = 0;
  int ranges_begun_ = 0;
  bool one_lane_ = false;
  bool reads_by_calls_ = false;
  bool believes_ring_ = false;
  bool skips_zeros_ = false;
  bool end_found_ = false;  // A read returned 0.
  uint64_t end_offset_ = 0;
  bool stopped_ = false;
  bool block_dropped_ = false;  // Of a block that was begun, something is missing.
  int lanes_in_flight_ = 0;
  int lanes_with_block_ = 0;
  bool own_block_taken_ = false;
  Operation failed_operation_ = Operation::kRead;
  int error_number_ = 0;
  std::array<Lane, kLanesMax> lanes_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_BLOCK_PUMP_H_

// Moves contents block by block from a source to a sink: takes blocks from the source on
// several lanes, has each read and then written, and tells how it ended. Part of a
// FileCopy, or a helper's; does no I/O itself.
//
// The source (file_source.h) says which bytes come next and what a read's result means,
// the sink (file_sink.h) what is written and what a write's result means. The pump has
// the lanes: the block on its way, its buffer, and whose turn it is. Neither side knows
// of the other, so that one of them may be something else than a file some day.
//
// Both being files, a block is copied by a linked [read -> write] of the same length.
// What falls short is continued: a short read's bytes are written and the rest of the
// block is read again (0 bytes: the file ends there), a short write's rest is written
// again. Where it is not certain that the read fills the block, or the sink wants to see
// what is in it, the two are chains of their own.
//
// So are polled reads and writes. io_uring could link them, but on a ring that polls the
// kernel does not break a link when a read fails at the device or falls short (seen with
// Linux 6.1 and 6.12): the write would put into the target what the buffer had before.
// There a short read may also tell less than it has read, or 0 as at the end of the file:
// then the rest is read once more, or the file begun anew.
//
// Thread-safety: belongs to its worker.
// Ownership: borrows the pool; the blocks it took go back when a lane becomes idle.

#ifndef RINGCP_CORE_FILE_BLOCK_PUMP_H_
#define RINGCP_CORE_FILE_BLOCK_PUMP_H_

#include <array>
#include <cstdint>

#include "core/base/file_error.h"
#include "core/file/block.h"
#include "core/file/file_sink.h"
#include "core/file/file_source.h"
#include "core/file/next_chains.h"
#include "core/file/shared_file.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/op.h"

namespace ringcp {

class BlockPump {
 public:
  // REQUIRES: all outlive the pump.
  BlockPump(BlockPool* pool, FileSource* source, FileSink* sink)
      : pool_(pool), source_(source), sink_(sink) {}
  ~BlockPump();
  BlockPump(const BlockPump&) = delete;
  BlockPump& operator=(const BlockPump&) = delete;

  // From the next block on: one at a time, as for calls at once; or as many as there are
  // lanes.
  void SetOneLane(bool one_lane) { one_lane_ = one_lane; }

  // Prepares to copy what the source was started with, just before.
  // REQUIRES: busy() is false.
  void Start();

  // Queues a chain on every lane that can do something: one lane always, more as the pool
  // lends blocks.
  void Advance(NextChains* next);

  // What was to be carried out by calls is carried out by a ring instead, whose word
  // about the end of a file counts less.
  void NoteQueued() {
    for (Lane& lane : lanes_) {
      if (lane.in_flight) lane.block.end_is_believed = false;
    }
  }

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
    kIdle,   // No block.
    kRead,   // To read the block, or what is left of it, and write it if it is linked.
    kWrite,  // To write what is in the buffer and not written yet.
  };

  struct Lane {
    LaneState state = LaneState::kIdle;
    bool in_flight = false;
    bool is_linked = false;  // A write of all of the block is behind its last read.
    bool buffer_is_extra = false;
    Block block;
  };

  int lanes_max() const { return one_lane_ ? 1 : source_->lanes_max(); }
  // Gives an idle lane the next block; false when there is none or no buffer for it.
  bool TakeBlock(Lane* lane);
  void DropBlocks();
  void AddOps(Lane* lane, Chain* chain) const;
  void OnRead(Lane* lane, int32_t result);
  void OnWrite(Lane* lane, int32_t result);
  void OnBlockWritten(Lane* lane);
  void Release(Lane* lane);
  void Fail(Lane* lane, Operation operation, int error_number);

  BlockPool* const pool_;
  FileSource* const source_;
  FileSink* const sink_;
  SharedFile* shared_ = nullptr;  // Then the outcome is there.
  bool one_lane_ = false;
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

// Moves contents block by block from a source to a sink. The pump takes blocks from the
// source on several lanes, has each block read and then written, and knows how the whole
// ended. It is part of a FileCopy, or belongs to a worker that helps with another
// worker's file. It does no I/O itself.
//
// The source (file_source.h) knows which bytes come next and what a read's result means.
// The sink (file_sink.h) knows what is written and what a write's result means. The pump
// owns the lanes: each has a block on its way, that block's buffer, and whether it is to
// be read or written next. The two sides do not know each other, so that one of them may
// be something other than a file some day.
//
// Usually a block is copied by one chain, [read -> write], of the same length. After a
// short read its bytes are written and the rest of the block is read (if that gets 0
// bytes, the file ends there). After a short write the rest is written. If the read may
// not fill the block, or if the sink has to see the block's contents first, read and
// write are separate chains.
//
// Polled reads and writes are separate chains, too. io_uring could link their SQEs, but
// on a polling ring the kernel does not break the link when a read fails at the device or
// falls short (seen with Linux 6.1 and 6.12), so the write would put the buffer's old
// contents into the target. On such a ring a short read may also report fewer bytes than
// it has read, or 0 bytes as if at the end of the file. The copy then reads the rest
// again, or begins the file anew.
//
// Thread-safety: belongs to its worker.
// Ownership: borrows the pool; a lane gives its block back when it becomes idle.

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
  // Blocks of the pool that a large block consists of: 1 MiB in all, the most that NFS
  // and FUSE ask for in one request.
  static constexpr int kLargeBlock = 4;
  // Lanes that go on, one reading and one writing, while others wait for a large block.
  static constexpr int kLanesBesideLarge = 2;
  // Extra blocks of the pool from which on large blocks are taken: two.
  static constexpr int kExtraForLargeMin = kLanesBesideLarge * kLargeBlock;

  // REQUIRES: all three outlive the pump.
  BlockPump(BlockPool* pool, FileSource* source, FileSink* sink)
      : pool_(pool), source_(source), sink_(sink) {}
  ~BlockPump();
  BlockPump(const BlockPump&) = delete;
  BlockPump& operator=(const BlockPump&) = delete;

  // From the next block on, sets whether the pump uses one lane only, because the chains
  // are carried out at once, or as many lanes as the source permits.
  void SetOneLane(bool one_lane) { one_lane_ = one_lane; }
  // From the next block on, sets whether blocks are kLargeBlock times as long, where the
  // pool can lend so many side by side. A pool that could not do so for two lanes keeps
  // its many lanes instead.
  void SetLargeBlocks(bool large_blocks) {
    large_blocks_ = large_blocks && pool_->extra() >= kExtraForLargeMin;
  }

  // Prepares to copy the bytes that the source was started with just before.
  // REQUIRES: busy() is false.
  void Start();

  // Adds a chain to `next` for every lane that can do something. One lane always has a
  // block; how many more there are depends on the blocks that the pool lends.
  void Advance(NextChains* next);

  // The chains in flight were meant for system calls, but are queued on a ring instead.
  // So a read that gets nothing no longer proves the end of the file (file_source.h).
  void NoteQueued() {
    for (Lane& lane : lanes_) {
      if (lane.in_flight) lane.block.end_is_believed = false;
    }
  }

  // Takes in the results of the read and the write of `lane`. If the lane's chain had
  // only one of the two, the other result is ignored.
  void Settle(int lane, int32_t read_result, int32_t write_result);

  // Gives up: the pump adds no more chains. Lanes in flight still have to settle.
  void Stop();

  // Whether any lane is in flight.
  bool busy() const { return lanes_in_flight_ > 0; }
  // Whether all the bytes to be copied are in the target. For a shared file that holds
  // only if no other worker has blocks on their way.
  bool complete() const;
  // Whether a read or write has failed, and which one did first. For a shared file the
  // failures of all its workers count.
  bool failed() const { return error_number() != 0; }
  Operation failed_operation() const {
    return shared_ != nullptr ? shared_->failed_operation() : failed_operation_;
  }
  int error_number() const {
    return shared_ != nullptr ? shared_->error_number() : error_number_;
  }

 private:
  enum class LaneState {
    kIdle,   // Has no block.
    kRead,   // Reads the block, or its rest; the same chain may write it.
    kWrite,  // Writes those bytes of the buffer that are not written yet.
  };

  struct Lane {
    LaneState state = LaneState::kIdle;
    bool in_flight = false;
    bool is_linked = false;  // The last read's chain also writes the whole block.
    int extra_blocks = 0;  // Of the pool, that the buffer consists of; 0: the copy's own.
    Block block;
  };

  int lanes_max() const { return one_lane_ ? 1 : source_->lanes_max(); }
  // Gives an idle lane the next block; false if there is no block or no buffer for it.
  bool TakeBlock(Lane* lane);
  bool may_take_large_block() const;
  bool TakeBuffer(Lane* lane);
  void GiveBuffer(Lane* lane);
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
  SharedFile* shared_ = nullptr;  // If set, it keeps the outcome.
  bool one_lane_ = false;
  bool large_blocks_ = false;
  bool stopped_ = false;
  bool block_dropped_ = false;  // A block was begun, but not copied to its end.
  int lanes_in_flight_ = 0;
  int lanes_with_block_ = 0;
  bool own_block_taken_ = false;
  Operation failed_operation_ = Operation::kRead;
  int error_number_ = 0;
  std::array<Lane, kLanesMax> lanes_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_BLOCK_PUMP_H_

// The sink of a BlockPump that is a file: which bytes of a block are written and which
// left out, what a write's result means, and how much the target has got. It knows
// nothing of where they come from, and does no I/O itself.
//
// Of files whose holes their file system does not know, zeros are not written but left
// out (SetSkipsZeros()).
//
// Thread-safety: belongs to its worker.

#ifndef RINGCP_CORE_FILE_FILE_SINK_H_
#define RINGCP_CORE_FILE_FILE_SINK_H_

#include <cerrno>
#include <cstdint>
#include <utility>

#include "core/base/engine_counters.h"
#include "core/base/file_error.h"
#include "core/file/block.h"
#include "core/file/block_io.h"
#include "core/kernel/op.h"

namespace ringcp {

class FileSink {
 public:
  // Zeros that are left out are whole pages: a smaller hole saves nothing.
  static constexpr uint32_t kZerosBytes = 4096;

  // REQUIRES: `counters` outlives the sink.
  explicit FileSink(EngineCounters* counters)
      : counters_(counters), io_(Operation::kWrite, counters) {}

  // The file that is written to from now on.
  void SetFile(FileRef file) { file_ = file; }
  // How it is written.
  BlockIo& io() { return io_; }
  const BlockIo& io() const { return io_; }
  // From the next block on: whole pages of zeros are not written. The target has nothing
  // where they would be, and the pump's owner sees to its size.
  void SetSkipsZeros(bool skips_zeros) { skips_zeros_ = skips_zeros; }

  // Counts bytes that the target has now, written or left out.
  void Count(int64_t bytes) {
    counters_->bytes_done.Add(bytes);
    counted_ += bytes;
    bytes_written_ += bytes;
  }
  // Bytes counted since the pump was started.
  uint64_t bytes_written() const { return bytes_written_; }
  // What this sink has added to the counters' bytes_done since it was asked last.
  int64_t TakeCounted() { return std::exchange(counted_, 0); }

  // --- For the pump ---

  void Start() { bytes_written_ = 0; }
  // Whether it takes a block as it is. Else it has to see what is in it before it says
  // what to write.
  bool takes_unseen() const { return !skips_zeros_; }
  // Writes all that the block carries, behind the read that fills it.
  // REQUIRES: takes_unseen().
  Op WriteUnseen(Block* block) const { return Write(0, block->length, block); }
  // Takes in that the block has been filled: there may be nothing to write.
  void OnFilled(Block* block) {
    if (skips_zeros_) SkipZeros(block);
  }
  // Writes of the block what comes next. REQUIRES: !block->is_written().
  Op Write(Block* block) const { return Write(block->written, WriteEnd(*block), block); }
  // Takes in the result of a write. kDone: more may have to be written.
  BlockResult OnWrite(int32_t result, Block* block) {
    // Cancelled with a full read before it can't be (see kernel.h); 0 bytes written is
    // not an answer that a regular file gives. Both are tried again as if interrupted.
    if (result == 0 || result == -ECANCELED) result = -EINTR;
    BlockResult outcome = io_.Settle(result, block->write, block);
    if (outcome.kind != BlockResult::Kind::kDone) {
      if (outcome.error_number == EINTR) outcome.error_number = EIO;
      return outcome;
    }
    Count(result);
    block->retries = 0;
    block->written += result;
    if (skips_zeros_) SkipZeros(block);
    const bool is_short = static_cast<uint32_t>(result) < block->write.asked_bytes;
    if (is_short && !block->is_written()) counters_->short_writes.Add(1);
    return outcome;
  }

 private:
  // Of the block, the bytes [begin, end).
  Op Write(uint32_t begin, uint32_t end, Block* block) const {
    Op op = WriteAt(file_, block->buffer + begin, end - begin, block->offset + begin);
    io_.Prepare(*block, &op, &block->write);
    return op;
  }
  // Where the bytes to be written next end.
  uint32_t WriteEnd(const Block& block) const;
  // Counts what is left out of the block from its first byte not written on.
  void SkipZeros(Block* block);

  EngineCounters* const counters_;
  BlockIo io_;
  FileRef file_;
  bool skips_zeros_ = false;
  int64_t counted_ = 0;
  uint64_t bytes_written_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_FILE_SINK_H_

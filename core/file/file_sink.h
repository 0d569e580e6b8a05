// The sink of a BlockPump, if that is a file. It decides which bytes of a block are
// written and which are left out, judges the results of writes, and counts the bytes that
// the target has got. It does not know where the bytes come from, and does no I/O itself.
//
// If the source's file system can't tell where a file has holes, the sink leaves out
// zeros instead of writing them (SetSkipsZeros()).
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
  // Zeros are left out by whole pages, because a smaller hole saves nothing.
  static constexpr uint32_t kZerosBytes = 4096;

  // REQUIRES: `counters` outlives the sink.
  explicit FileSink(EngineCounters* counters)
      : counters_(counters), io_(Operation::kWrite, counters) {}

  // Sets the file that is written to from now on.
  void SetFile(FileRef file) { file_ = file; }
  // How the file is written.
  BlockIo& io() { return io_; }
  const BlockIo& io() const { return io_; }
  // Sets whether, from the next block on, whole pages of zeros are left out. The target
  // has holes in their places, and the pump's owner has to set the target's size.
  void SetSkipsZeros(bool skips_zeros) { skips_zeros_ = skips_zeros; }

  // Counts bytes that the target has got, whether they were written or left out.
  void Count(int64_t bytes) {
    counters_->bytes_done.Add(bytes);
    counted_ += bytes;
    bytes_written_ += bytes;
  }
  // Bytes counted since the pump was started.
  uint64_t bytes_written() const { return bytes_written_; }
  // The bytes that this sink has added to the counters' bytes_done since the last call.
  int64_t TakeCounted() { return std::exchange(counted_, 0); }

  // --- For the pump ---

  void Start() { bytes_written_ = 0; }
  // Whether the sink writes blocks without looking at their contents. Otherwise it has to
  // look at a block before it can say what to write.
  bool takes_unseen() const { return !skips_zeros_; }
  // The op that writes the whole block, for the chain of the read that fills the block.
  // REQUIRES: takes_unseen().
  Op WriteUnseen(Block* block) const { return Write(0, block->length, block); }
  // The block has been filled. Afterwards there may be nothing to write.
  void OnFilled(Block* block) {
    if (skips_zeros_) SkipZeros(block);
  }
  // The op that writes the block's next bytes. REQUIRES: !block->is_written().
  Op Write(Block* block) const { return Write(block->written, WriteEnd(*block), block); }
  // Takes in the result of a write. After kDone the block may have more bytes to write.
  BlockResult OnWrite(int32_t result, Block* block) {
    // No read before this write has failed, so -ECANCELED says that the system could not
    // run the write (see kernel.h). A regular file never answers a write with 0 bytes.
    // Both are treated like an interruption and tried again.
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
  // The op that writes the bytes [begin, end) of the block.
  Op Write(uint32_t begin, uint32_t end, Block* block) const {
    Op op = WriteAt(file_, block->buffer + begin, end - begin, block->offset + begin);
    io_.Prepare(*block, &op, &block->write);
    return op;
  }
  // The end of the block's bytes that are to be written next.
  uint32_t WriteEnd(const Block& block) const;
  // Leaves out, and counts, the zeros with which the block's unwritten bytes begin.
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

// How one side of a BlockPump reads or writes its file: whether a read or write leaves
// its pages in the page cache, whether it is polled, and whether it is tried again after
// a failure. Each FileSource and each FileSink has one.
//
// A polled read or write that fails is tried again without polling. The second result
// counts.
//
// Thread-safety: belongs to its worker.

#ifndef RINGCP_CORE_FILE_BLOCK_IO_H_
#define RINGCP_CORE_FILE_BLOCK_IO_H_

#include <cstdint>

#include "core/base/engine_counters.h"
#include "core/base/file_error.h"
#include "core/file/block.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/op.h"

namespace ringcp {

// Which read or write could not be polled, and why.
struct PollRefusal {
  Operation operation = Operation::kRead;  // Or kWrite.
  int error_number = 0;                    // 0: none was refused.
};

class BlockIo {
 public:
  // `operation`: kRead or kWrite. REQUIRES: `counters` outlives this.
  BlockIo(Operation operation, EngineCounters* counters)
      : operation_(operation), counters_(counters) {}

  // Forgets the last file.
  void Reset() {
    SetFileSystem(nullptr, /*is_uncached=*/false);
    refused_uncached_ = false;
  }
  // Tells where the file is: on `file_system`, or nullptr while that is not known.
  // Refusals are noted there. With `is_uncached`, reads or writes ask the kernel to leave
  // nothing in the page cache, until the file system refuses that. REQUIRES:
  // `file_system` outlives this; it is not nullptr when the result of an uncached read or
  // write arrives, nor when BeginPolling() is called.
  void SetFileSystem(FileSystem* file_system, bool is_uncached) {
    file_system_ = file_system;
    is_uncached_ = is_uncached;
    polled_length_max_ = 0;
    poll_refusal_ = PollRefusal();
  }
  // Whether the file system refused to leave nothing of this file in the page cache.
  bool refused_uncached() const { return refused_uncached_; }

  // Has each following read or write be polled, and be of at most `length_max` bytes.
  // REQUIRES: `length_max` > 0; the file has O_DIRECT on until EndPolling().
  void BeginPolling(uint32_t length_max) { polled_length_max_ = length_max; }
  void EndPolling() { polled_length_max_ = 0; }
  bool is_polling() const { return polled_length_max_ > 0; }
  // Notes that the file system refuses polling, with `error_number`.
  void RefusePolling(int error_number);
  // The refusal, if this side was the first of the job to find, since SetFileSystem(),
  // that its file system can't be polled.
  const PollRefusal& poll_refusal() const { return poll_refusal_; }
  // Whether the next try of the block is to be polled.
  bool polls(const Block& block) const {
    return polled_length_max_ > 0 && block.poll_error == 0 &&
           !file_system_->refuses_polling();
  }

  // Adapts `op`, which reads or writes the block: it leaves the page cache alone, or is
  // polled, or neither. `tried` gets which of them.
  void Prepare(const Block& block, Op* op, BlockTry* tried) const {
    *tried = {.asked_bytes = op->io.length};
    if (polled_length_max_ > 0 || is_uncached_) Adapt(block, op, tried);
  }

  // Judges the result of a try: kDone, kAgain or kFailed.
  BlockResult Settle(int32_t result, const BlockTry& tried, Block* block) {
    return result >= 0 && block->poll_error == 0 ? BlockResult()
                                                 : OnTrouble(result, tried, block);
  }

 private:
  void Adapt(const Block& block, Op* op, BlockTry* tried) const;
  bool refuses_uncached() const {
    if (file_system_ == nullptr) return false;
    return operation_ == Operation::kRead ? file_system_->refuses_uncached_reads()
                                          : file_system_->refuses_uncached_writes();
  }
  BlockResult OnTrouble(int32_t result, const BlockTry& tried, Block* block);

  const Operation operation_;
  EngineCounters* const counters_;
  FileSystem* file_system_ = nullptr;
  bool is_uncached_ = false;
  bool refused_uncached_ = false;
  PollRefusal poll_refusal_;
  uint32_t polled_length_max_ = 0;  // 0: nothing is polled.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_BLOCK_IO_H_

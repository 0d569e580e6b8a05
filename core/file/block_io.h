// How one side of a BlockPump reads or writes its file: whether a read or write leaves
// something in the page cache, whether it is polled, and whether it is tried again after
// it failed. Sources and sinks that are files have one each.
//
// A polled read or write that fails is tried again without polling, and what that comes
// to counts.
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

// That a read or write could not be polled, and why.
struct PollRefusal {
  Operation operation = Operation::kRead;  // Or kWrite.
  int error_number = 0;                    // 0: none was refused.
};

class BlockIo {
 public:
  // `operation`: kRead or kWrite. REQUIRES: `counters` outlives this.
  BlockIo(Operation operation, EngineCounters* counters)
      : operation_(operation), counters_(counters) {}

  // The next file begins, of which nothing is known.
  void Reset() {
    SetFileSystem(nullptr, /*is_uncached=*/false);
    refused_uncached_ = false;
  }
  // From the next read or write on: the file is on `file_system`, which learns what it
  // refuses and outlives this; nullptr while it is not known. With `is_uncached` nothing
  // is left in the page cache, unless that is refused. REQUIRES: not nullptr when the
  // result of an uncached read or write comes, and if BeginPolling() follows.
  void SetFileSystem(FileSystem* file_system, bool is_uncached) {
    file_system_ = file_system;
    is_uncached_ = is_uncached;
    polled_length_max_ = 0;
    poll_refusal_ = PollRefusal();
  }
  // Whether a read or write of this file was refused that was to leave nothing in the
  // page cache.
  bool refused_uncached() const { return refused_uncached_; }

  // From the next read or write on: polls up to so many bytes each. O_DIRECT is on until
  // EndPolling(). REQUIRES: `length_max` > 0.
  void BeginPolling(uint32_t length_max) { polled_length_max_ = length_max; }
  void EndPolling() { polled_length_max_ = 0; }
  // Notes that the file system refuses polling, with `error_number`.
  void RefusePolling(int error_number);
  // What the job has learned by this side since SetFileSystem(), if it did: that this
  // file system can't be polled.
  const PollRefusal& poll_refusal() const { return poll_refusal_; }
  // Whether the next try of the block is to be polled.
  bool polls(const Block& block) const {
    return polled_length_max_ > 0 && block.poll_error == 0 &&
           !file_system_->refuses_polling();
  }

  // Has `op`, which reads or writes the block, leave the page cache alone or be polled,
  // and notes in `tried` what it is to do.
  void Prepare(const Block& block, Op* op, BlockTry* tried) const {
    *tried = {.asked_bytes = op->io.length};
    if (polled_length_max_ > 0 || is_uncached_) Adapt(block, op, tried);
  }

  // Takes in what has become of a try: kDone, kAgain or kFailed.
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

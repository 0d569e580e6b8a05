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
#include "core/kernel/op.h"
#include "core/kernel/polled_io.h"
#include "core/kernel/uncached_io.h"

namespace ringcp {

class BlockIo {
 public:
  // `operation`: kRead or kWrite. REQUIRES: `counters` outlives this.
  BlockIo(Operation operation, EngineCounters* counters)
      : operation_(operation), counters_(counters) {}

  // From the next read or write on: leaves nothing in the page cache, as `uncached_io`
  // says and learns; nullptr: as any program does. It outlives this.
  void SetUncachedIo(UncachedIo* uncached_io) { uncached_io_ = uncached_io; }

  // From the next BeginPolling() on: polls, as `polled_io` says and learns; nullptr:
  // never. It outlives this. Forgets poll_refusal().
  void SetPolledIo(PolledIo* polled_io) {
    polled_io_ = polled_io;
    polled_length_max_ = 0;
    poll_refusal_ = PolledIo::Refusal();
  }
  // From the next read or write on: polls up to so many bytes each. O_DIRECT is on until
  // EndPolling(). REQUIRES: SetPolledIo() with one; `length_max` > 0.
  void BeginPolling(uint32_t length_max) { polled_length_max_ = length_max; }
  void EndPolling() { polled_length_max_ = 0; }
  // Notes that polling was refused with `error_number`, so that the job polls no more.
  void RefusePolling(int error_number);
  // What the job has learned by this side, if it did: that there is no polling.
  const PolledIo::Refusal& poll_refusal() const { return poll_refusal_; }
  // Whether the next try of the block is to be polled.
  bool polls(const Block& block) const {
    return polled_length_max_ > 0 && block.poll_error == 0 && !polled_io_->refused();
  }

  // Has `op`, which reads or writes the block, leave the page cache alone or be polled,
  // and notes in `tried` what it is to do.
  void Prepare(const Block& block, Op* op, BlockTry* tried) const {
    *tried = {.asked_bytes = op->io.length};
    if (polled_length_max_ > 0 || uncached_io_ != nullptr) Adapt(block, op, tried);
  }

  // Takes in what has become of a try: kDone, kAgain or kFailed.
  BlockResult Settle(int32_t result, const BlockTry& tried, Block* block) {
    return result >= 0 && block->poll_error == 0 ? BlockResult()
                                                 : OnTrouble(result, tried, block);
  }

 private:
  void Adapt(const Block& block, Op* op, BlockTry* tried) const;
  BlockResult OnTrouble(int32_t result, const BlockTry& tried, Block* block);

  const Operation operation_;
  EngineCounters* const counters_;
  UncachedIo* uncached_io_ = nullptr;
  PolledIo* polled_io_ = nullptr;
  PolledIo::Refusal poll_refusal_;
  uint32_t polled_length_max_ = 0;  // 0: nothing is polled.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_BLOCK_IO_H_

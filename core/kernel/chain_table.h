// The chains in flight of one ring: collects the results of each chain, and hands the
// chain over once its last result has come in. io_uring identifies an op by its OpTag,
// the 64 bits that come back with the op's completion.
//
// Thread-safety: belongs to its ring's thread.

#ifndef RINGCP_CORE_KERNEL_CHAIN_TABLE_H_
#define RINGCP_CORE_KERNEL_CHAIN_TABLE_H_

#include <cstdint>
#include <vector>

#include "core/kernel/kernel.h"

namespace ringcp {

// Which op of which chain in flight a completion belongs to.
struct OpTag {
  uint32_t entry = 0;    // The chain's place in the table.
  uint8_t position = 0;  // The op's place in the chain.
  // The op was taken back before io_uring saw it: whatever its completion says, its
  // result is -ECANCELED.
  bool is_taken_back = false;

  uint64_t Encode() const {
    return uint64_t{entry} << 8 | (is_taken_back ? kTakenBackBit : 0u) | position;
  }
  static OpTag Decode(uint64_t user_data) {
    return {.entry = static_cast<uint32_t>(user_data >> 8),
            .position = static_cast<uint8_t>(user_data & (kTakenBackBit - 1)),
            .is_taken_back = (user_data & kTakenBackBit) != 0};
  }
  friend bool operator==(const OpTag&, const OpTag&) = default;

 private:
  static constexpr uint32_t kTakenBackBit = 0x80;  // Above all positions.
};

class ChainTable {
 public:
  // At most `chains_max` chains in flight.
  explicit ChainTable(int chains_max);

  int capacity() const { return static_cast<int>(entries_.size()); }
  bool full() const { return free_.empty(); }
  int in_flight() const { return static_cast<int>(entries_.size() - free_.size()); }

  // Of the chains in flight, those whose next op concerns the target, not the source.
  int on_target() const { return on_target_; }

  // Adds a chain of `size` ops and returns its entry. `target_mask`: see TargetMask().
  // REQUIRES: !full().
  uint32_t Add(ChainId id, int size, uint32_t target_mask = 0);

  // Notes one op's result. If that was the last one missing in its chain, moves the chain
  // to `settled`, frees its entry and returns true.
  // REQUIRES: the op is in flight and has no result yet.
  bool NoteResult(OpTag tag, int32_t result, std::vector<ChainResults>* settled);

  // Gives up all chains in flight and moves them to `settled`: the first missing result
  // of each becomes `result`, the others -ECANCELED. No result may be noted afterwards.
  void GiveUp(int32_t result, std::vector<ChainResults>* settled);

 private:
  struct Entry {
    ChainResults chain;
    uint32_t missing_mask = 0;  // Bit i: op i has no result yet. 0 if free.
    uint32_t target_mask = 0;   // Bit i: op i concerns the target.

    // 1 if the first op that has no result yet concerns the target; otherwise 0.
    int is_on_target() const {
      return (missing_mask & -missing_mask & target_mask) != 0 ? 1 : 0;
    }
  };

  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;  // Used from the back: those cache lines are warm.
  int on_target_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_CHAIN_TABLE_H_

#include "core/kernel/chain_table.h"

#include <cerrno>

#include "core/base/check.h"

namespace ringcp {

ChainTable::ChainTable(int chains_max) : entries_(chains_max) {
  free_.reserve(chains_max);
  for (int i = chains_max - 1; i >= 0; --i) free_.push_back(i);
}

uint32_t ChainTable::Add(ChainId id, int size, uint32_t target_mask) {
  RINGCP_CHECK(!free_.empty());
  RINGCP_CHECK(size >= 1 && size <= Chain::kOpsMax);
  const uint32_t index = free_.back();
  free_.pop_back();
  Entry& entry = entries_[index];
  entry.chain.id = id;
  entry.chain.size = size;
  entry.missing_mask = (1u << size) - 1;
  entry.target_mask = target_mask;
  on_target_ += entry.is_on_target();
  return index;
}

bool ChainTable::NoteResult(OpTag tag, int32_t result,
                            std::vector<ChainResults>* settled) {
  RINGCP_CHECK(tag.entry < entries_.size());
  Entry& entry = entries_[tag.entry];
  const uint32_t bit = 1u << tag.position;
  RINGCP_CHECK(tag.position < Chain::kOpsMax && (entry.missing_mask & bit) != 0);
  entry.chain.results_array[tag.position] = result;
  on_target_ -= entry.is_on_target();
  entry.missing_mask &= ~bit;
  on_target_ += entry.is_on_target();
  if (entry.missing_mask != 0) return false;
  settled->push_back(entry.chain);
  free_.push_back(tag.entry);
  return true;
}

void ChainTable::GiveUp(int32_t result, std::vector<ChainResults>* settled) {
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (entry.missing_mask == 0) continue;
    int32_t next_result = result;
    for (int position = 0; position < entry.chain.size; ++position) {
      if ((entry.missing_mask & 1u << position) == 0) continue;
      entry.chain.results_array[position] = next_result;
      next_result = -ECANCELED;
    }
    on_target_ -= entry.is_on_target();
    entry.missing_mask = 0;
    settled->push_back(entry.chain);
    free_.push_back(i);
  }
}

}  // namespace ringcp

#include "tests/blocks.h"

#include <vector>

namespace ringcp {

bool HasAllBlocks(BlockPool* pool, int extra) {
  std::vector<char*> lent;
  while (char* block = pool->TakeExtra(1)) lent.push_back(block);
  pool->GiveBack(pool->Take(), /*extra=*/0);
  for (char* block : lent) pool->GiveBack(block, /*extra=*/1);
  return static_cast<int>(lent.size()) == extra;
}

}  // namespace ringcp

#include "tests/blocks.h"

#include <vector>

namespace ringcp {

bool HasAllBlocks(BlockPool* pool, int extra) {
  std::vector<char*> lent;
  while (char* block = pool->TakeExtra()) lent.push_back(block);
  pool->GiveBack(pool->Take(), /*extra=*/false);
  for (char* block : lent) pool->GiveBack(block, /*extra=*/true);
  return static_cast<int>(lent.size()) == extra;
}

}  // namespace ringcp

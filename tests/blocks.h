// Checks that a BlockPool got all of its blocks back.

#ifndef RINGCP_TESTS_BLOCKS_H_
#define RINGCP_TESTS_BLOCKS_H_

#include "core/kernel/block_pool.h"

namespace ringcp {

// Whether `pool`, made for one copy and `extra` blocks to lend, holds all of its blocks.
// Stops the program if even the copy's own block is missing.
bool HasAllBlocks(BlockPool* pool, int extra);

}  // namespace ringcp

#endif  // RINGCP_TESTS_BLOCKS_H_

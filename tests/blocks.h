// Whether a BlockPool got everything back.

#ifndef RINGCP_TESTS_BLOCKS_H_
#define RINGCP_TESTS_BLOCKS_H_

#include "core/kernel/block_pool.h"

namespace ringcp {

// Whether `pool`, for one copy and with `extra` blocks to lend, holds all of them. Stops
// the program if even the copy's own block is missing.
bool HasAllBlocks(BlockPool* pool, int extra);

}  // namespace ringcp

#endif  // RINGCP_TESTS_BLOCKS_H_

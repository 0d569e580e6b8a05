#include "core/file/block_io.h"

#include <algorithm>

#include "core/file/next_chains.h"

namespace ringcp {

void BlockIo::RefusePolling(int error_number) {
  if (!file_system_->NotePollingRefused()) return;
  poll_refusal_ = {.operation = operation_, .error_number = error_number};
}

void BlockIo::Adapt(const Block& block, Op* op, BlockTry* tried) const {
  op->io.polled = tried->polled = polls(block);
  // A polled op goes past the page cache (O_DIRECT) anyway. Asked for both, it would not
  // tell which of the two the file system refused.
  if (tried->polled) {
    tried->asked_bytes = op->io.length = std::min(op->io.length, polled_length_max_);
  } else if (is_uncached_ && !refuses_uncached()) {
    op->io.flags = kDontCache;
    tried->uncached = true;
  }
}

BlockResult BlockIo::OnTrouble(int32_t result, const BlockTry& tried, Block* block) {
  if (tried.polled) {
    block->poll_error = std::max(0, -result);
  } else if (result >= 0) {
    // Without polling it succeeded, so polling was why it had failed.
    if (MayRefusePolling(-block->poll_error)) RefusePolling(block->poll_error);
    block->poll_error = 0;
  }
  if (result >= 0) return {};
  if (tried.polled && MayRefusePolling(result)) {
    return {.kind = BlockResult::Kind::kAgain};
  }
  if (tried.uncached && RefusesDontCache(result)) {
    is_uncached_ = false;
    refused_uncached_ = true;
    operation_ == Operation::kRead ? file_system_->NoteUncachedReadsRefused()
                                   : file_system_->NoteUncachedWritesRefused();
    return {.kind = BlockResult::Kind::kAgain};
  }
  if (ShouldRetry(result, &block->retries, counters_)) {
    return {.kind = BlockResult::Kind::kAgain};
  }
  return {.kind = BlockResult::Kind::kFailed, .error_number = -result};
}

}  // namespace ringcp

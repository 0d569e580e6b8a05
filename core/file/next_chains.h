// What the state machines of one file's copy (FileCopy and its parts, or a helper's
// BlockPump) share: how they say what comes next, and when to try again.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_FILE_NEXT_CHAINS_H_
#define RINGCP_CORE_FILE_NEXT_CHAINS_H_

#include <array>
#include <cstdint>

#include "core/base/engine_counters.h"
#include "core/kernel/op.h"

namespace ringcp {

// Blocks of one file that are read and written at the same time.
inline constexpr int kLanesMax = 8;

// The chains to queue next. Each belongs to a lane, which comes back with its results.
struct NextChains {
  struct LaneChain {
    int lane = 0;
    Chain chain;
  };
  std::array<LaneChain, kLanesMax> chains;
  int size = 0;

  // An empty chain for `lane`, to be filled.
  Chain& Add(int lane);
};

// Whether an op that had `result` is to be tried again: EINTR and EAGAIN are, and what
// was cancelled first in its chain (see kernel.h), until it has happened kRetriesMax
// times running without any progress. Counts in `retries`.
inline constexpr int kRetriesMax = 100;
bool ShouldRetry(int32_t result, int* retries, EngineCounters* counters);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_NEXT_CHAINS_H_

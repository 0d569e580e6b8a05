// What the state machines of a file's copy share (FileCopy, its parts, and the BlockPump
// of a worker that helps): how they hand out their next chains, and when an op is tried
// again.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_FILE_NEXT_CHAINS_H_
#define RINGCP_CORE_FILE_NEXT_CHAINS_H_

#include <array>
#include <cstdint>

#include "core/base/engine_counters.h"
#include "core/kernel/op.h"

namespace ringcp {

// The most blocks of one file that are on their way at the same time.
inline constexpr int kLanesMax = 8;

// The chains to carry out next. Each belongs to a lane, and its results come back with
// the lane's number.
struct NextChains {
  struct LaneChain {
    int lane = 0;
    Chain chain;
  };
  std::array<LaneChain, kLanesMax> chains;
  int size = 0;

  // Adds an empty chain for `lane`, which the caller fills.
  Chain& Add(int lane);
};

// Whether an op that had `result` can be tried again: after EINTR, EAGAIN, and also
// ECANCELED, which says that the op did not run (see kernel.h). REQUIRES: no op before
// this one in its chain has failed.
bool MayBeRetried(int32_t result);
// Whether it is to be. Increments `retries`, which the caller resets on progress, and
// gives up after kRetriesMax.
inline constexpr int kRetriesMax = 100;
bool ShouldRetry(int32_t result, int* retries, EngineCounters* counters);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_NEXT_CHAINS_H_

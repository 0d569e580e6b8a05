#include "core/file/next_chains.h"

#include <cerrno>

#include "core/base/check.h"

namespace ringcp {

Chain& NextChains::Add(int lane) {
  RINGCP_CHECK(size < kLanesMax);
  LaneChain& added = chains[size++];
  added.lane = lane;
  added.chain.clear();
  return added.chain;
}

bool ShouldRetry(int32_t result, int* retries, EngineCounters* counters) {
  if (result != -EINTR && result != -EAGAIN && result != -ECANCELED) return false;
  if (*retries >= kRetriesMax) return false;
  ++*retries;
  counters->retries.Add(1);
  return true;
}

}  // namespace ringcp

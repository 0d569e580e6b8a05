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

bool MayBeRetried(int32_t result) {
  return result == -EINTR || result == -EAGAIN || result == -ECANCELED;
}

bool ShouldRetry(int32_t result, int* retries, EngineCounters* counters) {
  if (!MayBeRetried(result) || *retries >= kRetriesMax) return false;
  ++*retries;
  counters->retries.Add(1);
  return true;
}

}  // namespace ringcp

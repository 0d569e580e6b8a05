#include "core/next_chains.h"

#include <cerrno>

#include "core/check.h"

namespace ringcp {

Chain& NextChains::Add(int lane) {
  RINGCP_CHECK(size < kLanesMax);
  LaneChain& added = chains[size++];
  added.lane = lane;
  added.chain.clear();
  return added.chain;
}

int NextChains::FindImmediate() const {
  for (int i = 0; i < size; ++i) {
    if (IsImmediate(chains[i].chain[0])) return i;
  }
  return -1;
}

void NextChains::Remove(int index) {
  RINGCP_CHECK(index < size);
  --size;
  if (index != size) chains[index] = chains[size];
}

bool ShouldRetry(int32_t result, int* retries, EngineCounters* counters) {
  if (result != -EINTR && result != -EAGAIN && result != -ECANCELED) return false;
  if (*retries >= kRetriesMax) return false;
  ++*retries;
  counters->retries.Add(1);
  return true;
}

}  // namespace ringcp

#include "core/kernel/queued_polls.h"

#include <algorithm>
#include <chrono>

#include "core/base/check.h"

namespace ringcp {

void QueuedPolls::Add(ChainId id, const Op& poll, SteadyTime now) {
  RINGCP_CHECK(poll.kind == OpKind::kPoll);
  chains_.push_back(
      {.id = id, .until = now + std::chrono::milliseconds(poll.poll.milliseconds_max)});
  files_.push_back(
      {.fd = poll.file.descriptor(), .events = poll.poll.events, .revents = 0});
}

void QueuedPolls::Await(WakeUp* wake_up, SteadyTime until,
                        std::vector<ChainResults>* settled) {
  for (const WaitingChain& chain : chains_) until = std::min(until, chain.until);
  wake_up->Await(until, &files_);
  if (chains_.empty()) return;
  const SteadyTime now = std::chrono::steady_clock::now();
  size_t left = 0;
  for (size_t i = 0; i < chains_.size(); ++i) {
    const bool is_ready = files_[i].revents != 0;
    if (is_ready || now >= chains_[i].until) {
      settled->push_back({.id = chains_[i].id, .size = 1, .results_array = {is_ready}});
    } else {
      chains_[left] = chains_[i];
      files_[left++] = files_[i];
    }
  }
  chains_.resize(left);
  files_.resize(left);
}

}  // namespace ringcp

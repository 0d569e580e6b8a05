#include "core/kernel/helper_threads.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/kernel/batch_scheduling.h"
#include "core/kernel/start_thread.h"
#include "core/kernel/system_calls.h"

namespace ringcp {

HelperThreads::~HelperThreads() {
  RINGCP_CHECK(in_flight_ == 0);
  {
    MutexLock lock(&mutex_);
    ends_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

bool HelperThreads::HasIdle() {
  MutexLock lock(&mutex_);
  return idle_ > static_cast<int>(waiting_.size());
}

bool HelperThreads::CarryOut(ChainId id, absl::Span<const Op> chain) {
  RINGCP_CHECK(!chain.empty() && chain.size() <= Chain::kOpsMax);
  // If no other thread can be started, the existing ones take the chain in turn.
  const bool may_start = threads_.size() < kThreadsMax;
  if (may_start && !HasIdle() && !StartOne() && threads_.empty()) return false;
  WaitingChain waiting = {.id = id, .size = static_cast<int>(chain.size()), .ops = {}};
  std::copy(chain.begin(), chain.end(), waiting.ops.begin());
  ++in_flight_;
  MutexLock lock(&mutex_);
  waiting_.push_back(waiting);
  changed_.NotifyOne();
  return true;
}

bool HelperThreads::StartOne() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread;
  const bool started = StartThread([this] { Loop(); }, &thread);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (started) threads_.push_back(std::move(thread));
  return started;
}

void HelperThreads::Loop() {
  const BatchScheduling batch_scheduling;
  mutex_.Lock();
  for (;;) {
    ++idle_;
    while (waiting_.empty() && !ends_) changed_.Wait(&mutex_);
    --idle_;
    if (waiting_.empty()) break;
    const WaitingChain chain = waiting_.front();
    waiting_.pop_front();
    mutex_.Unlock();
    const ChainResults settled = RunChain(
        chain.id, absl::MakeConstSpan(chain.ops.data(), chain.size), RunWithSystemCall);
    mutex_.Lock();
    settled_.push_back(settled);
    mutex_.Unlock();
    wake_up_->Notify();
    mutex_.Lock();
  }
  mutex_.Unlock();
}

void HelperThreads::TakeSettled(std::vector<ChainResults>* settled) {
  if (in_flight_ == 0) return;
  MutexLock lock(&mutex_);
  in_flight_ -= static_cast<int>(settled_.size());
  settled->insert(settled->end(), settled_.begin(), settled_.end());
  settled_.clear();
}

}  // namespace ringcp

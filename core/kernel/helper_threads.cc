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

void HelperThreads::SetThreadsMax(int threads_max) {
  RINGCP_CHECK(threads_max >= 1);
  MutexLock lock(&mutex_);
  threads_max_ = threads_max;
  changed_.NotifyAll();
}

bool HelperThreads::WantsThread() {
  MutexLock lock(&mutex_);
  return idle_ <= static_cast<int>(waiting_.size()) &&
         static_cast<int>(threads_.size()) < threads_max_;
}

bool HelperThreads::CarryOut(ChainId id, absl::Span<const Op> chain) {
  RINGCP_CHECK(!chain.empty() && chain.size() <= Chain::kOpsMax);
  Errand errand = {
      .id = id, .side = OnSide::now(), .size = static_cast<int>(chain.size()), .ops = {}};
  std::copy(chain.begin(), chain.end(), errand.ops.begin());
  return CarryOut(errand);
}

bool HelperThreads::CarryOut(ChainId id, Task* task) {
  return CarryOut({.id = id, .task = task, .ops = {}});
}

bool HelperThreads::CarryOut(const Errand& errand) {
  // If there can't be another thread, those that are there see to it in their turn.
  if (WantsThread() && !StartOne() && threads_.empty()) return false;
  ++in_flight_;
  MutexLock lock(&mutex_);
  waiting_.push_back(errand);
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
    while (!ends_ && (waiting_.empty() || busy_ >= threads_max_)) changed_.Wait(&mutex_);
    --idle_;
    if (waiting_.empty()) break;
    const Errand errand = waiting_.front();
    waiting_.pop_front();
    ++busy_;
    mutex_.Unlock();
    const ChainResults settled = Run(errand);
    mutex_.Lock();
    settled_.push_back(settled);
    --busy_;
    mutex_.Unlock();
    wake_up_->Notify();
    mutex_.Lock();
  }
  mutex_.Unlock();
}

ChainResults HelperThreads::Run(const Errand& errand) {
  if (errand.task == nullptr) {
    const OnSide on_side(errand.side);
    return RunChain(errand.id, absl::MakeConstSpan(errand.ops.data(), errand.size),
                    [this](const Op& op) { return kernel_->Do(op); });
  }
  task_choosers_->For(*errand.task).Run(kernel_, errand.task);
  ChainResults ended;
  ended.id = errand.id;
  return ended;
}

void HelperThreads::TakeSettled(std::vector<ChainResults>* settled) {
  if (in_flight_ == 0) return;
  MutexLock lock(&mutex_);
  in_flight_ -= static_cast<int>(settled_.size());
  settled->insert(settled->end(), settled_.begin(), settled_.end());
  settled_.clear();
}

}  // namespace ringcp

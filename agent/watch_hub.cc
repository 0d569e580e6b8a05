#include "agent/watch_hub.h"

#include <chrono>
#include <utility>

namespace ringcp {

WatchHub::WatchHub(std::function<void(int64_t job)> sample)
    : sample_(std::move(sample)), thread_([this] { Run(); }) {}

WatchHub::~WatchHub() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    woken_.NotifyOne();
  }
  thread_.join();
}

int64_t WatchHub::Add(int64_t job, std::weak_ptr<Watcher> watcher) {
  MutexLock lock(&mutex_);
  watchers_[job].emplace(++last_number_, std::move(watcher));
  ticks_.Joined(std::chrono::steady_clock::now(), ++count_);
  woken_.NotifyOne();
  return last_number_;
}

void WatchHub::Remove(int64_t job, int64_t number) {
  MutexLock lock(&mutex_);
  const auto found = watchers_.find(job);
  if (found == watchers_.end()) return;
  count_ -= found->second.erase(number);
  if (count_ > 0) ticks_.Left(std::chrono::steady_clock::now(), count_);
  woken_.NotifyOne();
  if (!found->second.empty()) return;
  watchers_.erase(found);
  changed_.erase(job);
}

void WatchHub::NoteChange(int64_t job) {
  MutexLock lock(&mutex_);
  if (!watchers_.contains(job)) return;
  changed_.insert(job);
  woken_.NotifyOne();
}

void WatchHub::Run() {
  while (const std::optional<Round> round = AwaitRound()) {
    for (const int64_t job : round->to_sample) sample_(job);
    for (const std::shared_ptr<Watcher>& watcher : round->to_tell) watcher->OnNews();
  }
}

void WatchHub::AddWatchersOf(int64_t job, Round* round) {
  for (const auto& [number, watcher] : watchers_.at(job)) {
    // One that is about to be removed may be gone already.
    if (auto alive = watcher.lock()) round->to_tell.push_back(std::move(alive));
  }
}

std::optional<WatchHub::Round> WatchHub::AwaitRound() {
  Round round;
  MutexLock lock(&mutex_);
  while (true) {
    if (stopping_) return std::nullopt;
    const SteadyTime now = std::chrono::steady_clock::now();
    if (count_ > 0 && now >= ticks_.next()) {
      for (const auto& [job, watchers] : watchers_) {
        round.to_sample.push_back(job);
        AddWatchersOf(job, &round);
      }
      changed_.clear();
      ticks_.Ticked(now, count_);
      return round;
    }
    if (!changed_.empty()) {
      for (const int64_t job : changed_) AddWatchersOf(job, &round);
      changed_.clear();
      return round;
    }
    if (count_ > 0) {
      woken_.WaitUntil(&mutex_, ticks_.next());
    } else {
      woken_.Wait(&mutex_);
    }
  }
}

}  // namespace ringcp

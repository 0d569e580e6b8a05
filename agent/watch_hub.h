// Tells those who watch jobs when there may be news of these: at once when a job's state
// has changed, and at each tick (watch_ticks.h). It has one thread, however many watch;
// a job is looked at once for each tick, however many watch it.
//
// Thread-safety: any thread may call every member function.

#ifndef RINGCP_AGENT_WATCH_HUB_H_
#define RINGCP_AGENT_WATCH_HUB_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "agent/watch_ticks.h"
#include "core/base/mutex.h"

namespace ringcp {

// Somebody who watches a job.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // There may be news. Called by the hub's thread, under no lock; must not wait.
  virtual void OnNews() = 0;
};

class WatchHub {
 public:
  // `sample` brings the counters of a job up to date; the hub's thread calls it under no
  // lock, for each watched job, before watchers are told at a tick.
  explicit WatchHub(std::function<void(int64_t job)> sample);
  // Nobody is told anything any more.
  ~WatchHub();

  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

  // From now on `watcher` is told of `job`, for as long as it exists, until Remove() is
  // called with the returned number. OnNews() may still be under way then.
  int64_t Add(int64_t job, std::weak_ptr<Watcher> watcher);
  void Remove(int64_t job, int64_t number);

  // The state of `job` has changed. May be called under any lock.
  void NoteChange(int64_t job);

 private:
  struct Round {
    std::vector<int64_t> to_sample;
    std::vector<std::shared_ptr<Watcher>> to_tell;
  };

  void Run();
  // Waits until somebody is to be told. Returns nothing at the end.
  std::optional<Round> AwaitRound();
  void AddWatchersOf(int64_t job, Round* round) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<void(int64_t job)> sample_;

  Mutex mutex_;
  CondVar woken_;
  WatchTicks ticks_ ABSL_GUARDED_BY(mutex_);
  // By job, and by the watchers' numbers.
  std::map<int64_t, std::map<int64_t, std::weak_ptr<Watcher>>> watchers_
      ABSL_GUARDED_BY(mutex_);
  size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  // Jobs with watchers whose state has changed.
  std::set<int64_t> changed_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // Last, because it uses the others.
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_WATCH_HUB_H_

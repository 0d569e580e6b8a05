// Walks the sources ahead of a copy and adds up what there is, so that a progress line
// can tell how much is left. Costs about as much as `du`; only runs when somebody looks
// at a job that takes a while.
//
// Thread-safety: Run() by one thread; the other methods by any.

#ifndef RINGCP_CORE_JOB_TALLY_H_
#define RINGCP_CORE_JOB_TALLY_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/job/top_level.h"
#include "core/kernel/kernel.h"
#include "core/tree/walk.h"

namespace ringcp {

class Tally {
 public:
  // More directories on the way down a tree are closed for a while.
  static constexpr int kDirectoriesMax = 16;

  struct Settings {
    bool follow_links = false;
    bool one_file_system = false;
    bool preserve_links = false;  // Contents of files with several links count once.
    int directories_max = kDirectoriesMax;  // Open at a time.
  };

  // REQUIRES: `kernel` outlives it; it is that of the thread that destroys it.
  Tally(Kernel* kernel, const std::vector<TopLevelSource>& sources,
        const Settings& settings);
  ~Tally();

  // Adds up everything, or as much as there was before Stop(). What can't be looked at is
  // left out: the copy itself will report it.
  // `kernel` is the calling thread's.
  void Run(Kernel* kernel);
  // Makes Run() return soon.
  void Stop(Kernel* kernel);

  // Whether the sums are final.
  bool complete() const { return complete_.load(std::memory_order_acquire); }
  int64_t files() const { return files_.load(std::memory_order_relaxed); }
  int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  class Visitor;

  const Settings settings_;
  const std::unique_ptr<Visitor> visitor_;
  Walk walk_;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> complete_ = false;
  std::atomic<int64_t> files_ = 0;
  std::atomic<int64_t> bytes_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_TALLY_H_

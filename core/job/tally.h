// Walks the sources ahead of a copy and adds up what there is, so that a progress line
// can tell how much is left. Costs about as much as `du`, so it only runs while somebody
// watches a job that takes a while.
//
// Thread-safety: one thread calls Run(); any thread may call the other methods.

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
  // How many directories a tally has open at most. In a deeper tree the walk parks others
  // (walk.h).
  static constexpr int kDirectoriesMax = 16;

  struct Settings {
    bool follow_links = false;
    bool one_file_system = false;
    bool preserve_links = false;  // Contents of files with several links count once.
    int directories_max = kDirectoriesMax;  // Open at a time.
  };

  // REQUIRES: `kernel` outlives the tally, and belongs to the thread that destroys it.
  Tally(Kernel* kernel, const std::vector<TopLevelSource>& sources,
        const Settings& settings);
  ~Tally();

  // Adds up everything, or as much as it can before Stop(). Directories that can't be
  // read and sizes that can't be found out are left out, because the copy itself will
  // report them. `kernel` is the calling thread's.
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

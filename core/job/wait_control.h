// The one WaitController of a job: its workers tell what they have waited for, and are
// told how much each of them may have under way.
//
// Thread-safety: all methods may be called by any thread.

#ifndef RINGCP_CORE_JOB_WAIT_CONTROL_H_
#define RINGCP_CORE_JOB_WAIT_CONTROL_H_

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/job/wait_controller.h"
#include "core/kernel/kernel.h"

namespace ringcp {

class WaitControl {
 public:
  // Files in flight of a worker up to this level: as many as are best on a local disk.
  static constexpr int kCopiesMin = 64;
  // Directories in hand of a worker: half of the level, within these bounds; more did not
  // make 40 directories of 50 files faster. And the most of all workers together, because
  // each takes 75 KiB for what was read of it, 10 MiB in all, and because a job that is
  // cancelled waits for those that are being made, one after another if they are in one
  // directory.
  static constexpr int kDirectoriesMin = 16;
  static constexpr int kDirectoriesMax = 32;
  static constexpr int kDirectoriesOfJobMax = 128;

  // What one worker may have under way of what waits.
  struct Limits {
    WaitLimits kernel;
    // Directories that it takes entries from side by side: the kernel makes the entries
    // of one directory one after another.
    int directories = kDirectoriesMin;
    // Files in flight. As many as a worker has room for, if not said otherwise.
    int copies = std::numeric_limits<int>::max();
    // More at a time has been tried, and makes it slower.
    bool is_strict = false;
    // More at a time will not be tried.
    bool is_most = false;
  };

  // How long a sample is, within these bounds: as long as it takes for so many ends for
  // each that may be under way, and for each file in flight. Files that were begun
  // together wait for the same things together, for opening, then for reading; a shorter
  // sample sees one of these. Only the first climb does not need that.
  static constexpr absl::Duration kSampleMin = absl::Milliseconds(20);
  static constexpr absl::Duration kSampleMax = absl::Milliseconds(200);
  static constexpr int kEndsPerLevel = 8;
  static constexpr int kEndsPerFile = 4;
  // As many times as long as it would take at the last rate. What has become slower is to
  // be noticed before as much has ended.
  static constexpr double kPatience = 1.5;
  // Threads of a worker that carry out tasks and what io_uring has no opcode for, for
  // half of the level: of a file's ops, about half have no opcode with -a. No
  // more than 32, because each takes a stack.
  static constexpr int kHelpersMin = 16;
  static constexpr int kHelpersMax = 32;

  // `level_max` as WaitController's. The job has so many workers, and the process may use
  // `cpus`.
  WaitControl(int level_max, int workers, int cpus);

  // Notes that `ended` ops of a worker have ended in one wait. `was_at_limit`: before it
  // as many were under way as may be. Returns the worker's limits from now on.
  Limits Note(const Kernel& kernel, int64_t ended, bool was_at_limit);

 private:
  void Sample(const Kernel& kernel, bool was_at_limit) ABSL_LOCKS_EXCLUDED(mutex_);

  Limits LimitsOf(int level, bool is_strict) const;
  // Ends from which on a sample is long enough.
  int64_t EndsWanted() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The longest that a sample is, however few have ended.
  absl::Duration LengthMax() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int level_max_;
  const int workers_;
  const int cpus_;
  std::atomic<int> level_;
  std::atomic<bool> is_strict_ = false;
  std::atomic<int64_t> ended_ = 0;
  std::atomic<int64_t> ended_at_limit_ = 0;
  // When the sample that is being taken may end, on the steady clock.
  std::atomic<SteadyTime> end_ = SteadyTime::min();

  Mutex mutex_;
  WaitController controller_ ABSL_GUARDED_BY(mutex_);
  std::optional<SteadyTime> begin_ ABSL_GUARDED_BY(mutex_);
  absl::Duration cpu_at_begin_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_WAIT_CONTROL_H_

// How far a job has come: a snapshot of its counters, with the rate and the time left.
//
// Thread-safety: Progress is a plain value; a ProgressMeter belongs to one thread at a
// time.

#ifndef RINGCP_CORE_JOB_PROGRESS_H_
#define RINGCP_CORE_JOB_PROGRESS_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "absl/time/time.h"
#include "core/base/mutex.h"

namespace ringcp {

// Always a whole snapshot, never a difference, so whoever misses one is up to date again
// with the next.
struct Progress {
  int64_t bytes_done = 0;        // Of contents in targets; holes count.
  int64_t bytes_total = 0;       // In regular files found so far.
  int64_t files_done = 0;        // Not directories: copied, linked or created.
  int64_t files_total = 0;       // Not directories, found so far.
  int64_t directories_done = 0;  // Created or merged into, with all that is in them.
  int64_t files_skipped = 0;     // Left alone on purpose (Update).
  int64_t files_failed = 0;      // Files and directories not copied whole.
  bool scan_complete = false;    // bytes_total and files_total are final.
  int64_t bytes_per_second = 0;
  // Absent until scan_complete and a rate are known.
  std::optional<absl::Duration> time_remaining;
};

// Adds bytes_per_second and time_remaining to a sequence of snapshots. The rate is that
// of the last kWindow, so that it follows a job that slows down without jumping about.
// Times come from a clock that nobody sets.
class ProgressMeter {
 public:
  static constexpr absl::Duration kWindow = absl::Seconds(5);

  explicit ProgressMeter(SteadyTime start) : start_(start) {}

  // Fills in the rate and the time left of `progress`, as seen at `now`, which never
  // falls from call to call. bytes_done doesn't fall in the snapshots either: if a copy
  // begins anew and takes its bytes back, bytes_done stays until the counters have come
  // up to it again.
  void Measure(SteadyTime now, Progress* progress);

  // The same at the job's end: the rate is that of the whole run, and no time is left.
  void MeasureFinal(SteadyTime now, Progress* progress);

 private:
  struct Sample {
    SteadyTime time;
    int64_t bytes;
  };

  void KeepFromFalling(Progress* progress);

  SteadyTime start_;
  int64_t bytes_done_ = 0;      // In the last snapshot.
  std::deque<Sample> samples_;  // At most one per kSampleInterval, oldest first.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_PROGRESS_H_

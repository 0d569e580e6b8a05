// Tells what a job has in flight and what keeps it from being faster: in the last seconds
// while it runs, and on the whole once it has ended.
//
// Thread-safety: belongs to one thread at a time.

#ifndef RINGCP_CORE_JOB_LIMIT_METER_H_
#define RINGCP_CORE_JOB_LIMIT_METER_H_

#include <deque>
#include <optional>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/base/engine_counters.h"
#include "core/base/engine_report.h"
#include "core/base/mutex.h"
#include "core/job/wait_times.h"
#include "core/kernel/kernel.h"

namespace ringcp {

class LimitMeter {
 public:
  // The span that is told of a job that runs: so much, if somebody has asked before that;
  // more if the last one asked earlier.
  static constexpr absl::Duration kWindow = absl::Seconds(5);

  // The job begins now; `counters` are what its workers count, and outlive the meter.
  LimitMeter(const Kernel& kernel, absl::Span<const EngineCounters> counters);

  void SetThreads(const JobThreads& threads) { threads_ = threads; }
  // Fills in_flight and limited_by in.
  void Measure(const Kernel& kernel, EngineReport* report);
  // The job has ended: from now on, Measure() tells of all of it.
  void End(const Kernel& kernel) { all_ = Sum(kernel); }

 private:
  // Sums closer together say nothing new.
  static constexpr absl::Duration kInterval = absl::Milliseconds(100);

  // What the job has done until now.
  JobTimes Sum(const Kernel& kernel) const;
  // What it has done of `sum` in the last kWindow.
  JobTimes Recent(const JobTimes& sum);

  const absl::Span<const EngineCounters> counters_;
  const SteadyTime start_;
  const absl::Duration cpu_at_start_;
  JobThreads threads_;
  // At most one per kInterval, the oldest first: the last one outside of the window.
  std::deque<JobTimes> sums_ = {JobTimes()};
  std::optional<JobTimes> all_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_LIMIT_METER_H_

// What a job did in a span of time, and what follows about what kept it from being
// faster.
//
//  - The CPU, if the process used most of the time of all CPUs that it may use. If it
//    used that of its workers, and there could be more of them: their number.
//  - A limit of ours, if the workers waited most of the time without having as much under
//    way as there was to do, because of that limit. Then it is also told for what.
//  - Otherwise the side of the copy whose calls have taken more time, all calls that were
//    under way together being added up.
//
// Thread-safety: pure.

#ifndef RINGCP_CORE_JOB_WAIT_TIMES_H_
#define RINGCP_CORE_JOB_WAIT_TIMES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "core/base/engine_counters.h"
#include "core/base/job_limit.h"

namespace ringcp {

// Sums over all workers, as EngineCounters.
struct JobTimes {
  absl::Duration elapsed;
  absl::Duration cpu;  // That the process has used.
  int64_t work_us = 0;
  int64_t wait_us = 0;
  int64_t in_flight_us = 0;
  std::array<int64_t, kJobLimits> wait_limit_us = {};
  int64_t source_us = 0;
  int64_t target_us = 0;

  void Add(const EngineCounters& counters);
  // What has come since `before`, which was the same sum.
  JobTimes Since(const JobTimes& before) const;

  // What was under way at a time, on average: files, directories and links.
  double in_flight() const;
};

// The threads that copied.
struct JobThreads {
  int cpus = 1;  // That the process may use.
  int workers = 1;
  // Why there were not more workers, unless they had nothing to do.
  std::optional<JobLimit> workers_limit = std::nullopt;
};

// Of the time of CPUs or of waiting, from which on it is most of it.
inline constexpr double kCpuShareMin = 0.7;
inline constexpr double kLimitShareMin = 0.5;

// For a person: "the CPU", "the source", "how many files may be in flight
// (--queue-depth), while waiting for the target"; "" if it is not known.
std::string WhatLimited(const JobTimes& span, const JobThreads& threads);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_WAIT_TIMES_H_

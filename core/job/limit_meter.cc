#include "core/job/limit_meter.h"

#include <cmath>

namespace ringcp {

LimitMeter::LimitMeter(const Kernel& kernel, absl::Span<const EngineCounters> counters)
    : counters_(counters), start_(kernel.Now()), cpu_at_start_(kernel.CpuTime()) {}

void LimitMeter::Measure(const Kernel& kernel, EngineReport* report) {
  const JobTimes span = all_.has_value() ? *all_ : Recent(Sum(kernel));
  // Exact figures would change all the time, also of a job that hangs.
  report->in_flight = std::round(10 * span.in_flight()) / 10;
  report->limited_by = WhatLimited(span, threads_);
}

JobTimes LimitMeter::Sum(const Kernel& kernel) const {
  JobTimes sum;
  sum.elapsed = absl::FromChrono(kernel.Now() - start_);
  sum.cpu = kernel.CpuTime() - cpu_at_start_;
  for (const EngineCounters& counters : counters_) sum.Add(counters);
  return sum;
}

JobTimes LimitMeter::Recent(const JobTimes& sum) {
  while (sums_.size() > 1 && sum.elapsed - sums_[1].elapsed >= kWindow) {
    sums_.pop_front();
  }
  const JobTimes span = sum.Since(sums_.front());
  if (sum.elapsed - sums_.back().elapsed >= kInterval) sums_.push_back(sum);
  return span;
}

}  // namespace ringcp

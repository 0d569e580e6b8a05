#include "core/job/wait_times.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace ringcp {
namespace {

// Which side's calls took more time; "" if none took any.
std::string WaitedFor(const JobTimes& span) {
  if (span.source_us == 0 && span.target_us == 0) return "";
  return span.source_us > span.target_us ? "the source" : "the target";
}

}  // namespace

void JobTimes::Add(const EngineCounters& counters) {
  work_us += counters.work_us.value();
  wait_us += counters.wait_us.value();
  in_flight_us += counters.in_flight_us.value();
  for (size_t i = 0; i < kJobLimits; ++i) {
    wait_limit_us[i] += counters.wait_limit_us[i].value();
  }
  source_us += counters.source_us.value();
  target_us += counters.target_us.value();
}

JobTimes JobTimes::Since(const JobTimes& before) const {
  JobTimes span = *this;
  span.elapsed -= before.elapsed;
  span.cpu -= before.cpu;
  span.work_us -= before.work_us;
  span.wait_us -= before.wait_us;
  span.in_flight_us -= before.in_flight_us;
  for (size_t i = 0; i < kJobLimits; ++i) {
    span.wait_limit_us[i] -= before.wait_limit_us[i];
  }
  span.source_us -= before.source_us;
  span.target_us -= before.target_us;
  return span;
}

double JobTimes::in_flight() const {
  if (elapsed <= absl::ZeroDuration()) return 0;
  return static_cast<double>(in_flight_us) / absl::ToDoubleMicroseconds(elapsed);
}

std::string WhatLimited(const JobTimes& span, const JobThreads& threads) {
  const int64_t all_us = span.work_us + span.wait_us;
  if (all_us == 0 || span.elapsed <= absl::ZeroDuration()) return "";
  // How many CPUs were busy.
  const double busy = absl::FDivDuration(span.cpu, span.elapsed);
  if (busy >= kCpuShareMin * threads.cpus) return "the CPU";
  const double waits = static_cast<double>(span.wait_us) / static_cast<double>(all_us);
  if (waits < 1 - kCpuShareMin && busy >= kCpuShareMin * threads.workers) {
    if (!threads.workers_limit.has_value()) return "the CPU";
    return std::string(LimitName(*threads.workers_limit));
  }
  std::string side = WaitedFor(span);
  const auto most =
      std::max_element(span.wait_limit_us.begin(), span.wait_limit_us.end());
  if (*most == 0 ||
      static_cast<double>(*most) < kLimitShareMin * static_cast<double>(span.wait_us)) {
    return side;
  }
  const auto limit = static_cast<JobLimit>(most - span.wait_limit_us.begin());
  std::string name(LimitName(limit));
  // Nobody waits for files while the user is asked.
  if (side.empty() || limit == JobLimit::kAnswers) return name;
  return absl::StrCat(name, ", while waiting for ", side);
}

}  // namespace ringcp

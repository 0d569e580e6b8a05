#include "core/job/wait_times.h"

namespace ringcp {

void WaitTimes::Add(const EngineCounters& counters) {
  const int64_t wait_us = counters.wait_us.value();
  if (wait_us > 0) {
    in_flight_ += static_cast<double>(counters.wait_in_flight_us.value()) /
                  static_cast<double>(wait_us);
  }
  work_us_ += counters.work_us.value();
  wait_us_ += wait_us;
  source_us_ += counters.wait_source_us.value();
  full_us_ += counters.wait_full_us.value();
}

std::string WaitTimes::limit() const {
  const auto all_us = static_cast<double>(work_us_ + wait_us_);
  if (all_us == 0) return "";
  if (static_cast<double>(wait_us_) < kWaitShareMin * all_us) return "the CPU";
  if (2 * full_us_ > wait_us_) {
    return "how many files may be in flight (--queue-depth, open files, memory)";
  }
  return 2 * source_us_ > wait_us_ ? "the source" : "the target";
}

}  // namespace ringcp

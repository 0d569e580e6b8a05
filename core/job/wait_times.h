// What the workers of a job did with their time, and what follows about what limited it.
//
// Thread-safety: none of its own.

#ifndef RINGCP_CORE_JOB_WAIT_TIMES_H_
#define RINGCP_CORE_JOB_WAIT_TIMES_H_

#include <cstdint>
#include <string>

#include "core/base/engine_counters.h"

namespace ringcp {

class WaitTimes {
 public:
  // A job that waits for less than this share of its time is limited by the CPU.
  static constexpr double kWaitShareMin = 0.3;

  void Add(const EngineCounters& counters);

  // Chains and tasks in flight while workers waited: on average, of all of them.
  double in_flight() const { return in_flight_; }
  // For a person: "the CPU", "the source", ...; "" if nothing was done yet.
  std::string limit() const;

 private:
  double in_flight_ = 0;
  int64_t work_us_ = 0;
  int64_t wait_us_ = 0;
  int64_t source_us_ = 0;
  int64_t full_us_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_WAIT_TIMES_H_

// How long the calls of a kernel take, by the side of the copy that they concern, so that
// a job can tell which side it waits for.
//
// Each call is timed at first, and after one that took long: as long as one in kCallsMax
// takes long, all are. Otherwise only one in kCallsMax is timed, and stands for all of
// these, because to look at the clock takes a notable part of the time of a call that
// finds all in memory. One that takes long among these counts for itself alone: most
// likely its thread had to leave the CPU to another one.
//
// Thread-safety: any thread may call all methods.

#ifndef RINGCP_CORE_KERNEL_SIDE_TIMES_H_
#define RINGCP_CORE_KERNEL_SIDE_TIMES_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "core/base/mutex.h"
#include "core/kernel/call_side.h"
#include "core/kernel/op.h"
#include "core/kernel/waited.h"

namespace ringcp {

class SideTimes {
 public:
  // A prime number, so that it is not always the same call of each file that is timed.
  static constexpr int kCallsMax = 31;

  // Carries out `op` by calling `run`, and returns its result.
  template <typename Run>
  int32_t Time(const Op& op, const Run& run) {
    if (to_time == 0 && ++skipped < kCallsMax) return run(op);
    const int calls = to_time > 0 ? 1 : kCallsMax;
    to_time = std::max(to_time - 1, 0);
    skipped = 0;
    const Side side = SideOf(op);
    const SteadyTime start = std::chrono::steady_clock::now();
    const int32_t result = run(op);
    const SteadyTime::duration time = std::chrono::steady_clock::now() - start;
    Add(side, time + (calls - 1) * std::min<SteadyTime::duration>(time, kSlowCallMin));
    if (time >= kSlowCallMin) to_time = kCallsMax;
    return result;
  }

  // `time` has passed for as many calls that concern `side` as it is the sum for.
  void Add(Side side, SteadyTime::duration time) {
    times_[static_cast<size_t>(side)].fetch_add(std::chrono::nanoseconds(time).count(),
                                                std::memory_order_relaxed);
  }

  int64_t microseconds(Side side) const {
    return times_[static_cast<size_t>(side)].load(std::memory_order_relaxed) / 1000;
  }

 private:
  // Of the calling thread: calls that are each to be timed, and then, how many were not
  // since the last one that was.
  static inline thread_local int to_time = kCallsMax;
  static inline thread_local int skipped = 0;

  std::array<std::atomic<int64_t>, 2> times_ = {};  // Nanoseconds.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_SIDE_TIMES_H_

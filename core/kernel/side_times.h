// How long the calls of a kernel take, by the side of the copy that they concern, so that
// a job can tell which side it waits for.
//
// Where calls take long, each of them is timed. Where they don't, only one in kCallsMax
// is, and stands for all of these, because to look at the clock takes a notable part of
// the time of a call that finds all in memory. One that takes long among these counts for
// itself alone: most likely its thread had to leave the CPU to another one.
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
    if (skipped + 1 < gap) {
      ++skipped;
      return run(op);
    }
    skipped = 0;
    const Side side = SideOf(op);
    const SteadyTime start = std::chrono::steady_clock::now();
    const int32_t result = run(op);
    const auto time = std::chrono::steady_clock::now() - start;
    Add(side, time + (gap - 1) * std::min<SteadyTime::duration>(time, kSlowCallMin));
    gap = time >= kSlowCallMin ? 1 : std::min(2 * gap, kCallsMax);
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
  // Of the calling thread: one call in gap is timed, and so many were not since.
  static inline thread_local int gap = 1;
  static inline thread_local int skipped = 0;

  std::array<std::atomic<int64_t>, 2> times_ = {};  // Nanoseconds.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_SIDE_TIMES_H_

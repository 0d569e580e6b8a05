// When those who watch running jobs are told how far these are: all at the same ticks,
// ten times a second if there are few. With many watchers ticks come less often, so that
// telling them never takes much from the copies. A tick comes early after somebody began
// to watch, so that a short job's counters are seen soon.
//
// Thread-safety: none; WatchHub guards it with its lock.

#ifndef RINGCP_AGENT_WATCH_TICKS_H_
#define RINGCP_AGENT_WATCH_TICKS_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include "core/base/mutex.h"

namespace ringcp {

class WatchTicks {
 public:
  // The eye takes this rate for motion, and terminals are redrawn no faster.
  static constexpr std::chrono::milliseconds kInterval{100};
  // One event costs some 50 microseconds of CPU time on both sides. This many a second
  // take 2 percent of one CPU.
  static constexpr int kEventsPerSecondMax = 400;
  // A tick after somebody began to watch comes after this part of the interval. People
  // notice no delay below a twentieth of a second; a quarter of the shortest interval
  // leaves half of that time for the way to the screen.
  static constexpr int kEarlyPart = 4;

  static std::chrono::milliseconds Interval(size_t watchers) {
    const auto needed = std::chrono::milliseconds(watchers * 1000 / kEventsPerSecondMax);
    return std::max(kInterval, needed);
  }

  // Somebody began to watch; they are `watchers` now. Only one tick in two comes early,
  // so that watchers who come one after the other do not make many.
  void Joined(SteadyTime now, size_t watchers) {
    const SteadyTime soon = std::max(now, last_) + Interval(watchers) / kEarlyPart;
    if (watchers == 1) {
      next_ = soon;
    } else if (!was_early_) {
      next_ = std::min(next_, soon);
    } else {
      return;
    }
    is_early_ = true;
  }

  // Somebody has left; they are `watchers` now.
  void Left(SteadyTime now, size_t watchers) {
    next_ = std::min(next_, std::max(now, last_ + Interval(watchers)));
  }

  // There was a tick for `watchers` watchers.
  void Ticked(SteadyTime now, size_t watchers) {
    last_ = now;
    next_ = now + Interval(watchers);
    was_early_ = std::exchange(is_early_, false);
  }

  SteadyTime next() const { return next_; }

 private:
  SteadyTime last_;
  SteadyTime next_;
  bool is_early_ = false;   // The next tick was brought forward.
  bool was_early_ = false;  // The last one was.
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_WATCH_TICKS_H_

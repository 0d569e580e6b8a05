// Tells for what a thread gave up its CPU, as far as the system knows.
//
// Thread-safety: none of their own; ThreadWaits are those of one thread.

#ifndef RINGCP_CORE_KERNEL_WAITED_H_
#define RINGCP_CORE_KERNEL_WAITED_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "core/kernel/kernel.h"

namespace ringcp {

enum class Waited : uint8_t {
  kNot,
  kShortly,  // For a lock, a full queue, or a server nearby: who knows.
  kLong,     // For a device, or for so long that it can hardly have been for a lock.
};

// Calls that take less time are not looked at: they did not wait for a device or server.
// From memory, a stat takes about 1 us, all calls for a small file 10 to 20 us; a read
// from flash takes 100 us and more.
inline constexpr std::chrono::microseconds kSlowCallMin{50};
// What waited for longer did so for a server, if not for a device: locks are not held
// that long.
inline constexpr std::chrono::milliseconds kLongWaitMin{1};

// What a thread has waited for, at most for `time`, by its waits before and after it.
inline Waited WaitedFor(SteadyTime::duration time, const ThreadWaits& before,
                        const ThreadWaits& after) {
  if (time < kSlowCallMin || after.waits == before.waits) return Waited::kNot;
  const bool is_long = time >= kLongWaitMin || after.blocks_read != before.blocks_read;
  return is_long ? Waited::kLong : Waited::kShortly;
}

// What one thread waits for, from one look to the next.
class WaitAccount {
 public:
  // What the thread has waited for until now does not count.
  void Skip(const Kernel& kernel) { seen_ = kernel.Waits(); }
  // What it has waited for since the last look, at most for `time`. So little time that
  // it can't have waited is not worth a look.
  Waited Take(const Kernel& kernel, SteadyTime::duration time) {
    if (time < kSlowCallMin) return Waited::kNot;
    const ThreadWaits before = std::exchange(seen_, kernel.Waits());
    return WaitedFor(time, before, seen_);
  }
  // Whether it has waited for something to be read from a device since the last look.
  bool TakeReads(const Kernel& kernel) {
    const ThreadWaits before = std::exchange(seen_, kernel.Waits());
    return seen_.waits != before.waits && seen_.blocks_read != before.blocks_read;
  }

 private:
  ThreadWaits seen_;
};

// Finds out which waits count. A short one does only if there are two in so many calls:
// threads wait for each other's locks now and then, on any file system.
class WaitFilter {
 public:
  static constexpr int kCallsPerShortWait = 8;

  // `stays_alert`: soon after one that counted, a short one counts by itself.
  explicit WaitFilter(bool stays_alert)
      : short_after_(stays_alert ? kCallsPerShortWait : 0) {}

  // Notes what a call has waited for, and returns whether that counts.
  bool Counts(Waited waited) {
    short_ = waited == Waited::kShortly ? short_ + kCallsPerShortWait
                                        : std::max(0, short_ - 1);
    if (waited != Waited::kLong && short_ <= kCallsPerShortWait) return false;
    short_ = short_after_;
    return true;
  }

 private:
  const int short_after_;
  int short_ = 0;  // Falls by one with each call that does not wait.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_WAITED_H_

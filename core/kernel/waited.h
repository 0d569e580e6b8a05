// For what a thread gave up its CPU, as far as the system tells.
//
// Thread-safety: plain values; ThreadWaits are those of one thread.

#ifndef RINGCP_CORE_KERNEL_WAITED_H_
#define RINGCP_CORE_KERNEL_WAITED_H_

#include <chrono>
#include <cstdint>

#include "core/kernel/kernel.h"

namespace ringcp {

enum class Waited : uint8_t {
  kNot,
  kShortly,  // For a lock, a full queue, or a server nearby: who knows.
  kLong,     // For a device, or for so long that it can hardly have been for a lock.
};

// Calls that take less time are not looked at: they did not wait for a device or server.
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

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_WAITED_H_

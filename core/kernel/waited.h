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
  kLong,     // For a device, or so long that it can't have been for another thread.
};

// What takes less time is not looked at: it did not wait for a device or a server.
constexpr std::chrono::microseconds kSlowMin{50};
// A wait in something that took longer was for a server, if not for a device: locks are
// not held that long.
constexpr std::chrono::milliseconds kLongMin{1};

// What a thread has waited for in something that took `time`, by its waits before and
// after it.
inline Waited WaitedFor(SteadyTime::duration time, const ThreadWaits& before,
                        const ThreadWaits& after) {
  if (time < kSlowMin || after.waits == before.waits) return Waited::kNot;
  const bool is_long = time >= kLongMin || after.blocks_read != before.blocks_read;
  return is_long ? Waited::kLong : Waited::kShortly;
}

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_WAITED_H_

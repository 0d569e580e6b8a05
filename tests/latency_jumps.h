// How long each request to a file system takes in a test of what waits: pseudo-random
// times that jump, by a seed.
//
// Requests come in stretches of kStretch. In half of the stretches none waits. In the
// others one request in four waits, or all requests of one kind wait equally long and no
// others do. So whatever a program learns from how long something took is soon wrong.
//
// Thread-safety: Next() may be called by any thread.

#ifndef RINGCP_TESTS_LATENCY_JUMPS_H_
#define RINGCP_TESTS_LATENCY_JUMPS_H_

#include <atomic>
#include <chrono>
#include <cstdint>

namespace ringcp {

enum class RequestKind : uint8_t { kLook, kOpen, kList, kMake, kMove, kSet, kClose };

class LatencyJumps {
 public:
  static constexpr std::chrono::microseconds kMax{20'000};
  static constexpr uint64_t kStretch = 48;  // Requests.
  static constexpr uint64_t kKinds = 7;

  explicit LatencyJumps(uint64_t seed) : seed_(seed) {}

  // How long the next request takes, which is of `kind`.
  std::chrono::microseconds Next(RequestKind kind) {
    constexpr auto kMicroseconds = static_cast<uint64_t>(kMax.count()) + 1;
    const uint64_t number = requests_.fetch_add(1, std::memory_order_relaxed);
    const uint64_t of_stretch = Mix(seed_ ^ Mix(number / kStretch));
    const uint64_t of_request = Mix(of_stretch + number);
    switch (of_stretch % 4) {
      case 0:
        if (of_request % 4 != 0) return {};
        return std::chrono::microseconds((of_request >> 8) % kMicroseconds);
      case 1:
        if ((of_stretch >> 8) % kKinds != static_cast<uint64_t>(kind)) return {};
        return std::chrono::microseconds((of_stretch >> 16) % kMicroseconds);
      default:
        return {};
    }
  }

 private:
  // Spreads the bits of `number` (SplitMix64).
  static uint64_t Mix(uint64_t number) {
    number += 0x9e3779b97f4a7c15;
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
    number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
    return number ^ (number >> 31);
  }

  const uint64_t seed_;
  std::atomic<uint64_t> requests_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_LATENCY_JUMPS_H_

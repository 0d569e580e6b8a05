// Ways to ask the kernel which of many descriptors can be read or written without
// waiting: select, poll, epoll, SIGIO, and not asking at all.
//
// Thread-safety: belongs to the thread that made it.
// Ownership: descriptors stay the caller's, and must be open while they are watched.

#ifndef RINGCP_BENCH_IO_MODELS_READINESS_H_
#define RINGCP_BENCH_IO_MODELS_READINESS_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ringcp::io_models {

enum class Interest { kNone, kRead, kWrite };

class Readiness {
 public:
  virtual ~Readiness() = default;

  // From now on `descriptor` is watched for `interest` and nothing else. Unavailable if
  // the kernel can't watch such a descriptor in this way.
  virtual absl::Status Watch(int descriptor, Interest interest) = 0;

  // Waits until some watched descriptors are ready, and puts them into `ready`. Some of
  // these may not be ready after all; reading or writing them then returns EAGAIN.
  virtual absl::Status Wait(std::vector<int>* ready) = 0;

  // Whether readiness is reported only once, when it begins. The caller must then go on
  // until EAGAIN, because it is not told again.
  virtual bool tells_once() const { return false; }
};

struct ReadinessModel {
  const char* name;
  absl::StatusOr<std::unique_ptr<Readiness>> (*make)();
};

// Each sets up what it needs from the kernel, and fails if the kernel refuses that.
absl::StatusOr<std::unique_ptr<Readiness>> MakeRetryReadiness();
absl::StatusOr<std::unique_ptr<Readiness>> MakeSelectReadiness();
absl::StatusOr<std::unique_ptr<Readiness>> MakePollReadiness();
absl::StatusOr<std::unique_ptr<Readiness>> MakeEpollReadiness();
absl::StatusOr<std::unique_ptr<Readiness>> MakeSignalReadiness();

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_READINESS_H_

// Ways of asking the kernel which of many descriptors may be read or written without
// waiting: select, poll, epoll, SIGIO, and not asking at all.
//
// Thread-safety: belongs to one thread, the one that made it.
// Ownership: descriptors stay the caller's and are open as long as they are watched.

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

  // From now on `descriptor` is watched for `interest` alone. Unavailable if the kernel
  // can't watch such a descriptor in this way.
  virtual absl::Status Watch(int descriptor, Interest interest) = 0;

  // Waits until some watched descriptors are ready, and puts them into `ready`. Some may
  // turn out not to be: whoever then reads or writes gets EAGAIN.
  virtual absl::Status Wait(std::vector<int>* ready) = 0;

  // Whether readiness is told once, when it begins: who is told must then go on until
  // EAGAIN, or is never told again.
  virtual bool tells_once() const { return false; }
};

struct ReadinessModel {
  const char* name;
  absl::StatusOr<std::unique_ptr<Readiness>> (*make)();
};

// Each asks the kernel to set itself up, and fails if that is refused.
absl::StatusOr<std::unique_ptr<Readiness>> MakeRetryReadiness();
absl::StatusOr<std::unique_ptr<Readiness>> MakeSelectReadiness();
absl::StatusOr<std::unique_ptr<Readiness>> MakePollReadiness();
absl::StatusOr<std::unique_ptr<Readiness>> MakeEpollReadiness();
absl::StatusOr<std::unique_ptr<Readiness>> MakeSignalReadiness();

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_READINESS_H_

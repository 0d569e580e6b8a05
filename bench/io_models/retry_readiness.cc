// Doesn't ask: reports every watched descriptor as ready, always. The caller finds out
// when it reads or writes.

#include <algorithm>

#include "absl/memory/memory.h"
#include "bench/io_models/readiness.h"

namespace ringcp::io_models {
namespace {

class RetryReadiness : public Readiness {
 public:
  absl::Status Watch(int descriptor, Interest interest) override {
    const auto found = std::find(watched_.begin(), watched_.end(), descriptor);
    if (interest == Interest::kNone) {
      if (found != watched_.end()) watched_.erase(found);
    } else if (found == watched_.end()) {
      watched_.push_back(descriptor);
    }
    return absl::OkStatus();
  }

  absl::Status Wait(std::vector<int>* ready) override {
    *ready = watched_;
    return absl::OkStatus();
  }

 private:
  std::vector<int> watched_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Readiness>> MakeRetryReadiness() {
  return std::make_unique<RetryReadiness>();
}

}  // namespace ringcp::io_models

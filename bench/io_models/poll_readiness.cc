// poll(2): a list of descriptors, which the kernel goes through at each call.

#include <poll.h>

#include <cerrno>

#include "bench/io_models/errors.h"
#include "bench/io_models/readiness.h"

namespace ringcp::io_models {
namespace {

class PollReadiness : public Readiness {
 public:
  absl::Status Watch(int descriptor, Interest interest) override {
    // Indexed by descriptor, so that no search is needed; poll() skips negative ones.
    const pollfd unused = {.fd = -1, .events = 0, .revents = 0};
    if (static_cast<size_t>(descriptor) >= entries_.size()) {
      entries_.resize(descriptor + 1, unused);
    }
    pollfd* entry = &entries_[descriptor];
    *entry = unused;
    if (interest == Interest::kNone) return absl::OkStatus();
    entry->fd = descriptor;
    entry->events = interest == Interest::kRead ? POLLIN : POLLOUT;
    return absl::OkStatus();
  }

  absl::Status Wait(std::vector<int>* ready) override {
    ready->clear();
    if (poll(entries_.data(), entries_.size(), -1) < 0) {
      return errno == EINTR ? absl::OkStatus() : Failure("poll", errno);
    }
    for (const pollfd& entry : entries_) {
      if (entry.revents != 0) ready->push_back(entry.fd);
    }
    return absl::OkStatus();
  }

 private:
  std::vector<pollfd> entries_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Readiness>> MakePollReadiness() {
  return std::make_unique<PollReadiness>();
}

}  // namespace ringcp::io_models

// epoll(7), level-triggered: the kernel keeps the list of descriptors, and returns only
// the ready ones.

#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <set>
#include <utility>

#include "bench/io_models/descriptor.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/readiness.h"

namespace ringcp::io_models {
namespace {

class EpollReadiness : public Readiness {
 public:
  // The most events taken by one call; the next call returns the others.
  static constexpr int kEventsMax = 64;

  explicit EpollReadiness(Descriptor epoll) : epoll_(std::move(epoll)) {}

  absl::Status Watch(int descriptor, Interest interest) override {
    // Removed, because a descriptor that is only muted would still report a hang-up.
    int operation = EPOLL_CTL_DEL;
    if (interest == Interest::kNone) {
      if (watched_.erase(descriptor) == 0) return absl::OkStatus();
    } else {
      const bool is_new = watched_.insert(descriptor).second;
      operation = is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    }
    epoll_event event = {};
    event.events = interest == Interest::kRead ? EPOLLIN : EPOLLOUT;
    event.data.fd = descriptor;
    if (epoll_ctl(epoll_.get(), operation, descriptor, &event) == 0) {
      return absl::OkStatus();
    }
    watched_.erase(descriptor);
    // EPERM: this kind of file, for example a regular file, can't be watched.
    return errno == EPERM ? Refusal("epoll_ctl", errno) : Failure("epoll_ctl", errno);
  }

  absl::Status Wait(std::vector<int>* ready) override {
    ready->clear();
    std::array<epoll_event, kEventsMax> events;
    const int count = epoll_wait(epoll_.get(), events.data(), kEventsMax, -1);
    if (count < 0) {
      return errno == EINTR ? absl::OkStatus() : Failure("epoll_wait", errno);
    }
    for (int i = 0; i < count; ++i) ready->push_back(events[i].data.fd);
    return absl::OkStatus();
  }

 private:
  const Descriptor epoll_;
  std::set<int> watched_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Readiness>> MakeEpollReadiness() {
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return Failure("epoll_create1", errno);
  return std::make_unique<EpollReadiness>(std::move(epoll));
}

}  // namespace ringcp::io_models

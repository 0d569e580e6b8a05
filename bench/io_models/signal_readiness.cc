// Signal-driven I/O: the kernel sends a signal when a descriptor becomes ready. A
// real-time signal (F_SETSIG) is queued and names the descriptor. No handler catches the
// signals; they are blocked, and taken one by one with sigtimedwait(2). If their queue is
// full (RLIMIT_SIGPENDING), the kernel sends a plain SIGIO instead, which only says that
// something was lost; poll(2) then tells what is ready.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "absl/memory/memory.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/readiness.h"

namespace ringcp::io_models {
namespace {

absl::Status SetAsync(int descriptor, bool on) {
  const int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0) return Failure("fcntl(F_GETFL)", errno);
  const int wanted = on ? flags | O_ASYNC : flags & ~O_ASYNC;
  if (fcntl(descriptor, F_SETFL, wanted) == 0) return absl::OkStatus();
  return Refusal("fcntl(F_SETFL, O_ASYNC)", errno);
}

class SignalReadiness : public Readiness {
 public:
  SignalReadiness() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGIO);
    sigaddset(&signals_, SIGRTMIN);
    pthread_sigmask(SIG_BLOCK, &signals_, &mask_before_);
  }
  ~SignalReadiness() override {
    for (const auto& [descriptor, interest] : watched_) {
      SetAsync(descriptor, false).IgnoreError();
    }
    // A signal that is left over would end the process as soon as it is unblocked.
    const timespec no_time = {};
    while (sigtimedwait(&signals_, nullptr, &no_time) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }

  absl::Status Watch(int descriptor, Interest interest) override {
    const auto [entry, is_new] = watched_.insert_or_assign(descriptor, interest);
    if (!is_new) return absl::OkStatus();
    const f_owner_ex owner = {.type = F_OWNER_TID, .pid = gettid()};
    if (fcntl(descriptor, F_SETSIG, SIGRTMIN) != 0) {
      return Refusal("fcntl(F_SETSIG)", errno);
    }
    if (fcntl(descriptor, F_SETOWN_EX, &owner) != 0) {
      return Refusal("fcntl(F_SETOWN_EX)", errno);
    }
    // The descriptor may have become ready before.
    look_at_all_ = true;
    return SetAsync(descriptor, true);
  }

  absl::Status Wait(std::vector<int>* ready) override {
    ready->clear();
    if (look_at_all_) return LookAtAll(ready);
    siginfo_t info = {};
    const int number = sigtimedwait(&signals_, &info, nullptr);
    if (number < 0) {
      return errno == EINTR ? absl::OkStatus() : Failure("sigtimedwait", errno);
    }
    if (number == SIGIO) {
      look_at_all_ = true;
    } else if (WantsAnything(info.si_fd)) {
      ready->push_back(info.si_fd);
    }
    return absl::OkStatus();
  }

  bool tells_once() const override { return true; }

 private:
  bool WantsAnything(int descriptor) const {
    const auto found = watched_.find(descriptor);
    return found != watched_.end() && found->second != Interest::kNone;
  }

  absl::Status LookAtAll(std::vector<int>* ready) {
    std::vector<pollfd> entries;
    for (const auto& [descriptor, interest] : watched_) {
      if (interest == Interest::kNone) continue;
      const short events = interest == Interest::kRead ? POLLIN : POLLOUT;
      entries.push_back({.fd = descriptor, .events = events, .revents = 0});
    }
    if (poll(entries.data(), entries.size(), 0) < 0) {
      return errno == EINTR ? absl::OkStatus() : Failure("poll", errno);
    }
    look_at_all_ = false;
    for (const pollfd& entry : entries) {
      if (entry.revents != 0) ready->push_back(entry.fd);
    }
    return absl::OkStatus();
  }

  std::map<int, Interest> watched_;  // By descriptor.
  sigset_t signals_;
  sigset_t mask_before_;
  // Whether signals alone can't tell what is ready.
  bool look_at_all_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Readiness>> MakeSignalReadiness() {
  return std::make_unique<SignalReadiness>();
}

}  // namespace ringcp::io_models

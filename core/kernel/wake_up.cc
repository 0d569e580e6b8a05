#include "core/kernel/wake_up.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "absl/time/time.h"
#include "core/base/check.h"
#include "core/kernel/kernel.h"

namespace ringcp {

WakeUp::~WakeUp() {
  if (event_ >= 0) close(event_);
}

// No wake-up is lost: this sets notified_ and then looks at is_awaited_, BeginWait() sets
// is_awaited_ and then looks at notified_. So at least one of them sees what the other
// has set.
void WakeUp::Notify() {
  if (notified_.exchange(true) || !is_awaited_) return;
  const uint64_t one = 1;
  // Fails only if there is no event, or if its counter is full.
  [[maybe_unused]] const ssize_t written = write(event_, &one, sizeof(one));
}

bool WakeUp::BeginWait() {
  event();
  is_awaited_ = true;
  if (!Take()) return true;
  is_awaited_ = false;
  return false;
}

bool WakeUp::EndWait() {
  is_awaited_ = false;
  return Take();
}

int WakeUp::event() {
  if (event_ < 0) event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return event_;
}

void WakeUp::Drain() {
  uint64_t calls = 0;
  [[maybe_unused]] const ssize_t size = read(event_, &calls, sizeof(calls));
}

void WakeUp::Await(SteadyTime until, std::vector<pollfd>* files) {
  if (!BeginWait()) return;
  files->push_back({.fd = event_, .events = POLLIN, .revents = 0});
  bool is_over = false;
  while (!is_over) {
    auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(
        until - std::chrono::steady_clock::now());
    is_over = left.count() <= 0;
    left = std::max(left, std::chrono::nanoseconds(0));
    if (event_ < 0) left = std::min<std::chrono::nanoseconds>(left, kBlindWait);
    const timespec wait = absl::ToTimespec(absl::FromChrono(left));
    const int ready = ppoll(files->data(), files->size(), &wait, nullptr);
    // A readable event without a call is left over from a call that came just when an
    // earlier wait had ended.
    const int woken = files->back().revents != 0 ? 1 : 0;
    if (woken != 0) Drain();
    is_over = is_over || ready > woken || notified_;
  }
  files->pop_back();
  EndWait();
}

void WaitingKernels::Add(Kernel* kernel) {
  RINGCP_CHECK(std::find(kernels_.begin(), kernels_.end(), kernel) == kernels_.end());
  kernels_.push_back(kernel);
}

bool WaitingKernels::Remove(const Kernel* kernel) {
  const auto found = std::find(kernels_.begin(), kernels_.end(), kernel);
  if (found == kernels_.end()) return false;
  *found = kernels_.back();
  kernels_.pop_back();
  return true;
}

void WaitingKernels::WakeAll() const {
  for (Kernel* const kernel : kernels_) kernel->Wake();
}

}  // namespace ringcp

#include "cli/interrupt_waiter.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "absl/time/clock.h"

namespace ringcp {
namespace {

void Signal(int event) {
  const uint64_t one = 1;
  // Can't fail: the counter is far from its maximum.
  [[maybe_unused]] const ssize_t written = write(event, &one, sizeof(one));
}

// For a signal's handler. `argument` is the eventfd itself, cast to a pointer, so it is
// always valid.
void SignalEvent(void* argument) {
  Signal(static_cast<int>(reinterpret_cast<intptr_t>(argument)));
}

// Waits until one of `events` is signalled. Returns its index, or -1 if none was by
// `deadline`.
template <size_t kCount>
int WaitForAny(const std::array<int, kCount>& events, absl::Time deadline) {
  std::array<pollfd, kCount> polled;
  for (size_t i = 0; i < kCount; ++i) polled[i] = {events[i], POLLIN, 0};
  for (;;) {
    const absl::Duration rest = deadline - absl::Now();
    const int timeout_ms = deadline == absl::InfiniteFuture()
                               ? -1
                               : static_cast<int>(absl::ToInt64Milliseconds(
                                     std::max(rest, absl::ZeroDuration())));
    const int ready = poll(polled.data(), polled.size(), timeout_ms);
    if (ready == 0) return -1;
    if (ready < 0) continue;  // EINTR
    for (size_t i = 0; i < kCount; ++i) {
      if (polled[i].revents != 0) return static_cast<int>(i);
    }
  }
}

}  // namespace

InterruptWaiter::InterruptWaiter(std::function<void()> on_interrupt, absl::Duration grace,
                                 std::function<void()> on_overdue)
    : on_interrupt_(std::move(on_interrupt)),
      grace_(grace),
      on_overdue_(std::move(on_overdue)),
      interrupted_event_(eventfd(0, EFD_CLOEXEC)),
      stopped_event_(eventfd(0, EFD_CLOEXEC)),
      signals_(&SignalEvent,
               // The argument is the descriptor's number, not an address, so it can't
               // dangle.
               // NOLINTNEXTLINE(performance-no-int-to-ptr)
               reinterpret_cast<void*>(static_cast<intptr_t>(interrupted_event_))),
      thread_([this] { Loop(); }) {}

InterruptWaiter::~InterruptWaiter() {
  Signal(stopped_event_);
  thread_.join();
  close(stopped_event_);
  // interrupted_event_ stays open, because a signal's handler may be about to write to
  // it.
}

void InterruptWaiter::Loop() {
  constexpr int kInterrupted = 1;
  const absl::Time forever = absl::InfiniteFuture();
  if (WaitForAny<2>({stopped_event_, interrupted_event_}, forever) != kInterrupted) {
    return;
  }
  on_interrupt_();
  if (WaitForAny<1>({stopped_event_}, absl::Now() + grace_) == -1) on_overdue_();
}

}  // namespace ringcp

#include "cli/interrupt_waiter.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/base/mutex.h"

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
// `deadline`; nothing: there is none.
template <size_t kCount>
int WaitForAny(const std::array<int, kCount>& events,
               std::optional<SteadyTime> deadline) {
  std::array<pollfd, kCount> polled;
  for (size_t i = 0; i < kCount; ++i) polled[i] = {events[i], POLLIN, 0};
  for (;;) {
    int timeout_ms = -1;
    if (deadline.has_value()) {
      const auto rest = std::chrono::ceil<std::chrono::milliseconds>(
          *deadline - std::chrono::steady_clock::now());
      timeout_ms = static_cast<int>(std::max<int64_t>(rest.count(), 0));
    }
    const int ready = poll(polled.data(), polled.size(), timeout_ms);
    if (ready == 0) return -1;
    if (ready < 0) continue;  // EINTR
    for (size_t i = 0; i < kCount; ++i) {
      if (polled[i].revents != 0) return static_cast<int>(i);
    }
  }
}

}  // namespace

InterruptWaiter::InterruptWaiter(std::function<void()> on_interrupt,
                                 std::chrono::milliseconds grace,
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
  if (WaitForAny<2>({stopped_event_, interrupted_event_}, std::nullopt) != kInterrupted) {
    return;
  }
  const SteadyTime overdue = std::chrono::steady_clock::now() + grace_;
  on_interrupt_();
  if (WaitForAny<1>({stopped_event_}, overdue) == -1) on_overdue_();
}

}  // namespace ringcp

// SIGINT and SIGTERM for actions that a signal's handler must not do: a thread of its own
// waits for the signals. A second signal ends the process, as with InterruptSignals.
//
// Thread-safety: caught() may be called by any thread; at most one InterruptWaiter or
// InterruptSignals exists at a time.

#ifndef RINGCP_CLI_INTERRUPT_WAITER_H_
#define RINGCP_CLI_INTERRUPT_WAITER_H_

#include <chrono>
#include <functional>
#include <thread>

#include "cli/interrupt_signals.h"

namespace ringcp {

class InterruptWaiter {
 public:
  // After a signal, calls `on_interrupt` on another thread; if this object still exists
  // `grace` after the signal, also `on_overdue`. `on_interrupt` should return before
  // that.
  InterruptWaiter(std::function<void()> on_interrupt, std::chrono::milliseconds grace,
                  std::function<void()> on_overdue);
  // Waits for a call that is under way; none begins afterwards.
  ~InterruptWaiter();
  InterruptWaiter(const InterruptWaiter&) = delete;
  InterruptWaiter& operator=(const InterruptWaiter&) = delete;

  // The signal that came, or 0.
  int caught() const { return signals_.caught(); }

 private:
  void Loop();

  const std::function<void()> on_interrupt_;
  const std::chrono::milliseconds grace_;
  const std::function<void()> on_overdue_;
  const int interrupted_event_;  // An eventfd that the signal's handler writes to.
  const int stopped_event_;      // An eventfd that the destructor writes to.
  InterruptSignals signals_;
  std::thread thread_;  // Last, because it uses the others immediately.
};

}  // namespace ringcp

#endif  // RINGCP_CLI_INTERRUPT_WAITER_H_

// SIGINT and SIGTERM for what can't be done in a signal's handler: a thread of its own
// waits for them. A second signal ends the process, as with InterruptSignals.
//
// Thread-safety: caught() may be called by any thread; at most one InterruptWaiter or
// InterruptSignals exists at a time.

#ifndef RINGCP_CLI_INTERRUPT_WAITER_H_
#define RINGCP_CLI_INTERRUPT_WAITER_H_

#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "cli/interrupt_signals.h"

namespace ringcp {

class InterruptWaiter {
 public:
  // After a signal, calls `on_interrupt` on another thread; if this still exists `grace`
  // later, `on_overdue` too.
  InterruptWaiter(std::function<void()> on_interrupt, absl::Duration grace,
                  std::function<void()> on_overdue);
  // Waits for a call that is under way; there is none after it.
  ~InterruptWaiter();
  InterruptWaiter(const InterruptWaiter&) = delete;
  InterruptWaiter& operator=(const InterruptWaiter&) = delete;

  // The signal that came, or 0.
  int caught() const { return signals_.caught(); }

 private:
  void Loop();

  const std::function<void()> on_interrupt_;
  const absl::Duration grace_;
  const std::function<void()> on_overdue_;
  const int interrupted_event_;  // An eventfd that the signal's handler writes to.
  const int stopped_event_;      // An eventfd that the destructor writes to.
  InterruptSignals signals_;
  std::thread thread_;  // Last, because it uses the others at once.
};

}  // namespace ringcp

#endif  // RINGCP_CLI_INTERRUPT_WAITER_H_

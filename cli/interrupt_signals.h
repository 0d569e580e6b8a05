// SIGINT, SIGTERM and, if wanted, SIGHUP for a program that cleans up: the first signal
// asks it to end; the second one ends the process immediately, in case the clean-up
// hangs.
//
//   InterruptSignals signals([](void* job) { static_cast<CopyJob*>(job)->Cancel(); },
//                            &job);
//   ...
//   if (signals.caught() != 0) return ExitCodeOfSignal(signals.caught());
//
// System calls are not restarted after a signal. So a call that may wait for ever
// (opening a FIFO) returns, and the job notices that it was cancelled.
//
// Thread-safety: caught() may be called by any thread; at most one InterruptSignals
// exists at a time.

#ifndef RINGCP_CLI_INTERRUPT_SIGNALS_H_
#define RINGCP_CLI_INTERRUPT_SIGNALS_H_

#include <signal.h>

namespace ringcp {

class InterruptSignals {
 public:
  // Called with `argument` in the signal's handler, so it must be async-signal-safe.
  using Action = void (*)(void* argument);

  // Whether SIGHUP, which comes when a terminal or a connection ends, is one of the
  // signals.
  enum class Hangup { kIsLeft, kInterrupts };

  // From now on the first signal calls `action`. A signal that is already ignored (by
  // nohup, or in a script's background job) stays ignored.
  // REQUIRES: `argument` is valid for as long as this lives.
  InterruptSignals(Action action, void* argument, Hangup hangup = Hangup::kIsLeft);
  // Restores the former handlers.
  ~InterruptSignals();
  InterruptSignals(const InterruptSignals&) = delete;
  InterruptSignals& operator=(const InterruptSignals&) = delete;

  // The signal that came, or 0.
  int caught() const;

 private:
  struct sigaction former_interrupt_;
  struct sigaction former_terminate_;
  struct sigaction former_hangup_;
};

}  // namespace ringcp

#endif  // RINGCP_CLI_INTERRUPT_SIGNALS_H_

#include "cli/interrupt_signals.h"

#include <errno.h>
#include <unistd.h>

#include <atomic>

#include "cli/end_program.h"
#include "cli/exit_code.h"

namespace ringcp {
namespace {

// What the handler uses. The atomics are lock-free, so they are async-signal-safe.
std::atomic<InterruptSignals::Action> g_action = nullptr;
std::atomic<void*> g_argument = nullptr;
std::atomic<int> g_caught = 0;
static_assert(std::atomic<void*>::is_always_lock_free &&
              std::atomic<int>::is_always_lock_free);

void Handle(int number) {
  const int former_errno = errno;
  int none = 0;
  if (!g_caught.compare_exchange_strong(none, number)) {
    EndBySignal(number);
    _exit(ExitCodeOfSignal(number));
  }
  g_action.load()(g_argument.load());
  errno = former_errno;
}

struct sigaction Install(int number) {
  struct sigaction former = {};
  sigaction(number, nullptr, &former);
  if (former.sa_handler == SIG_IGN) return former;
  struct sigaction handler = {};
  handler.sa_handler = &Handle;
  sigemptyset(&handler.sa_mask);
  sigaction(number, &handler, nullptr);
  return former;
}

}  // namespace

InterruptSignals::InterruptSignals(Action action, void* argument, Hangup hangup) {
  g_caught = 0;
  g_argument = argument;
  g_action = action;
  former_interrupt_ = Install(SIGINT);
  former_terminate_ = Install(SIGTERM);
  if (hangup == Hangup::kInterrupts) {
    former_hangup_ = Install(SIGHUP);
  } else {
    sigaction(SIGHUP, nullptr, &former_hangup_);
  }
}

InterruptSignals::~InterruptSignals() {
  sigaction(SIGINT, &former_interrupt_, nullptr);
  sigaction(SIGTERM, &former_terminate_, nullptr);
  sigaction(SIGHUP, &former_hangup_, nullptr);
}

int InterruptSignals::caught() const { return g_caught; }

}  // namespace ringcp

#include "cli/end_program.h"

#include <signal.h>

#include "cli/exit_code.h"

namespace ringcp {

int EndProgram(int exit_code) {
  const int number = exit_code - ExitCodeOfSignal(0);
  if (number == SIGINT || number == SIGTERM || number == SIGHUP) EndBySignal(number);
  return exit_code;
}

void EndBySignal(int number) {
  struct sigaction by_default = {};
  by_default.sa_handler = SIG_DFL;
  sigemptyset(&by_default.sa_mask);
  sigaction(number, &by_default, nullptr);
  sigset_t unblocked;
  sigemptyset(&unblocked);
  sigaddset(&unblocked, number);
  pthread_sigmask(SIG_UNBLOCK, &unblocked, nullptr);
  raise(number);
}

}  // namespace ringcp

// Ends a program as GNU cp ends: one that a signal has interrupted dies by that signal
// once it has cleaned up, so that a shell's loop or script ends with it. (A shell goes on
// if Ctrl-C only makes a program exit with 130.)
//
// Thread-safety: EndProgram() is for the main thread, when it has cleaned up; any thread
// may call EndBySignal().

#ifndef RINGCP_CLI_END_PROGRAM_H_
#define RINGCP_CLI_END_PROGRAM_H_

namespace ringcp {

// What main() returns for `exit_code`. Does not return if that is the ExitCodeOfSignal()
// of one that ends a process, which it does unless the process is the first of its PID
// namespace.
int EndProgram(int exit_code);

// Has signal `number` end the process as if nothing handled it. Async-signal-safe.
// Returns if the process is the first of its PID namespace.
void EndBySignal(int number);

}  // namespace ringcp

#endif  // RINGCP_CLI_END_PROGRAM_H_

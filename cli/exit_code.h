// The exit codes of the programs; their --help documents them.
//
// Thread-safety: constants.

#ifndef RINGCP_CLI_EXIT_CODE_H_
#define RINGCP_CLI_EXIT_CODE_H_

namespace ringcp {

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure = 1;            // Not everything was copied; bad usage.
inline constexpr int kExitAgentUnreachable = 69;  // EX_UNAVAILABLE of <sysexits.h>
inline constexpr int kExitAgentRefusedForNow = 75;  // EX_TEMPFAIL of <sysexits.h>

// The exit code if signal `number` ended the program, as in shells: 130 for SIGINT. See
// EndProgram().
inline constexpr int ExitCodeOfSignal(int number) { return 128 + number; }

}  // namespace ringcp

#endif  // RINGCP_CLI_EXIT_CODE_H_

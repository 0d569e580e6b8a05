// What the programs exit with; documented in their --help.
//
// Thread-safety: constants.

#ifndef RINGCP_CLI_EXIT_CODE_H_
#define RINGCP_CLI_EXIT_CODE_H_

namespace ringcp {

inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure = 1;            // Not everything was copied; bad usage.
inline constexpr int kExitAgentUnreachable = 69;  // EX_UNAVAILABLE of <sysexits.h>
inline constexpr int kExitAgentRefusedForNow = 75;  // EX_TEMPFAIL of <sysexits.h>

// Ended by signal `number`, as a shell would report it: 130 for SIGINT.
inline constexpr int ExitCodeOfSignal(int number) { return 128 + number; }

}  // namespace ringcp

#endif  // RINGCP_CLI_EXIT_CODE_H_

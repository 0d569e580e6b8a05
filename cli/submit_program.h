// Where ringcp becomes ringcp-submit, the program that hands a job to an agent.
//
// Why a program of its own: gRPC has 36,000 addresses to relocate and hundreds of static
// initializers. In ringcp they made up a third of the time of copying a small file.
// Alternatives were fixed addresses (-no-pie, not for what root runs on other people's
// trees) and a shared library loaded on demand, whose symbols and static initializers
// would have to be kept apart from ours.
//
// Thread-safety: called by main(), before there are other threads.

#ifndef RINGCP_CLI_SUBMIT_PROGRAM_H_
#define RINGCP_CLI_SUBMIT_PROGRAM_H_

namespace ringcp {

// The name of the program, which is beside the one that runs.
inline constexpr char kSubmitProgram[] = "ringcp-submit";

// Replaces this process by ringcp-submit with the same arguments, argv[0] among them, so
// that its messages look like this program's. Returns only if that fails: the exit code,
// the failure having been told on standard error.
int ExecSubmitProgram(char** argv);

}  // namespace ringcp

#endif  // RINGCP_CLI_SUBMIT_PROGRAM_H_

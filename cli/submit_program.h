// ringcp becomes ringcp-submit here, the program that submits a job to an agent.
//
// They are two programs because gRPC's relocations and static initializers would make up
// a third of the time of copying a small file. Alternatives were fixed addresses
// (-no-pie, too unsafe for a program that root runs on other people's trees) and a shared
// library loaded on demand (its symbols and static initializers would have to be kept
// apart from ours).
//
// Thread-safety: called by main(), before there are other threads.

#ifndef RINGCP_CLI_SUBMIT_PROGRAM_H_
#define RINGCP_CLI_SUBMIT_PROGRAM_H_

namespace ringcp {

// The name of the program, which lies beside the running one.
inline constexpr char kSubmitProgram[] = "ringcp-submit";

// Replaces this process by ringcp-submit with the same arguments, including argv[0], so
// that its messages look like this program's. Returns only if that fails: prints the
// failure on standard error, and returns the exit code.
int ExecSubmitProgram(char** argv);

}  // namespace ringcp

#endif  // RINGCP_CLI_SUBMIT_PROGRAM_H_

// ringcp becomes another program here: one that lies beside it and does what ringcp does
// not do itself. Both get ringcp's whole command line.
//
// Only ringcp calls this, never a companion: so no chain of programs can become a loop,
// and whom a companion belongs to is asked before a preloaded library can answer.
//
// Thread-safety: called by main(), before there are other threads.

#ifndef RINGCP_CLI_COMPANION_PROGRAM_H_
#define RINGCP_CLI_COMPANION_PROGRAM_H_

namespace ringcp {

struct CompanionProgram {
  const char* name;     // It lies in the directory of the running program.
  const char* task;     // What it does, as a message says it: "talks to the agent".
  const char* way_out;  // What else the user can do if it can't be run; may be empty.
};

// Submits a job to an agent. It is a program of its own because gRPC's relocations and
// static initializers would make up a third of the time of copying a small file.
// Alternatives were fixed addresses (-no-pie, too unsafe for a program that root runs on
// other people's trees) and a shared library loaded on demand (its symbols and static
// initializers would have to be kept apart from ours).
inline constexpr CompanionProgram kSubmitProgram = {
    .name = "ringcp-submit", .task = "talks to the agent", .way_out = ""};

// ringcp's twin: built from the same sources, but linked dynamically, so that libraries
// named in LD_PRELOAD can stand in for the C library's calls, or libselinux can be
// loaded.
inline constexpr CompanionProgram kDynamicProgram = {
    .name = "ringcp-dynamic",
    .task = "heeds LD_PRELOAD",
    .way_out = " (unset LD_PRELOAD to copy without it)"};

inline constexpr CompanionProgram kLabellingProgram = {
    .name = kDynamicProgram.name, .task = "asks SELinux's policy", .way_out = ""};

// Replaces this process by `program` with the same arguments, including argv[0], so that
// its messages look like this program's. Returns only if that fails: prints the failure
// on standard error, and returns the exit code.
int ExecCompanion(const CompanionProgram& program, char** argv);

}  // namespace ringcp

#endif  // RINGCP_CLI_COMPANION_PROGRAM_H_

// A copy job in an agent, from the command line to the exit code.
//
// Thread-safety: called once, by the main thread, before there are other threads.

#ifndef RINGCP_CLI_AGENT_JOB_H_
#define RINGCP_CLI_AGENT_JOB_H_

#include <string>

#include "cli/copy_command_line.h"

namespace ringcp {

// Submits the job of `command_line` to its agent, with relative paths made absolute, and
// follows it unless --detach was given. SIGINT or SIGTERM cancels the job. Messages begin
// with `program` (argv[0]). Returns the exit code.
// REQUIRES: command_line.action is kCopy, and it has an agent_address.
int RunAgentJob(const CopyCommandLine& command_line, const std::string& program);

}  // namespace ringcp

#endif  // RINGCP_CLI_AGENT_JOB_H_

// A copy job in this process, from the command line to the exit code.
//
// Thread-safety: called once, by the main thread, before there are other threads.

#ifndef RINGCP_CLI_LOCAL_JOB_H_
#define RINGCP_CLI_LOCAL_JOB_H_

#include <string>

#include "cli/copy_command_line.h"

namespace ringcp {

// Copies what `command_line` says and reports on it, in messages that begin with
// `program` (argv[0]). SIGINT, SIGTERM or SIGHUP cancels the job, which leaves no
// half-written file. Returns the exit code.
// REQUIRES: command_line.action is kCopy.
int RunLocalJob(const CopyCommandLine& command_line, const std::string& program);

}  // namespace ringcp

#endif  // RINGCP_CLI_LOCAL_JOB_H_

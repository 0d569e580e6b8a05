// What ringcp, ringcp-submit and ringcp-dynamic, the programs with ringcp's command line,
// have in common.
//
// Thread-safety: called once, by main(), before there are other threads.

#ifndef RINGCP_CLI_COPY_PROGRAM_H_
#define RINGCP_CLI_COPY_PROGRAM_H_

#include <functional>
#include <string>

#include "cli/copy_command_line.h"

namespace ringcp {

// Runs a job and reports on it; `program` is argv[0]. Returns the exit code.
using RunCopy =
    std::function<int(const CopyCommandLine& command_line, const std::string& program)>;

// Does what the command line asks for; a copy is done by `run`. Returns the exit code.
int RunCopyProgram(int argc, char** argv, const RunCopy& run);

}  // namespace ringcp

#endif  // RINGCP_CLI_COPY_PROGRAM_H_

// What the programs that take ringcp's command line have in common: ringcp itself and
// ringcp-submit.
//
// Thread-safety: called once, by main(), before there are other threads.

#ifndef RINGCP_CLI_COPY_PROGRAM_H_
#define RINGCP_CLI_COPY_PROGRAM_H_

#include <functional>
#include <string>

#include "cli/copy_command_line.h"

namespace ringcp {

// Runs a job and tells about it; `program` is argv[0]. Returns the exit code.
using RunCopy =
    std::function<int(CopyCommandLine& command_line, const std::string& program)>;

// Does what the command line says, with `run` where that is a copy. Returns the exit
// code.
int RunCopyProgram(int argc, char** argv, const RunCopy& run);

}  // namespace ringcp

#endif  // RINGCP_CLI_COPY_PROGRAM_H_

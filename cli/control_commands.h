// The commands of `ringcpctl`, from the command line to the exit code.
//
// Thread-safety: called once, by the main thread, before there are other threads.

#ifndef RINGCP_CLI_CONTROL_COMMANDS_H_
#define RINGCP_CLI_CONTROL_COMMANDS_H_

#include <string>

#include "cli/control_command_line.h"

namespace ringcp {

// Carries out `command_line`. Messages begin with `program` (argv[0]). Returns the exit
// code.
// REQUIRES: the command is neither kShowHelp nor kShowVersion.
int RunControlCommand(const ControlCommandLine& command_line, const std::string& program);

}  // namespace ringcp

#endif  // RINGCP_CLI_CONTROL_COMMANDS_H_

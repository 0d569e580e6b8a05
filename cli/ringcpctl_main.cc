// ringcpctl: shows, watches and cancels the jobs of a copy agent.

#include <stdlib.h>

#include <string>
#include <variant>

#include "cli/control_command_line.h"
#include "cli/control_commands.h"
#include "cli/control_help.h"
#include "cli/copy_help.h"
#include "cli/end_program.h"
#include "cli/usage.h"
#include "core/kernel/standard_streams.h"

RINGCP_OCCUPY_STANDARD_STREAMS_BEFORE_LIBRARIES

int main(int argc, char** argv) {
  using ringcp::ControlCommandLine;
  const std::string program = argv[0];

  const auto parsed = ringcp::ParseControlCommandLine(argc, argv, getenv("RINGCP_AGENT"));
  if (const auto* error = std::get_if<ringcp::UsageError>(&parsed)) {
    return ringcp::ReportUsageError(program, *error);
  }
  const auto& command_line = std::get<ControlCommandLine>(parsed);
  switch (command_line.command) {
    case ControlCommandLine::Command::kShowHelp:
      return ringcp::PrintText(program, ringcp::ControlHelp(program));
    case ControlCommandLine::Command::kShowVersion:
      return ringcp::PrintText(program, ringcp::VersionText("ringcpctl"));
    default:
      return ringcp::EndProgram(ringcp::RunControlCommand(command_line, program));
  }
}

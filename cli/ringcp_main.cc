// ringcp: copies files as GNU cp does, in its own process or through an agent.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <string>
#include <variant>

#include "cli/agent_job.h"
#include "cli/copy_command_line.h"
#include "cli/copy_help.h"
#include "cli/local_job.h"
#include "cli/standard_streams.h"
#include "cli/usage.h"
#include "core/open_files.h"

int main(int argc, char** argv) {
  using ringcp::CopyCommandLine;
  ringcp::OccupyStandardStreams();
  // Nobody reading -v's lines is an error that is told at the end, not the copy's death.
  signal(SIGPIPE, SIG_IGN);
  const std::string program = argv[0];

  auto parsed = ringcp::ParseCopyCommandLine(argc, argv, getenv("RINGCP_AGENT"));
  if (const auto* error = std::get_if<ringcp::UsageError>(&parsed)) {
    return ringcp::ReportUsageError(program, *error);
  }
  CopyCommandLine& command_line = std::get<CopyCommandLine>(parsed);
  switch (command_line.action) {
    case CopyCommandLine::Action::kShowHelp:
      return ringcp::PrintText(program, ringcp::CopyHelp(program));
    case CopyCommandLine::Action::kShowVersion:
      return ringcp::PrintText(program, ringcp::VersionText("ringcp"));
    case CopyCommandLine::Action::kCopy:
      break;
  }
  if (command_line.agent_address.has_value()) {
    return ringcp::RunAgentJob(command_line, program);
  }
  const mode_t mask = umask(0);
  umask(mask);
  command_line.request.options.umask = mask;
  ringcp::RaiseOpenFilesMax();
  return ringcp::RunLocalJob(command_line, program);
}

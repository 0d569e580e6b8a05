// ringcp-submit: the part of ringcp that submits a job to an agent. ringcp becomes this
// program, with the same arguments; companion_program.h says why they are two programs.

#include <string>

#include "cli/agent_job.h"
#include "cli/copy_program.h"
#include "cli/end_program.h"
#include "cli/usage.h"
#include "core/kernel/standard_streams.h"

RINGCP_OCCUPY_STANDARD_STREAMS_BEFORE_LIBRARIES

int main(int argc, char** argv) {
  using ringcp::CopyCommandLine;
  return ringcp::EndProgram(ringcp::RunCopyProgram(
      argc, argv, [](const CopyCommandLine& command_line, const std::string& program) {
        if (!command_line.agent_address.has_value()) {
          return ringcp::ReportUsageError(
              program, {.message = "no agent is named; run ringcp to copy without one"});
        }
        return ringcp::RunAgentJob(command_line, program);
      }));
}

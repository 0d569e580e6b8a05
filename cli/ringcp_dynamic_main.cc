// ringcp-dynamic: ringcp, but linked dynamically. ringcp becomes this program, with the
// same arguments, where LD_PRELOAD is set, or to ask SELinux's policy;
// companion_program.h says why. Run by itself it copies as ringcp does.

#include <dlfcn.h>

#include <string>

#include "cli/copy_program.h"
#include "cli/end_program.h"
#include "cli/local_job.h"
#include "cli/usage.h"
#include "core/kernel/security_labels.h"
#include "core/kernel/standard_streams.h"

// A preloaded library may open files before main().
RINGCP_OCCUPY_STANDARD_STREAMS_BEFORE_LIBRARIES

int main(int argc, char** argv) {
  ringcp::LoadLibrariesBy({.open = dlopen, .find = dlsym});
  using ringcp::CopyCommandLine;
  return ringcp::EndProgram(ringcp::RunCopyProgram(
      argc, argv, [](const CopyCommandLine& command_line, const std::string& program) {
        if (command_line.agent_address.has_value()) {
          return ringcp::ReportUsageError(
              program, {.message = "an agent is named; run ringcp to submit to it"});
        }
        return ringcp::RunLocalJob(command_line, program);
      }));
}

// ringcp: copies files as GNU cp does, in its own process or through an agent.

#include <sys/stat.h>

#include <string>

#include "cli/copy_program.h"
#include "cli/end_program.h"
#include "cli/local_job.h"
#include "cli/submit_program.h"
#include "core/kernel/open_files.h"
#include "core/kernel/standard_streams.h"

int main(int argc, char** argv) {
  ringcp::OccupyStandardStreams();
  using ringcp::CopyCommandLine;
  return ringcp::EndProgram(ringcp::RunCopyProgram(
      argc, argv, [argv](CopyCommandLine& command_line, const std::string& program) {
        if (command_line.agent_address.has_value()) {
          return ringcp::ExecSubmitProgram(argv);
        }
        const mode_t mask = umask(0);
        umask(mask);
        command_line.request.options.umask = mask;
        ringcp::RaiseOpenFilesMax();
        return ringcp::RunLocalJob(command_line, program);
      }));
}

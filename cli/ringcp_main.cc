// ringcp: copies files as GNU cp does, in its own process or through an agent.

#include <unistd.h>

#include <string>

#include "cli/companion_program.h"
#include "cli/copy_program.h"
#include "cli/end_program.h"
#include "cli/local_job.h"
#include "core/kernel/preloaded_libraries.h"
#include "core/kernel/standard_streams.h"

namespace {

bool MayHaveSelinux() { return access("/sys/fs/selinux/enforce", F_OK) == 0; }

}  // namespace

int main(int argc, char** argv) {
  ringcp::OccupyStandardStreams();
  using ringcp::CopyCommandLine;
  return ringcp::EndProgram(ringcp::RunCopyProgram(
      argc, argv,
      [argv](const CopyCommandLine& command_line, const std::string& program) {
        if (command_line.agent_address.has_value()) {
          return ringcp::ExecCompanion(ringcp::kSubmitProgram, argv);
        }
        // Being linked statically, this program would go past the libraries: under
        // fakeroot, files would silently get the wrong owners. So without its twin it
        // copies nothing.
        if (ringcp::LibrariesArePreloaded()) {
          return ringcp::ExecCompanion(ringcp::kDynamicProgram, argv);
        }
        // What the policy says is known to libselinux, which can't be loaded here.
        if (command_line.request.options.default_context && MayHaveSelinux()) {
          return ringcp::ExecCompanion(ringcp::kLabellingProgram, argv);
        }
        return ringcp::RunLocalJob(command_line, program);
      }));
}

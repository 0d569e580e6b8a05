// The command line of `ringcpctl`.
//
// Thread-safety: ParseControlCommandLine() keeps its place in globals, because getopt
// does: one call at a time, before there are threads.

#ifndef RINGCP_CLI_CONTROL_COMMAND_LINE_H_
#define RINGCP_CLI_CONTROL_COMMAND_LINE_H_

#include <string>
#include <variant>

#include "cli/usage.h"

namespace ringcp {

struct ControlCommandLine {
  enum class Command { kJobs, kShow, kWatch, kCancel, kInfo, kShowHelp, kShowVersion };

  Command command = Command::kShowHelp;
  // Of the job that kShow, kWatch and kCancel are about: "jobs/<id>", also if it was
  // typed without "jobs/".
  std::string job_name;
  std::string agent_address;  // Empty for the default address.
  bool json = false;
};

// Reads `argv`, which ends with a null pointer and whose options getopt moves to the
// front. `environment_agent` is the value of RINGCP_AGENT, null if it is not set.
std::variant<ControlCommandLine, UsageError> ParseControlCommandLine(
    int argc, char** argv, const char* environment_agent);

}  // namespace ringcp

#endif  // RINGCP_CLI_CONTROL_COMMAND_LINE_H_

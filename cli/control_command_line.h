// The command line of `ringcpctl`.
//
// Thread-safety: none, because getopt keeps its place in globals. Call
// ParseControlCommandLine() before there are other threads.

#ifndef RINGCP_CLI_CONTROL_COMMAND_LINE_H_
#define RINGCP_CLI_CONTROL_COMMAND_LINE_H_

#include <string>
#include <variant>

#include "cli/usage.h"

namespace ringcp {

struct ControlCommandLine {
  enum class Command { kJobs, kShow, kWatch, kCancel, kInfo, kShowHelp, kShowVersion };

  Command command = Command::kShowHelp;
  // For kShow, kWatch and kCancel: the job's name "jobs/<id>", even if it was typed
  // without "jobs/".
  std::string job_name;
  std::string agent_address;  // Empty for the default address.
  std::string agent_user;     // Whose agent it may be besides; empty: nobody else's.
  bool json = false;
};

// Reads `argv`, which ends with a null pointer; getopt moves its options to the front.
// `environment_agent` is the value of RINGCP_AGENT, null if it is not set.
std::variant<ControlCommandLine, UsageError> ParseControlCommandLine(
    int argc, char** argv, const char* environment_agent);

}  // namespace ringcp

#endif  // RINGCP_CLI_CONTROL_COMMAND_LINE_H_

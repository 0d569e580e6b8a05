// The command line of `ringcp`, read as GNU cp reads its own.
//
// Thread-safety: none, because getopt keeps its place in globals. Call
// ParseCopyCommandLine() before there are other threads.

#ifndef RINGCP_CLI_COPY_COMMAND_LINE_H_
#define RINGCP_CLI_COPY_COMMAND_LINE_H_

#include <optional>
#include <string>
#include <variant>

#include "cli/progress_mode.h"
#include "cli/usage.h"
#include "core/base/copy_options.h"

namespace ringcp {

struct CopyCommandLine {
  enum class Action { kCopy, kShowHelp, kShowVersion };

  Action action = Action::kCopy;
  // The members below are meaningful for kCopy only. request.options.umask is not set.
  CopyRequest request;
  ProgressMode progress = ProgressMode::kAuto;
  // The agent to submit to; empty for the default address. Absent: this process copies.
  std::optional<std::string> agent_address;
  bool detach = false;
  bool verbose = false;
  bool debug = false;
};

// Reads `argv`, which ends with a null pointer; getopt moves its options to the front.
// `environment_agent` is the value of RINGCP_AGENT, null if it is not set.
std::variant<CopyCommandLine, UsageError> ParseCopyCommandLine(
    int argc, char** argv, const char* environment_agent);

}  // namespace ringcp

#endif  // RINGCP_CLI_COPY_COMMAND_LINE_H_

// The command line of `ringcp`, read as GNU cp reads its own.
//
// Thread-safety: ParseCopyCommandLine() keeps its place in globals, because getopt does:
// one call at a time, before there are threads.

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
  // The rest means something for kCopy only. request.options.umask is left as it is.
  CopyRequest request;
  ProgressMode progress = ProgressMode::kAuto;
  // The agent to submit to; empty for the default address; absent to copy in this
  // process.
  std::optional<std::string> agent_address;
  bool detach = false;
  bool verbose = false;
  bool debug = false;
};

// Reads `argv`, which ends with a null pointer and whose options getopt moves to the
// front. `environment_agent` is the value of RINGCP_AGENT, null if it is not set.
std::variant<CopyCommandLine, UsageError> ParseCopyCommandLine(
    int argc, char** argv, const char* environment_agent);

}  // namespace ringcp

#endif  // RINGCP_CLI_COPY_COMMAND_LINE_H_

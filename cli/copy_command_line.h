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
  // Whose agent it may be, besides root's and the user's own; empty: nobody else's.
  std::string agent_user;
  bool detach = false;
  bool verbose = false;
  bool debug = false;
};

// What the environment says.
struct CopyEnvironment {
  // Of the process.
  static CopyEnvironment Get();

  std::string agent = {};                 // RINGCP_AGENT
  std::string version_control = {};       // VERSION_CONTROL
  std::string simple_backup_suffix = {};  // SIMPLE_BACKUP_SUFFIX
};

// Reads `argv`, which ends with a null pointer; getopt moves its options to the front.
std::variant<CopyCommandLine, UsageError> ParseCopyCommandLine(
    int argc, char** argv, const CopyEnvironment& environment);

}  // namespace ringcp

#endif  // RINGCP_CLI_COPY_COMMAND_LINE_H_

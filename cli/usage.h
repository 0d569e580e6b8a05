// What the programs do with a wrong command line and with --help.
//
// Thread-safety: called by main(), before there are other threads.

#ifndef RINGCP_CLI_USAGE_H_
#define RINGCP_CLI_USAGE_H_

#include <string>

namespace ringcp {

// Why a command line was refused.
struct UsageError {
  // Lines without the program's name in front and without the last newline. Empty if
  // getopt has already written its own message to standard error.
  std::string message;
  // Whether "Try 'PROGRAM --help' for more information." follows, as in GNU cp.
  bool suggest_help = true;
};

// The line that leads to --help; `program` is argv[0].
std::string HelpHint(const std::string& program);

// Prints `error` on standard error as GNU cp does; `program` is argv[0]. Returns the exit
// code.
int ReportUsageError(const std::string& program, const UsageError& error);

// Writes `text` and a newline to standard output. Returns the exit code; reports a
// failure on standard error.
int PrintText(const std::string& program, const std::string& text);

}  // namespace ringcp

#endif  // RINGCP_CLI_USAGE_H_

// The command line of io_models.
//
// Thread-safety: none, because getopt keeps its place in globals. Call ParseCommandLine()
// before there are other threads.

#ifndef RINGCP_BENCH_IO_MODELS_COMMAND_LINE_H_
#define RINGCP_BENCH_IO_MODELS_COMMAND_LINE_H_

#include <string>
#include <variant>

#include "bench/io_models/runner.h"
#include "cli/usage.h"

namespace ringcp::io_models {

struct CommandLine {
  enum class Action { kRun, kList, kShowHelp };

  Action action = Action::kRun;
  RunOptions options;  // For kRun.
  bool json = false;
  std::string chart_path;  // Empty for none.
};

// Reads `argv`, which ends with a null pointer; getopt moves its options to the front.
// Files go to `default_directory` unless an option names another one.
std::variant<CommandLine, UsageError> ParseCommandLine(
    int argc, char** argv, const std::string& default_directory);

// What --help and --list print.
std::string HelpText(const std::string& program);
std::string ListText();

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_COMMAND_LINE_H_

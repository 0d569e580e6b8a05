#include "cli/control_command_line.h"

#include <getopt.h>

#include <array>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"

namespace ringcp {
namespace {

using Command = ControlCommandLine::Command;

enum LongOption : int {
  kAgentOption = 256,
  kAgentUserOption,
  kJsonOption,
  kHelpOption,
  kVersionOption
};

constexpr option kLongOptions[] = {
    {"agent", required_argument, nullptr, kAgentOption},
    {"agent-user", required_argument, nullptr, kAgentUserOption},
    {"json", no_argument, nullptr, kJsonOption},
    {"help", no_argument, nullptr, kHelpOption},
    {"version", no_argument, nullptr, kVersionOption},
    {nullptr, 0, nullptr, 0},
};

struct CommandWord {
  std::string_view word;
  Command command;
  bool takes_job;
};

constexpr std::array<CommandWord, 5> kCommands = {{
    {"jobs", Command::kJobs, false},
    {"show", Command::kShow, true},
    {"watch", Command::kWatch, true},
    {"cancel", Command::kCancel, true},
    {"info", Command::kInfo, false},
}};

constexpr char kJobPrefix[] = "jobs/";

std::variant<ControlCommandLine, UsageError> ApplyOperands(
    int count, char** operands, ControlCommandLine command_line) {
  if (count == 0) return UsageError{.message = "missing command"};
  const std::string_view word = operands[0];
  const CommandWord* command = nullptr;
  for (const CommandWord& candidate : kCommands) {
    if (candidate.word == word) command = &candidate;
  }
  if (command == nullptr) {
    return UsageError{.message = absl::StrCat("unknown command ", Quote(word))};
  }
  const int operands_max = command->takes_job ? 2 : 1;
  if (count > operands_max) {
    return UsageError{.message =
                          absl::StrCat("extra operand ", Quote(operands[operands_max]))};
  }
  command_line.command = command->command;
  if (!command->takes_job) return command_line;

  const std::string job = count == 2 ? operands[1] : "";
  if (job.empty()) {
    return UsageError{.message = absl::StrCat("missing job after ", Quote(word))};
  }
  command_line.job_name =
      absl::StrCat(job.starts_with(kJobPrefix) ? "" : kJobPrefix, job);
  return command_line;
}

}  // namespace

std::variant<ControlCommandLine, UsageError> ParseControlCommandLine(
    int argc, char** argv, const char* environment_agent) {
  ControlCommandLine command_line;
  if (environment_agent != nullptr) command_line.agent_address = environment_agent;

  optind = 0;  // Makes glibc's getopt start afresh and read POSIXLY_CORRECT again.
  for (;;) {
    switch (getopt_long(argc, argv, "", kLongOptions, nullptr)) {
      case -1:
        return ApplyOperands(argc - optind, argv + optind, std::move(command_line));
      case kAgentOption:
        command_line.agent_address = optarg;
        break;
      case kAgentUserOption:
        command_line.agent_user = optarg;
        break;
      case kJsonOption:
        command_line.json = true;
        break;
      case kHelpOption:
        command_line.command = Command::kShowHelp;
        return command_line;
      case kVersionOption:
        command_line.command = Command::kShowVersion;
        return command_line;
      default:
        return UsageError{};
    }
  }
}

}  // namespace ringcp

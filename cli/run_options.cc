#include "cli/run_options.h"

#include <array>
#include <cstdint>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/option_actions.h"
#include "core/base/file_error.h"

namespace ringcp {
namespace {

// A number of bytes; a K or M at its end means KiB or MiB.
absl::Status SetBlockSize(const OptionText& option, const char* argument,
                          ParsedOptions* parsed) {
  std::string_view digits = argument;
  int64_t unit = 1;
  if (!digits.empty() && digits.back() == 'K') unit = 1024;
  if (!digits.empty() && digits.back() == 'M') unit = 1024 * 1024;
  if (unit > 1) digits.remove_suffix(1);
  int64_t count = 0;
  if (absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()), &count) &&
      count >= 1 && count <= Tuning::kBlockBytesMax &&
      Tuning::IsBlockSize(count * unit)) {
    OptionsOf(parsed).tuning.block_size_bytes = count * unit;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("invalid argument ", Quote(argument), " for '--", option.word,
                   "': must be a multiple of 4K from 4K to 4M"));
}

constexpr std::array<std::string_view, 4> kProgressWords = {"auto", "always", "never",
                                                            "json"};
constexpr std::array<ProgressMode, 4> kProgressModes = {
    ProgressMode::kAuto, ProgressMode::kAlways, ProgressMode::kNever,
    ProgressMode::kJson};

absl::Status SetProgress(const OptionText& option, const char* argument,
                         ParsedOptions* parsed) {
  return Match(option, argument, kProgressModes, &parsed->command_line.progress);
}

constexpr std::array<std::string_view, 3> kEngineWords = {"auto", "uring", "threads"};
constexpr std::array<EngineChoice, 3> kEngines = {
    EngineChoice::kAuto, EngineChoice::kUring, EngineChoice::kThreads};

absl::Status SetAgent(const OptionText&, const char* argument, ParsedOptions* parsed) {
  parsed->command_line.agent_address = argument;
  return absl::OkStatus();
}

absl::Status SetAgentUser(const OptionText&, const char* argument,
                          ParsedOptions* parsed) {
  parsed->command_line.agent_user = argument;
  return absl::OkStatus();
}

constexpr std::string_view kTold = "What is told";
constexpr std::string_view kRuns = "How and where it runs";

using Line = CopyCommandLine;
using Options = CopyOptions;

constexpr CopyOptionRow kRows[] = {
    {{.letters = "v",
      .word = "verbose",
      .heading = kTold,
      .text = "print what was copied, and what was removed for it"},
     SetInCommandLine<&Line::verbose, true>},
    {{.word = "progress",
      .argument = Argument::kRequired,
      .argument_name = "WHEN",
      .values = kProgressWords,
      .heading = kTold,
      .text = "show progress on standard error: 'auto' (default), 'always', 'never', or "
              "'json'; see below",
      .is_gnu = false},
     SetProgress},
    {{.word = "debug",
      .heading = kTold,
      .text = "tell how each file was copied, as -v does and more, and at the end which "
              "engine copied, why, and what it did"},
     SetInCommandLine<&Line::debug, true>},

    {{.word = "engine",
      .argument = Argument::kRequired,
      .argument_name = "ENGINE",
      .values = kEngineWords,
      .heading = kRuns,
      .text = "'uring', 'threads' (plain system calls), or 'auto' (default): uring where "
              "the kernel permits it, but plain system calls for files that are in "
              "memory",
      .is_gnu = false},
     SetToWord<&Options::engine, kEngines>},
    {{.word = "workers",
      .argument = Argument::kRequired,
      .argument_name = "N",
      .heading = kRuns,
      .text = "at most N threads that copy, 1 to 16, each with its ring (default: one "
              "for each CPU)",
      .is_gnu = false},
     SetCount<&Tuning::workers, Tuning::kWorkersMax>},
    {{.word = "queue-depth",
      .argument = Argument::kRequired,
      .argument_name = "N",
      .heading = kRuns,
      .text = "at most N files in flight for each of them, 1 to 256, as far as 64 MiB of "
              "blocks last (default: up to 112); fewer where more gain nothing",
      .is_gnu = false},
     SetCount<&Tuning::queue_depth, Tuning::kQueueDepthMax>},
    {{.word = "block-size",
      .argument = Argument::kRequired,
      .argument_name = "SIZE",
      .heading = kRuns,
      .text = "bytes of each read and write, 4K to 4M, a multiple of 4K (default: 256K, "
              "and up to 1M for files whose contents come slowly)",
      .is_gnu = false},
     SetBlockSize},
    {{.word = "sqpoll",
      .heading = kRuns,
      .text = "a kernel thread takes in what is submitted: fewer system calls, one more "
              "busy CPU; only with uring",
      .is_gnu = false},
     Set<&Options::sqpoll, true>},
    {{.word = "iopoll",
      .heading = kRuns,
      .text = "with --direct: ask the device for what is done, over and over, instead of "
              "waiting for it, where the device has poll queues (NVMe); only with uring",
      .is_gnu = false},
     Set<&Options::iopoll, true>},
    {{.word = "agent",
      .argument = Argument::kRequired,
      .argument_name = "ADDRESS",
      .heading = kRuns,
      .text = "let the agent (ringcpd) at ADDRESS copy, and follow the job: unix:/PATH, "
              "or '' for the default address",
      .is_gnu = false},
     SetAgent},
    {{.word = "agent-user",
      .argument = Argument::kRequired,
      .argument_name = "USER",
      .heading = kRuns,
      .text =
          "the agent may be USER's; without this it is root's or your own, or nothing "
          "is sent to it",
      .is_gnu = false},
     SetAgentUser},
    {{.word = "detach",
      .heading = kRuns,
      .text = "with an agent: print the job's name and don't wait",
      .is_gnu = false},
     SetInCommandLine<&Line::detach, true>},
    {{.word = "help", .heading = kRuns, .text = "display this help and exit"},
     SetInCommandLine<&Line::action, Line::Action::kShowHelp>},
    {{.word = "version", .heading = kRuns, .text = "output version information and exit"},
     SetInCommandLine<&Line::action, Line::Action::kShowVersion>},
};

}  // namespace

absl::Span<const CopyOptionRow> RunOptionRows() { return kRows; }

}  // namespace ringcp

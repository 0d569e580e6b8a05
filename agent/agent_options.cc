#include "agent/agent_options.h"

#include <getopt.h>

#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace ringcp {
namespace {

// Larger than any char, so that no value is also a short option.
enum LongOption : int { kListen = 256, kMaxRunningJobs, kHelp, kVersion };

constexpr option kLongOptions[] = {
    {"listen", required_argument, nullptr, kListen},
    {"max-running-jobs", required_argument, nullptr, kMaxRunningJobs},
    {"help", no_argument, nullptr, kHelp},
    {"version", no_argument, nullptr, kVersion},
    {nullptr, 0, nullptr, 0},
};

bool ReadOption(const char* program, int found, AgentOptions* options) {
  switch (found) {
    case kListen:
      if (options->addresses.size() == kAddressesMax) {
        absl::FPrintF(stderr, "%s: --listen is given more than %d times\n", program,
                      kAddressesMax);
        return false;
      }
      options->addresses.emplace_back(optarg);
      return true;
    case kMaxRunningJobs:
      if (!absl::SimpleAtoi(optarg, &options->running_jobs_max) ||
          options->running_jobs_max < 1 || options->running_jobs_max > kRunningJobsMax) {
        absl::FPrintF(stderr,
                      "%s: --max-running-jobs must be a number from 1 to %d, not '%s'\n",
                      program, kRunningJobsMax, optarg);
        return false;
      }
      return true;
    case kHelp:
      options->help = true;
      return true;
    case kVersion:
      options->version = true;
      return true;
    default:
      // getopt_long() has already printed what is wrong.
      return false;
  }
}

}  // namespace

std::optional<AgentOptions> ParseAgentOptions(int argc, char* argv[]) {
  AgentOptions options;
  // 0 makes glibc's getopt start afresh.
  optind = 0;
  while (true) {
    const int found = getopt_long(argc, argv, "", kLongOptions, nullptr);
    if (found == -1) break;
    if (!ReadOption(argv[0], found, &options)) return std::nullopt;
  }
  if (optind < argc) {
    absl::FPrintF(stderr, "%s: extra operand '%s'\n", argv[0], argv[optind]);
    return std::nullopt;
  }
  return options;
}

std::string AgentHelp(std::string_view program) {
  return absl::StrFormat(
      "Usage: %s [OPTION]...\n"
      "Run the ringcp agent: take copy jobs over gRPC, run them, keep their outcome.\n"
      "\n"
      "      --listen=ADDRESS       listen on ADDRESS, unix:/path/to.sock; may be given\n"
      "                               more than once; default:\n"
      "                               unix:$XDG_RUNTIME_DIR/ringcp/agent.sock, else for\n"
      "                               root unix:/run/ringcp/agent.sock\n"
      "      --max-running-jobs=N   run at most N jobs at the same time, the others "
      "wait\n"
      "                               (1 to %d, default %d)\n"
      "      --help                 display this help and exit\n"
      "      --version              output version information and exit\n"
      "\n"
      "The agent stays in the foreground. SIGTERM or SIGINT cancels its jobs and ends "
      "it;\n"
      "a second one ends it at once.\n",
      program, kRunningJobsMax, kRunningJobsDefault);
}

}  // namespace ringcp

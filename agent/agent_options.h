// ringcpd's command line.
//
// Thread-safety: getopt_long() isn't, so neither is ParseAgentOptions().

#ifndef RINGCP_AGENT_AGENT_OPTIONS_H_
#define RINGCP_AGENT_AGENT_OPTIONS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/job_limits.h"

namespace ringcp {

// Addresses an agent listens on at the same time: one is usual, a few name the same agent
// for different users of a directory.
inline constexpr int kAddressesMax = 16;

struct AgentOptions {
  // As typed; empty: the default address.
  std::vector<std::string> addresses;
  int running_jobs_max = kRunningJobsDefault;
  bool help = false;
  bool version = false;
};

// Reads argv[1] and on. Prints a message to stderr and returns nothing when they are not
// right; the caller points to --help.
std::optional<AgentOptions> ParseAgentOptions(int argc, char* argv[]);

// What --help prints.
std::string AgentHelp(std::string_view program);

}  // namespace ringcp

#endif  // RINGCP_AGENT_AGENT_OPTIONS_H_

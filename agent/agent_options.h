// ringcpd's command line.
//
// Thread-safety: none, because getopt_long() has none.

#ifndef RINGCP_AGENT_AGENT_OPTIONS_H_
#define RINGCP_AGENT_AGENT_OPTIONS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/job_limits.h"

namespace ringcp {

// The most addresses an agent listens on. One is usual; a few are useful to offer the
// same agent to different users in different directories.
inline constexpr int kAddressesMax = 16;

struct AgentOptions {
  // As typed; empty for the default address.
  std::vector<std::string> addresses;
  int running_jobs_max = kRunningJobsDefault;
  bool help = false;
  bool version = false;
};

// Reads argv[1] and the following arguments. If they are wrong, prints a message to
// stderr and returns nothing; the caller points to --help.
std::optional<AgentOptions> ParseAgentOptions(int argc, char* argv[]);

// What --help prints.
std::string AgentHelp(std::string_view program);

}  // namespace ringcp

#endif  // RINGCP_AGENT_AGENT_OPTIONS_H_

// Follows a job of an agent to its end, and tells an output about it: progress as it
// comes, file errors once each.
//
// Thread-safety: pure but for what it is given; runs a thread of its own meanwhile.

#ifndef RINGCP_CLI_JOB_FOLLOWER_H_
#define RINGCP_CLI_JOB_FOLLOWER_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/agent_client.h"
#include "cli/job_output.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

// Whether a job in `state` has ended.
bool IsFinal(v1::Job::State state);

// Watches job `name` until it has ended and returns it as it is then. `output` hears of
// everything but the end: Finish() is left to the caller. UNAVAILABLE if the agent was
// lost, CANCELLED after client->StopWatching().
absl::StatusOr<v1::Job> FollowJob(const std::string& name, AgentClient* client,
                                  JobOutput* output);

}  // namespace ringcp

#endif  // RINGCP_CLI_JOB_FOLLOWER_H_

// Follows an agent's job to its end and reports on it to an output: progress as it comes,
// and each file error once.
//
// Thread-safety: changes only what it is given; runs a thread of its own meanwhile.

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

// Watches job `name` until it has ended, and returns its last state. `output` gets
// everything but the end, because the caller calls Finish(). UNAVAILABLE if the
// connection to the agent was lost, CANCELLED after client->StopWatching().
absl::StatusOr<v1::Job> FollowJob(const std::string& name, AgentClient* client,
                                  JobOutput* output);

}  // namespace ringcp

#endif  // RINGCP_CLI_JOB_FOLLOWER_H_

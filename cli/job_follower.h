// Follows an agent's job to its end. A connection that breaks is made anew, and an agent
// that takes no further watchers is asked now and then instead.
//
// Thread-safety: changes only what it is given; runs a thread of its own meanwhile.

#ifndef RINGCP_CLI_JOB_FOLLOWER_H_
#define RINGCP_CLI_JOB_FOLLOWER_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/agent_client.h"
#include "cli/job_output.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

// Whether a job in `state` has ended.
bool IsFinal(v1::Job::State state);

// For how long a broken connection is made anew. An agent that has died is not worth
// waiting for, because its jobs are gone with it.
inline constexpr absl::Duration kReconnectPatience = absl::Seconds(3);

// Calls `on_event`, on this thread, for each event of job `name` until the job has ended.
// Together the events hold each file error once, in order, but for the last ones, which
// ListJobErrors() has. UNAVAILABLE if the agent was lost, CANCELLED after
// client->GiveUp().
absl::Status FollowEvents(const std::string& name, AgentClient* client,
                          const std::function<void(const v1::JobEvent&)>& on_event);

// Does so and reports to `output`: progress as it comes, and all file errors. Returns the
// job as it ended; the caller calls Finish(). Errors as above.
absl::StatusOr<v1::Job> FollowJob(const std::string& name, AgentClient* client,
                                  JobOutput* output);

}  // namespace ringcp

#endif  // RINGCP_CLI_JOB_FOLLOWER_H_

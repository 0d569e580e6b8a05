// A connection to a copy agent: the API's calls as plain functions. It is the only place
// in cli/ that uses gRPC, and initializes it only when the first call is made. A
// connection that has broken is made anew by the next call.
//
// Every failure is an absl::Status with the agent's code and message. Calls return
// UNAVAILABLE if the agent can't be reached, or no longer can, and PERMISSION_DENIED if
// somebody listens there who is not trusted (trusted_connection.h).
//
// Thread-safety: all functions may be called by any thread.

#ifndef RINGCP_CLI_AGENT_CLIENT_H_
#define RINGCP_CLI_AGENT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

class AgentClient {
 public:
  // An agent that does not answer the first call within this time counts as absent.
  static constexpr absl::Duration kConnectTimeout = absl::Seconds(5);
  // The limit for later calls; generous, because a job's specification may be megabytes.
  static constexpr absl::Duration kCallTimeout = absl::Seconds(30);

  // The payload of the status of a call that the agent itself has refused: a serialized
  // google.rpc.Status. Without it nobody knows whether the call has reached the agent.
  static constexpr char kDetails[] = "type.googleapis.com/google.rpc.Status";

  // A client for `address`, "unix:/path"; empty for the default address. The agent may be
  // `user`'s, besides root's and the caller's own; empty: nobody else's. The first call
  // connects. INVALID_ARGUMENT or FAILED_PRECONDITION, with a message for the user, if
  // `address` is not an address, there is no default, or no such user.
  static absl::StatusOr<std::unique_ptr<AgentClient>> Create(std::string address,
                                                             const std::string& user);
  ~AgentClient();
  AgentClient(const AgentClient&) = delete;
  AgentClient& operator=(const AgentClient&) = delete;

  // The agent's address, as typed or by default.
  const std::string& address() const { return address_; }

  // Connects to the agent and asks for its version, engine and limits. UNAVAILABLE, with
  // a message that names the address, if nothing answers there.
  absl::StatusOr<v1::AgentInfo> Connect();

  // UNAVAILABLE and RESOURCE_EXHAUSTED: the agent is there but accepts no job now.
  absl::StatusOr<v1::Job> SubmitJob(const v1::SubmitJobRequest& request);
  absl::StatusOr<v1::Job> GetJob(const std::string& name);
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request);
  absl::StatusOr<v1::ListJobErrorsResponse> ListJobErrors(
      const v1::ListJobErrorsRequest& request);
  absl::StatusOr<v1::Job> CancelJob(const std::string& name,
                                    absl::Duration timeout = kCallTimeout);

  // Calls `on_event` for each event of job `name`, on this thread, until the stream ends.
  // OK if it ended after a final state.
  absl::Status WatchJob(const std::string& name,
                        const std::function<void(const v1::JobEvent&)>& on_event);

  // Makes all calls end soon with CANCELLED: those under way and all later ones.
  void GiveUp();

  // Waits for `time`. Returns false at once after GiveUp().
  bool Wait(absl::Duration time);

 private:
  struct Connection;

  AgentClient(std::string address, std::unique_ptr<Connection> connection);

  const std::string address_;
  const std::unique_ptr<Connection> connection_;
};

}  // namespace ringcp

#endif  // RINGCP_CLI_AGENT_CLIENT_H_

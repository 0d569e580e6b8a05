// A running agent from start to end: the jobs, the service on its sockets, the gRPC
// health service and server reflection.
//
// Thread-safety: one thread at a time.

#ifndef RINGCP_AGENT_AGENT_SERVER_H_
#define RINGCP_AGENT_AGENT_SERVER_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/connection_acceptor.h"
#include "agent/copy_agent_service.h"
#include "agent/file_shares.h"
#include "agent/job_table.h"
#include "agent/unix_listener.h"
#include "grpcpp/server.h"

namespace ringcp {

class AgentServer {
 public:
  // Long enough for a person who types one command after the other. Idle connections keep
  // others out; clients of gRPC connect anew when they call again.
  static constexpr std::chrono::milliseconds kIdleMax{60 * 1000};
  // A client with a call under way is asked for a sign of life so often, and given up if
  // there is none within the second time.
  static constexpr std::chrono::milliseconds kAliveInterval{60 * 1000};
  static constexpr std::chrono::milliseconds kAliveTimeout{20 * 1000};

  struct Options {
    // Paths of unix sockets; at least one.
    std::vector<std::string> socket_paths;
    // Whether to make missing directories of the sockets.
    bool make_directories = false;
    // Further clients wait until another client leaves.
    int connections_max = FileShares::kConnectionsMax;
    // A connection without a call under way is closed after this time.
    std::chrono::milliseconds idle_max = kIdleMax;
    JobTable::Options jobs;
  };

  // The agent serves when this returns. Fails if a socket can't be made; see
  // UnixListener::Listen().
  static absl::StatusOr<std::unique_ptr<AgentServer>> Start(Options options);

  // Drains, unless that was done already, and ends the agent.
  ~AgentServer();

  AgentServer(const AgentServer&) = delete;
  AgentServer& operator=(const AgentServer&) = delete;

  // Ends the agent's work: the health service reports NOT_SERVING, new jobs are refused,
  // the other jobs are cancelled, and their watchers get a last event. Then the sockets
  // are closed and the remaining calls are ended. Returns when all this is done.
  void Drain();

 private:
  explicit AgentServer(Options options);

  // Listed in the order of construction, because they are destroyed in the reverse order.
  JobTable jobs_;
  CopyAgentService service_;
  std::vector<std::unique_ptr<grpc::Service>> reflection_;
  std::vector<std::unique_ptr<UnixListener>> listeners_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<ConnectionAcceptor> acceptor_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_AGENT_SERVER_H_

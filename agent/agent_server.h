// A running agent: the jobs, the service on its sockets, the gRPC health service and
// server reflection, from start to end.
//
// Thread-safety: one thread at a time.

#ifndef RINGCP_AGENT_AGENT_SERVER_H_
#define RINGCP_AGENT_AGENT_SERVER_H_

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
  struct Options {
    // Paths of unix sockets; at least one.
    std::vector<std::string> socket_paths;
    // Make the sockets' directories where they are missing.
    bool make_directories = false;
    // Further clients wait until one leaves.
    int connections_max = FileShares::kConnectionsMax;
    JobTable::Options jobs;
  };

  // Serves when it returns. Fails when a socket can't be had; see UnixListener::Listen().
  static absl::StatusOr<std::unique_ptr<AgentServer>> Start(Options options);

  // Drains, if that wasn't done, and ends.
  ~AgentServer();

  AgentServer(const AgentServer&) = delete;
  AgentServer& operator=(const AgentServer&) = delete;

  // Ends the agent's work: the health service says NOT_SERVING, new jobs are refused, the
  // others are cancelled, and their watchers get a last event. Then the sockets go and
  // what calls are left are ended. Returns when all that is done.
  void Drain();

 private:
  explicit AgentServer(Options options);

  // In the order of construction; destroyed the other way round.
  JobTable jobs_;
  CopyAgentService service_;
  std::vector<std::unique_ptr<UnixListener>> listeners_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<ConnectionAcceptor> acceptor_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_AGENT_SERVER_H_

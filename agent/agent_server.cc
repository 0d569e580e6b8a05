#include "agent/agent_server.h"

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "agent/reflection_service.h"
#include "core/job/copy_job.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_posix.h"

namespace ringcp {
namespace {

// The most bytes of a request: room for a specification of kSpecBytesMax with its
// request_id. It equals gRPC's own default, and is set explicitly so that a new gRPC
// can't change it.
constexpr int kReceiveBytesMax = 4 * 1024 * 1024;

// The most calls at the same time on one connection: one client may use all the watchers.
constexpr int kCallsPerConnectionMax = 2 * kWatchersMax;

// How long calls may go on once the jobs have ended. That is enough to send each watcher
// its last event, but a reader that doesn't read can't delay the end for longer.
constexpr std::chrono::milliseconds kLastCalls{1000};

int Milliseconds(std::chrono::milliseconds time) {
  return static_cast<int>(time.count());
}

}  // namespace

absl::StatusOr<std::unique_ptr<AgentServer>> AgentServer::Start(Options options) {
  const std::vector<std::string> socket_paths = options.socket_paths;
  const bool make_directories = options.make_directories;
  const int connections_max = options.connections_max;
  const std::chrono::milliseconds idle_max = options.idle_max;
  auto agent = std::unique_ptr<AgentServer>(new AgentServer(std::move(options)));
  std::vector<int> listening;
  for (const std::string& path : socket_paths) {
    auto listener = UnixListener::Listen(path, make_directories);
    if (!listener.ok()) return listener.status();
    listening.push_back((*listener)->fd());
    agent->listeners_.push_back(*std::move(listener));
  }

  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.RegisterService(&agent->service_);
  for (const auto& service : agent->reflection_) builder.RegisterService(service.get());
  builder.SetMaxReceiveMessageSize(kReceiveBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kCallsPerConnectionMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, Milliseconds(idle_max));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(kAliveInterval));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(kAliveTimeout));
  // Also of a watcher whose job does not change.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  agent->server_ = builder.BuildAndStart();
  if (agent->server_ == nullptr) return absl::InternalError("cannot start gRPC's server");

  // We make the sockets ourselves, because gRPC would remove any socket at the path and
  // make its own one with the umask's mode.
  auto acceptor = ConnectionAcceptor::Start(std::move(listening), connections_max,
                                            [server = agent->server_.get()](int fd) {
                                              grpc::AddInsecureChannelFromFd(server, fd);
                                            });
  if (!acceptor.ok()) return acceptor.status();
  agent->acceptor_ = *std::move(acceptor);
  agent->server_->GetHealthCheckService()->SetServingStatus(
      v1::CopyAgent::service_full_name(), true);
  return agent;
}

AgentServer::AgentServer(Options options)
    : jobs_(std::move(options.jobs)),
      service_(&jobs_, {.engine = ProbeEngine()}),
      reflection_(MakeReflectionServices({v1::CopyAgent::service_full_name()})) {}

AgentServer::~AgentServer() { Drain(); }

void AgentServer::Drain() {
  if (server_ != nullptr) server_->GetHealthCheckService()->SetServingStatus(false);
  jobs_.Drain();
  acceptor_.reset();
  listeners_.clear();
  if (server_ != nullptr) {
    server_->Shutdown(std::chrono::system_clock::now() + kLastCalls);
    server_->Wait();
    server_.reset();
  }
}

}  // namespace ringcp

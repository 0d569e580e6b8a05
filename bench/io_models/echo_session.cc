#include "bench/io_models/echo_session.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/memory/memory.h"
#include "bench/io_models/errors.h"

namespace ringcp::io_models {
namespace {

// Listens on a port that the system chooses, and sets `address` to it.
absl::StatusOr<Descriptor> Listen(int connections, sockaddr_in* address) {
  Descriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener.valid()) return Failure("socket", errno);
  *address = {};
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const name = reinterpret_cast<sockaddr*>(address);
  if (bind(listener.get(), name, sizeof(*address)) != 0) {
    return Failure("bind to 127.0.0.1", errno);
  }
  // All connections need room in the backlog, because the client makes them before the
  // server accepts any.
  if (listen(listener.get(), connections) != 0) return Failure("listen", errno);
  socklen_t length = sizeof(*address);
  if (getsockname(listener.get(), name, &length) != 0) {
    return Failure("getsockname", errno);
  }
  return listener;
}

}  // namespace

EchoSession::EchoSession(const EchoRun& run, Descriptor listener, Descriptor go,
                         PartProcess client)
    : run_(run),
      listener_(std::move(listener)),
      go_(std::move(go)),
      client_(std::move(client)) {}

absl::StatusOr<std::unique_ptr<EchoSession>> EchoSession::Start(const EchoRun& run) {
  sockaddr_in address;
  absl::StatusOr<Descriptor> listener = Listen(run.connections, &address);
  if (!listener.ok()) return listener.status();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Failure("pipe2", errno);
  Descriptor waiting(ends[0]);
  Descriptor go(ends[1]);
  absl::StatusOr<PartProcess> client = PartProcess::Start(
      [&] {
        // Closes the client's copies, so that the client notices when the server ends.
        go.Close();
        listener->Close();
        return RunEchoClient(address, run, waiting.get());
      },
      /*traced=*/false);
  if (!client.ok()) return client.status();
  return absl::WrapUnique(
      new EchoSession(run, *std::move(listener), std::move(go), *std::move(client)));
}

EchoSession::~EchoSession() {
  // Without the byte that starts it, the client ends.
  go_.Close();
  listener_.Close();
  if (client_.has_value()) client_->Wait().status().IgnoreError();
}

absl::StatusOr<std::vector<Descriptor>> EchoSession::AcceptAll(int flags) {
  std::vector<Descriptor> accepted;
  while (static_cast<int>(accepted.size()) < run_.connections) {
    Descriptor connection(accept4(listener(), nullptr, nullptr, flags | SOCK_CLOEXEC));
    if (!connection.valid() && errno == EINTR) continue;
    if (!connection.valid()) return Failure("accept4", errno);
    accepted.push_back(std::move(connection));
  }
  return accepted;
}

void EchoSession::Begin() {
  const char byte = 0;
  // If the client is gone, its connections are closed, and Finish() reports why.
  [[maybe_unused]] const ssize_t written = write(go_.get(), &byte, 1);
  recording_.Begin();
}

absl::StatusOr<Measurement> EchoSession::Finish() {
  const absl::StatusOr<Measurement> client = client_->Wait();
  client_.reset();
  if (!client.ok()) return client.status();
  Measurement measurement = recording_.Finish();
  measurement.operations = run_.connections * run_.messages;
  measurement.bytes = measurement.operations * kMessageBytes;
  measurement.latency = client->latency;
  return measurement;
}

}  // namespace ringcp::io_models

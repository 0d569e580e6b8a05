#include "bench/io_models/readiness_echo.h"

#include <sys/socket.h>

#include <vector>

#include "bench/io_models/descriptor.h"
#include "bench/io_models/relay.h"
#include "bench/io_models/relay_loop.h"

namespace ringcp::io_models {

absl::Status ServeEchoByReadiness(EchoSession* session,
                                  absl::StatusOr<std::unique_ptr<Readiness>> (*make)()) {
  absl::StatusOr<std::vector<Descriptor>> connections = session->AcceptAll(SOCK_NONBLOCK);
  if (!connections.ok()) return connections.status();
  absl::StatusOr<std::unique_ptr<Readiness>> readiness = make();
  if (!readiness.ok()) return readiness.status();
  std::vector<Relay> relays;
  relays.reserve(connections->size());
  for (const Descriptor& connection : *connections) {
    relays.emplace_back(connection.get(), connection.get());
  }
  session->Begin();
  const absl::StatusOr<int64_t> retries = ServeRelays(&relays, readiness->get());
  session->End();
  if (!retries.ok()) return retries.status();
  session->recording()->AddRetries(*retries);
  return absl::OkStatus();
}

}  // namespace ringcp::io_models

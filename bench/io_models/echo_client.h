// The client of the echo: see echo_session.h.
//
// Thread-safety: a function of its own process.

#ifndef RINGCP_BENCH_IO_MODELS_ECHO_CLIENT_H_
#define RINGCP_BENCH_IO_MODELS_ECHO_CLIENT_H_

#include <netinet/in.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

struct EchoRun {
  int connections = 64;
  int64_t messages = 0;  // On each connection.
  uint64_t seed = 0;     // Of their contents.
};

// In bytes. A small request: what counts is what each message costs, not its bytes.
inline constexpr int64_t kMessageBytes = 1024;

// Connects to `server`, waits for a byte from the pipe `go`, and talks. Returns the
// latencies, from sending a message to having its echo; DataLoss for a wrong echo.
absl::StatusOr<Measurement> RunEchoClient(const sockaddr_in& server, const EchoRun& run,
                                          int go);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_ECHO_CLIENT_H_

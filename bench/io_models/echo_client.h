// The client of the echo; see echo_session.h.
//
// Thread-safety: a function for a process of its own.

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

// In bytes. Small, because the cost of each message is of interest, not that of its
// bytes.
inline constexpr int64_t kMessageBytes = 1024;

// Connects to `server`, waits for a byte from the pipe `go`, and exchanges the messages.
// Returns the latencies, each from sending a message until its echo is complete; DataLoss
// if an echo is wrong.
absl::StatusOr<Measurement> RunEchoClient(const sockaddr_in& server, const EchoRun& run,
                                          int go);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_ECHO_CLIENT_H_

// One run of the echo: a server's listening socket on the loopback device, and a client
// in a process of its own, so that the CPU seconds and system calls counted are the
// server's only. The client opens all connections and waits until the server begins. On
// each connection it then sends one message, waits for its echo, checks it, and sends the
// next.
//
// Thread-safety: belongs to one thread. Start() forks, so call it while the process has
// only one thread.

#ifndef RINGCP_BENCH_IO_MODELS_ECHO_SESSION_H_
#define RINGCP_BENCH_IO_MODELS_ECHO_SESSION_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/io_models/descriptor.h"
#include "bench/io_models/echo_client.h"
#include "bench/io_models/measurement.h"
#include "bench/io_models/part_process.h"

namespace ringcp::io_models {

class EchoSession {
 public:
  static absl::StatusOr<std::unique_ptr<EchoSession>> Start(const EchoRun& run);
  // Ends the client, unless Finish() did.
  ~EchoSession();

  int listener() const { return listener_.get(); }
  int connections() const { return run_.connections; }

  // Accepts all connections; `flags` are accept4()'s.
  absl::StatusOr<std::vector<Descriptor>> AcceptAll(int flags);

  // Lets the client send, and begins the measured section. Call End() when every
  // connection has ended.
  void Begin();
  void End() { recording_.End(); }
  Recording* recording() { return &recording_; }

  // Waits for the client. Returns its latencies and the server's costs, or the error of
  // either side.
  // REQUIRES: Begin() and End() were called.
  absl::StatusOr<Measurement> Finish();

 private:
  EchoSession(const EchoRun& run, Descriptor listener, Descriptor go, PartProcess client);

  const EchoRun run_;
  Descriptor listener_;
  Descriptor go_;  // A pipe to the client.
  std::optional<PartProcess> client_;
  // Without latencies, because the client measures them.
  Recording recording_{0};
};

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_ECHO_SESSION_H_

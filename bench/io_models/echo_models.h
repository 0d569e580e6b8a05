// The models of an echo server, by name.
//
// Thread-safety: the table is a constant; RunEcho() must be called while the process has
// only one thread.

#ifndef RINGCP_BENCH_IO_MODELS_ECHO_MODELS_H_
#define RINGCP_BENCH_IO_MODELS_ECHO_MODELS_H_

#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/io_models/echo_session.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

struct EchoModel {
  const char* name;
  const char* description;
  // Accepts the session's connections and serves them to their end, between the session's
  // Begin() and End(). Unavailable if the kernel or its settings refuse the model.
  absl::Status (*serve)(EchoSession* session);
};

std::span<const EchoModel> EchoModels();

// Starts a client, serves it, and returns what both sides have measured. DataLoss if an
// echo was wrong.
absl::StatusOr<Measurement> RunEcho(const EchoModel& model, const EchoRun& run);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_ECHO_MODELS_H_

// The echo server on one thread that waits for readiness, in any of the ways.
//
// Thread-safety: see echo_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_READINESS_ECHO_H_
#define RINGCP_BENCH_IO_MODELS_READINESS_ECHO_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/io_models/echo_session.h"
#include "bench/io_models/readiness.h"

namespace ringcp::io_models {

absl::Status ServeEchoByReadiness(EchoSession* session,
                                  absl::StatusOr<std::unique_ptr<Readiness>> (*make)());

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_READINESS_ECHO_H_

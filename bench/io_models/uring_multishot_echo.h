// The echo server on io_uring with one accept for all connections and one recv for all
// messages of a connection, each of which completes many times. The kernel puts what
// arrives into provided buffers.
//
// Thread-safety: see echo_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_URING_MULTISHOT_ECHO_H_
#define RINGCP_BENCH_IO_MODELS_URING_MULTISHOT_ECHO_H_

#include "absl/status/status.h"
#include "bench/io_models/echo_session.h"

namespace ringcp::io_models {

absl::Status ServeEchoByUringMultishot(EchoSession* session);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_URING_MULTISHOT_ECHO_H_

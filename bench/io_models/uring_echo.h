// The echo server on io_uring with one operation for each connection: a recv, then a send
// of what was received. One variant submits one operation and takes one completion in
// each call; one takes everything that is there together; one has a submission thread in
// the kernel.
//
// Thread-safety: see echo_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_URING_ECHO_H_
#define RINGCP_BENCH_IO_MODELS_URING_ECHO_H_

#include "absl/status/status.h"
#include "bench/io_models/echo_session.h"

namespace ringcp::io_models {

absl::Status ServeEchoByUringOne(EchoSession* session);
absl::Status ServeEchoByUringBatched(EchoSession* session);
absl::Status ServeEchoByUringSqpoll(EchoSession* session);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_URING_ECHO_H_

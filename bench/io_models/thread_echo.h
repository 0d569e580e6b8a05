// The echo server with a thread for each connection, which blocks in read and in write.
//
// Thread-safety: see echo_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_THREAD_ECHO_H_
#define RINGCP_BENCH_IO_MODELS_THREAD_ECHO_H_

#include "absl/status/status.h"
#include "bench/io_models/echo_session.h"

namespace ringcp::io_models {

absl::Status ServeEchoByThreads(EchoSession* session);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_THREAD_ECHO_H_

// Passes a stream on from one pipe to another; besides sockets, pipes are what select,
// poll, epoll and SIGIO are for.
//
// Thread-safety: the table is a constant; RunPipe() forks, so call it while the process
// has only one thread.

#ifndef RINGCP_BENCH_IO_MODELS_PIPE_MODELS_H_
#define RINGCP_BENCH_IO_MODELS_PIPE_MODELS_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "bench/io_models/measurement.h"
#include "bench/io_models/readiness.h"

namespace ringcp::io_models {

struct PipeModel {
  const char* name;
  const char* description;
  // Null for the model that blocks in read and write.
  absl::StatusOr<std::unique_ptr<Readiness>> (*make)();
};

std::span<const PipeModel> PipeModels();

// Relays `size` bytes of the pattern of `seed`, which one process writes and another
// checks. An operation is a piece of Relay::kBufferBytes. DataLoss if the stream was
// wrong.
absl::StatusOr<Measurement> RunPipe(const PipeModel& model, int64_t size, uint64_t seed);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_PIPE_MODELS_H_

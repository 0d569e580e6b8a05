// A pool of threads that do blocking I/O. They take their operations from one counter,
// the cheapest possible queue, so that the threads themselves are measured.
//
// Thread-safety: see file_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_THREAD_POOL_MODEL_H_
#define RINGCP_BENCH_IO_MODELS_THREAD_POOL_MODEL_H_

#include "absl/status/status.h"
#include "bench/io_models/file_work.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

// Has one thread for each lane.
absl::Status RunThreadPool(FileWork* work, Recording* recording);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_THREAD_POOL_MODEL_H_

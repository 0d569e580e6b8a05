// io_uring with each read linked to the write that follows it, so that a block is copied
// without a return to the program. A short read severs the link: the write then returns
// ECANCELED, and a separate operation writes what was read.
//
// Thread-safety: see file_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_URING_LINKED_MODEL_H_
#define RINGCP_BENCH_IO_MODELS_URING_LINKED_MODEL_H_

#include "absl/status/status.h"
#include "bench/io_models/file_work.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

// REQUIRES: after each read that is not short, the next op of `work` writes the same
// bytes to the same position of the target.
absl::Status RunUringLinked(FileWork* work, Recording* recording);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_URING_LINKED_MODEL_H_

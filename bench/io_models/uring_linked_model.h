// io_uring with each read linked to the write behind it, so that a block is copied
// without the program in between. A short read severs the link: the write is then
// answered ECANCELED, and what was read is written by an operation of its own.
//
// Thread-safety: see file_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_URING_LINKED_MODEL_H_
#define RINGCP_BENCH_IO_MODELS_URING_LINKED_MODEL_H_

#include "absl/status/status.h"
#include "bench/io_models/file_work.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

// REQUIRES: each op of `work` that reads is followed, if it is not short, by one that
// writes the same bytes to the same position of the target.
absl::Status RunUringLinked(FileWork* work, Recording* recording);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_URING_LINKED_MODEL_H_

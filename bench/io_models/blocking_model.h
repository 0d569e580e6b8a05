// Blocking I/O: pread and pwrite, each done when it returns; and the same with
// O_NONBLOCK, which is made for pipes and sockets and changes nothing on a regular file.
//
// Thread-safety: see file_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_BLOCKING_MODEL_H_
#define RINGCP_BENCH_IO_MODELS_BLOCKING_MODEL_H_

#include "absl/status/status.h"
#include "bench/io_models/file_work.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

// pread or pwrite of the lane's op: bytes or -errno. For any thread that has the lane.
ssize_t TransferBlocking(const FileWork& work, const FileOp& op);

absl::Status RunBlocking(FileWork* work, Recording* recording);

// Counts how often EAGAIN was the answer. Leaves the descriptors as they were.
absl::Status RunNonblockRetry(FileWork* work, Recording* recording);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_BLOCKING_MODEL_H_

// Blocking I/O: pread and pwrite, each of which is complete when it returns; and the same
// with O_NONBLOCK, which is meant for pipes and sockets and changes nothing on a regular
// file.
//
// Thread-safety: see file_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_BLOCKING_MODEL_H_
#define RINGCP_BENCH_IO_MODELS_BLOCKING_MODEL_H_

#include "absl/status/status.h"
#include "bench/io_models/file_work.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

// Does the op by pread or pwrite; returns bytes or -errno. Any thread that owns the op's
// lane may call it.
ssize_t TransferBlocking(const FileWork& work, const FileOp& op);

absl::Status RunBlocking(FileWork* work, Recording* recording);

// Counts how many calls returned EAGAIN. Leaves the descriptors as they were.
absl::Status RunNonblockRetry(FileWork* work, Recording* recording);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_BLOCKING_MODEL_H_

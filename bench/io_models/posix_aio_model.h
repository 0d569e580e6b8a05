// POSIX asynchronous I/O as glibc implements it: aio_read() and aio_write() hand a
// request to threads of the library, which call pread and pwrite. glibc processes the
// requests of one descriptor one after another, so several requests on one file are no
// faster than one. A second model therefore gives each lane a duplicate of the
// descriptor.
//
// Thread-safety: see file_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_POSIX_AIO_MODEL_H_
#define RINGCP_BENCH_IO_MODELS_POSIX_AIO_MODEL_H_

#include "absl/status/status.h"
#include "bench/io_models/file_work.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

absl::Status RunPosixAio(FileWork* work, Recording* recording);
absl::Status RunPosixAioDuplicated(FileWork* work, Recording* recording);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_POSIX_AIO_MODEL_H_

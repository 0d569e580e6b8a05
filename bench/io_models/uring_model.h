// io_uring on files: one operation at a time, batched, with registered buffers and files,
// with a submission thread in the kernel (SQPOLL), and with a polled device (IOPOLL).
//
// Thread-safety: see file_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_URING_MODEL_H_
#define RINGCP_BENCH_IO_MODELS_URING_MODEL_H_

#include "absl/status/status.h"
#include "bench/io_models/file_work.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

absl::Status RunUringOne(FileWork* work, Recording* recording);
absl::Status RunUringBatched(FileWork* work, Recording* recording);
absl::Status RunUringRegistered(FileWork* work, Recording* recording);
absl::Status RunUringSqpoll(FileWork* work, Recording* recording);
absl::Status RunUringIopoll(FileWork* work, Recording* recording);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_URING_MODEL_H_

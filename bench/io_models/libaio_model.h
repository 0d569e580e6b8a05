// The kernel's older asynchronous I/O through libaio: io_setup, io_submit, io_getevents.
// It is asynchronous only with O_DIRECT. For a buffered file io_submit() itself reads or
// writes before it returns, as the time spent in it shows.
//
// Thread-safety: see file_models.h.

#ifndef RINGCP_BENCH_IO_MODELS_LIBAIO_MODEL_H_
#define RINGCP_BENCH_IO_MODELS_LIBAIO_MODEL_H_

#include "absl/status/status.h"
#include "bench/io_models/file_work.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

// Also records the time spent in io_submit().
absl::Status RunLibaio(FileWork* work, Recording* recording);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_LIBAIO_MODEL_H_

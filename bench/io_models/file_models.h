// The models of I/O on files, by name.
//
// Thread-safety: the table is a constant; while a model's function runs, the work and the
// recording belong to it alone.

#ifndef RINGCP_BENCH_IO_MODELS_FILE_MODELS_H_
#define RINGCP_BENCH_IO_MODELS_FILE_MODELS_H_

#include <span>

#include "absl/status/status.h"
#include "bench/io_models/file_work.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

struct FileModel {
  const char* name;
  const char* description;
  // Does all of `work`, between recording->Begin() and End(). Unavailable if the kernel
  // or its settings refuse the model.
  absl::Status (*run)(FileWork* work, Recording* recording);
  // Uses one lane only, because with several operations under way it would be another
  // model.
  bool one_lane = false;
  // Whether the model does anything of its own when it copies, and when it reads.
  bool for_copy = true;
  bool for_read = true;
};

std::span<const FileModel> FileModels();

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_FILE_MODELS_H_

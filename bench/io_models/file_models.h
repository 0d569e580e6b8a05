// The models of I/O on files, by name.
//
// Thread-safety: the table is a constant; a model's function is called by a thread that
// does nothing else with the work and the recording.

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
  // Does all of `work`, the doing between recording->Begin() and End(). Unavailable if
  // the kernel or its settings refuse the model.
  absl::Status (*run)(FileWork* work, Recording* recording);
  // Uses one lane only: with several operations under way it would be another model.
  bool one_lane = false;
  // Has something of its own for copying only, or for reading only.
  bool for_copy = true;
  bool for_read = true;
};

std::span<const FileModel> FileModels();

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_FILE_MODELS_H_

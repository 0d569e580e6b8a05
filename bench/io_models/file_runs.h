// One run of a model of I/O on files: prepares the files, lets the model do the work, and
// checks the result.
//
// Thread-safety: one run at a time on the same files.

#ifndef RINGCP_BENCH_IO_MODELS_FILE_RUNS_H_
#define RINGCP_BENCH_IO_MODELS_FILE_RUNS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "bench/io_models/file_models.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

// The descriptors stay the caller's. The source holds `size` bytes of the pattern of
// `seed`.
struct CopyRun {
  int source = -1;
  int target = -1;  // May have any contents.
  int64_t size = 0;
  uint64_t seed = 0;
  bool direct = false;
  int lanes = 1;  // 1 for a model with one lane.
};

// Copies the source to the target and compares every byte. Unavailable if the model or
// O_DIRECT is refused here; DataLoss if the copy is wrong.
absl::StatusOr<Measurement> RunCopy(const FileModel& model, const CopyRun& run);

struct ReadRun {
  int source = -1;
  int64_t size = 0;
  uint64_t seed = 0;
  bool direct = false;
  int64_t reads = 0;
  int lanes = 1;
};

// Reads at random places and checks what was read. Fails like RunCopy().
absl::StatusOr<Measurement> RunRead(const FileModel& model, const ReadRun& run);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_FILE_RUNS_H_

// Files without a name, so nothing is left of them however the program ends.
//
// Thread-safety: pure system calls.

#ifndef RINGCP_BENCH_IO_MODELS_SCRATCH_FILE_H_
#define RINGCP_BENCH_IO_MODELS_SCRATCH_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/io_models/descriptor.h"

namespace ringcp::io_models {

// A new empty file in `directory`, for reading and writing.
absl::StatusOr<Descriptor> MakeScratchFile(const std::string& directory);

// Writes `size` bytes of the pattern of `seed` to the empty file; they are on the device
// when this returns.
absl::Status WritePattern(int descriptor, uint64_t seed, int64_t size);

// DataLoss unless the file holds exactly `size` bytes of the pattern of `seed`.
absl::Status CheckPattern(int descriptor, uint64_t seed, int64_t size);

// Switches O_DIRECT on or off. Unavailable if the file system does not support it.
absl::Status SetDirect(int descriptor, bool on);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_SCRATCH_FILE_H_

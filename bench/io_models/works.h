// The works that models are compared by, each with its models.
//
// Thread-safety: run functions are called one at a time, each in a process of its own.

#ifndef RINGCP_BENCH_IO_MODELS_WORKS_H_
#define RINGCP_BENCH_IO_MODELS_WORKS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

// How much of the work is done: all of it, or a part to count system calls in, because
// ptrace slows it down.
enum class Amount { kWhole, kForCounting };

// The open files that works on files use; the source holds the pattern of `seed`.
struct WorkFiles {
  int source = -1;
  int target = -1;
  int64_t size = 0;
  uint64_t seed = 0;
};

struct WorkModel {
  std::string name;
  std::string description;
  // Unavailable if the model is refused; see the models' own headers.
  std::function<absl::StatusOr<Measurement>(const WorkFiles& files, Amount amount)> run;
};

struct Work {
  std::string name;
  std::string title;
  std::string operation;  // What one operation is.
  bool throughput_bytes = false;
  bool needs_files = false;
  std::vector<WorkModel> models;
};

// All works, in the order they are shown. The work that asks for the readiness of a
// regular file (see regular_file_answers.h) has no models.
const std::vector<Work>& Works();

inline constexpr char kRegularFileWork[] = "regular-file";

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_WORKS_H_

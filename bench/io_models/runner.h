// Runs the chosen works with the chosen models, one after another, and gathers the
// report.
//
// Thread-safety: forks, so it is called while the process has one thread.

#ifndef RINGCP_BENCH_IO_MODELS_RUNNER_H_
#define RINGCP_BENCH_IO_MODELS_RUNNER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/io_models/report.h"

namespace ringcp::io_models {

struct RunOptions {
  std::vector<std::string> works;  // Names of Works().
  std::vector<std::string>
      models;             // Names; those that a work does not have are passed over.
  std::string directory;  // Where the files are.
  int64_t size = 0;       // In bytes.
  uint64_t seed = 1;
  int runs = 3;  // Of which the median is reported.
};

// `progress` is told of each work, by name, before it begins. Fails if the files can't be
// made; what happens to a model is in its result.
absl::StatusOr<Report> RunWorks(const RunOptions& options,
                                const std::function<void(const std::string&)>& progress);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_RUNNER_H_

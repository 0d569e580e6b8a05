// Runs the chosen works with the chosen models, one after another, and collects the
// report.
//
// Thread-safety: forks, so call it while the process has only one thread.

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
  int runs = 3;  // The median is reported.
};

// Calls `progress` with the name of each work before it begins. Fails if the files can't
// be made; a model's failure is in its result.
absl::StatusOr<Report> RunWorks(const RunOptions& options,
                                const std::function<void(const std::string&)>& progress);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_RUNNER_H_

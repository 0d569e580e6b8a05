// Runs a copy job in a simulated world: the engine's real workers, walk, claims and links
// on simulated kernels, all on one thread, each worker taking its next step when the
// world's seed says so.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_JOB_H_
#define RINGCP_TESTS_SIMULATION_SIM_JOB_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/copy_options.h"
#include "core/base/file_error.h"
#include "core/job/progress.h"
#include "core/job/worker.h"
#include "tests/simulation/sim_kernel.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {

struct SimJobOptions {
  int workers = 2;
  Worker::Limits limits;
  int directories_max = 16;  // That may be open at a time.
  SimKernelOptions kernel;
  int64_t cancelled_after = -1;  // Steps; negative: it is not cancelled.
};

struct SimJobResult {
  absl::Status status;
  Progress progress;
  std::vector<FileError> errors;
  std::vector<std::string> warnings;
  std::set<std::string> copied;  // Targets that were told of.
  bool cancelled = false;
  bool waits_in_vain = false;  // Some worker has, until it looked by itself.
  int64_t steps = 0;
  // What the job has left that it should have given back, or why it came to no end; ""
  // if nothing is wrong.
  std::string leaks;
};

// Copies, and looks for what is left open afterwards.
// REQUIRES: `request` asks for nothing that needs a device (--iopoll).
SimJobResult RunSimJob(SimWorld* world, const CopyRequest& request,
                       const SimJobOptions& options);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_JOB_H_

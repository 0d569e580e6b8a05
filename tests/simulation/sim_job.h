// Runs a copy job in a simulated world: the engine's real workers, walk, claims and
// links, on simulated kernels. All run on one thread, and the world's seed decides which
// worker takes the next step.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_JOB_H_
#define RINGCP_TESTS_SIMULATION_SIM_JOB_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/base/copy_options.h"
#include "core/base/file_error.h"
#include "core/job/progress.h"
#include "core/job/worker.h"
#include "core/job/worker_limits.h"
#include "tests/simulation/sim_kernel.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {

struct SimJobOptions {
  int workers = 2;
  WorkerLimits limits;
  int directories_max = 16;  // How many may be open at a time.
  SimKernelOptions kernel;
  int64_t cancelled_after = -1;  // In steps; negative: never.
};

struct SimJobResult {
  absl::Status status;
  Progress progress;
  std::vector<FileError> errors;
  std::vector<std::string> warnings;
  std::set<std::string> copied;  // Targets reported as copied.
  // The targets that the user was asked about (-i), and what the answers were, if several
  // entries came to one.
  std::map<std::string, std::set<bool>> answers;
  bool cancelled = false;
  bool waits_in_vain = false;  // Whether workers waited for a lost wake-up.
  int64_t steps = 0;
  // What the job did not give back, or why it did not end; "" if nothing is wrong.
  std::string leaks;
};

// Runs the job, and then looks for what is still open. Two of three questions (-i) are
// answered by yes, at once. REQUIRES: `request` needs no
// device, so no --iopoll.
SimJobResult RunSimJob(SimWorld* world, const CopyRequest& request,
                       const SimJobOptions& options);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_JOB_H_

// Runs one part of a benchmark in a process of its own. So every run starts alike: with
// no threads, rings or signal handlers of the run before, CPU seconds that are only its
// own, and glibc's asynchronous I/O, which does not survive a fork, not yet begun. And
// what hangs or crashes is a row of the table, not the end of the program.
//
// Thread-safety: Start() forks, so it is called while the process has one thread.

#ifndef RINGCP_BENCH_IO_MODELS_PART_PROCESS_H_
#define RINGCP_BENCH_IO_MODELS_PART_PROCESS_H_

#include <sys/types.h>

#include <functional>

#include "absl/status/statusor.h"
#include "bench/io_models/descriptor.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

using PartBody = std::function<absl::StatusOr<Measurement>()>;

class PartProcess {
 public:
  // In seconds; a part that takes longer hangs, and is killed. Far above the slowest one
  // at the default sizes on a slow disk.
  static constexpr unsigned kSecondsMax = 300;

  // Starts a process that runs `body` and ends. With `traced` it first becomes a tracee
  // of the caller and stops by SIGSTOP.
  static absl::StatusOr<PartProcess> Start(const PartBody& body, bool traced);

  pid_t pid() const { return pid_; }

  // Waits for its end. What the body returned, or that the process died of something.
  absl::StatusOr<Measurement> Wait();

  // The same for a process that has been waited for: `wait_status` is waitpid()'s.
  absl::StatusOr<Measurement> Result(int wait_status);

 private:
  PartProcess(pid_t pid, Descriptor results) : pid_(pid), results_(std::move(results)) {}

  pid_t pid_;
  Descriptor results_;
};

// Runs `body` in a process of its own and returns what it returned.
absl::StatusOr<Measurement> RunInProcess(const PartBody& body);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_PART_PROCESS_H_

// Runs one part of a benchmark in a process of its own, so that every run starts alike:
// without threads, rings or signal handlers of the run before, with CPU seconds of its
// own, and before glibc's asynchronous I/O, which does not survive a fork, was used. A
// part that hangs or crashes becomes a row of the table and does not end the program.
//
// Thread-safety: Start() forks, so call it while the process has only one thread.

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
  // In seconds. A part that takes longer counts as hanging, and is killed. This is far
  // above the slowest part with the default sizes on a slow disk.
  static constexpr unsigned kSecondsMax = 300;

  // Starts a process that runs `body` and ends. With `traced` the process first becomes a
  // tracee of the caller and stops by SIGSTOP.
  static absl::StatusOr<PartProcess> Start(const PartBody& body, bool traced);

  pid_t pid() const { return pid_; }

  // Waits for the process to end. Returns what the body returned, or how the process
  // died.
  absl::StatusOr<Measurement> Wait();

  // The same if the caller has already waited: `wait_status` is waitpid()'s.
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

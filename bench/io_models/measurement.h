// What is measured of one run of a model, and the recording that gathers it.
//
// A model sets itself up, calls Begin(), works, calls End(), and takes itself down: only
// what lies between counts, for the clock, for CPU seconds and (see
// system_call_counter.h) for system calls.
//
// Thread-safety: RecordLatency(), AddSubmitTime() and AddRetries() may be called by any
// thread, each operation being recorded once; the rest belongs to the thread that made
// the recording.

#ifndef RINGCP_BENCH_IO_MODELS_MEASUREMENT_H_
#define RINGCP_BENCH_IO_MODELS_MEASUREMENT_H_

#include <atomic>
#include <cstdint>
#include <vector>

namespace ringcp::io_models {

// Of one operation each, in seconds; negative where operations have no latency of their
// own (a stream).
struct LatencyPercentiles {
  double p50_seconds = -1;
  double p99_seconds = -1;
  double p999_seconds = -1;
};

// Trivially copyable, because it comes out of another process through a pipe.
struct Measurement {
  int64_t operations = 0;
  int64_t bytes = 0;
  double wall_seconds = 0;
  // User and system time of the process: of all its threads and of the kernel's that work
  // for it, io_uring's workers and its submission queue's thread, which belong to the
  // process since Linux 5.12.
  double cpu_seconds = 0;
  LatencyPercentiles latency;
  // Spent in io_submit(); negative for models that don't call it.
  double submit_seconds = -1;
  // How many calls answered EAGAIN; negative for models that don't ask again.
  int64_t retries = -1;
};

// Nanoseconds of the steady clock. No system call on usual machines (vDSO).
int64_t NowNanoseconds();

// CPU seconds of this process so far, as Measurement::cpu_seconds has them.
double ProcessCpuSeconds();

// Sorts `nanoseconds`. With none, there are no percentiles.
LatencyPercentiles Summarize(std::vector<int64_t>* nanoseconds);

class Recording {
 public:
  // Room for `operations`, whose latencies are recorded unless it is a stream.
  explicit Recording(int64_t operations) : nanoseconds_(operations) {}
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void Begin();
  void End();

  // REQUIRES: 0 <= operation < operations.
  void RecordLatency(int64_t operation, int64_t start_nanoseconds) {
    nanoseconds_[operation] = NowNanoseconds() - start_nanoseconds;
  }
  void AddSubmitTime(int64_t nanoseconds) { submit_nanoseconds_ += nanoseconds; }
  // Also with 0, to tell that it was looked for.
  void AddRetries(int64_t count) {
    counts_retries_ = true;
    retries_ += count;
  }

  // All but bytes. REQUIRES: End() was called.
  Measurement Finish();

 private:
  std::vector<int64_t> nanoseconds_;
  int64_t begin_nanoseconds_ = 0;
  int64_t end_nanoseconds_ = 0;
  double begin_cpu_seconds_ = 0;
  double end_cpu_seconds_ = 0;
  std::atomic<int64_t> submit_nanoseconds_ = 0;
  std::atomic<int64_t> retries_ = 0;
  std::atomic<bool> counts_retries_ = false;
};

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_MEASUREMENT_H_

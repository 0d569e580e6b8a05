// What is measured of one run of a model, and the recording that collects it.
//
// A model sets itself up, calls Begin(), works, calls End(), and takes itself down. Only
// the section in between counts, for the clock, for CPU seconds and for system calls (see
// system_call_counter.h).
//
// Thread-safety: any thread may call RecordLatency() (once for each operation),
// AddSubmitTime() and AddRetries(). The rest belongs to the thread that made the
// recording.

#ifndef RINGCP_BENCH_IO_MODELS_MEASUREMENT_H_
#define RINGCP_BENCH_IO_MODELS_MEASUREMENT_H_

#include <atomic>
#include <cstdint>
#include <vector>

namespace ringcp::io_models {

// Percentiles over the single operations, in seconds; negative if operations have no
// latency of their own (in a stream).
struct LatencyPercentiles {
  double p50_seconds = -1;
  double p99_seconds = -1;
  double p999_seconds = -1;
};

// Trivially copyable, because another process sends it through a pipe.
struct Measurement {
  int64_t operations = 0;
  int64_t bytes = 0;
  double wall_seconds = 0;
  // User and system time of all threads of the process. This includes the kernel's
  // threads that work for it, io_uring's workers and SQPOLL thread, which belong to the
  // process since Linux 5.12.
  double cpu_seconds = 0;
  LatencyPercentiles latency;
  // Time spent in io_submit(); negative for models that don't call it.
  double submit_seconds = -1;
  // How many calls returned EAGAIN; negative for models that never get it.
  int64_t retries = -1;
};

// Nanoseconds of the steady clock. On usual machines this is no system call (vDSO).
int64_t NowNanoseconds();

// CPU seconds of this process so far, counted as in Measurement::cpu_seconds.
double ProcessCpuSeconds();

// Sorts `nanoseconds`. If they are empty, there are no percentiles.
LatencyPercentiles Summarize(std::vector<int64_t>* nanoseconds);

class Recording {
 public:
  // Has room for `operations`; their latencies are recorded, except in a stream.
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
  // Call it also with 0, to show that retries were counted.
  void AddRetries(int64_t count) {
    counts_retries_ = true;
    retries_ += count;
  }

  // Everything but `bytes`. REQUIRES: End() was called.
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

// What a worker counts while it copies. The worker alone writes; any thread may read, so
// a progress snapshot sums the counters of all workers without stopping them.
//
// Thread-safety: Add() by the owning thread only; value() by any thread. The accesses are
// relaxed: each counter is right by itself, but two counters may be read at different
// moments.

#ifndef RINGCP_CORE_BASE_ENGINE_COUNTERS_H_
#define RINGCP_CORE_BASE_ENGINE_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "core/base/job_limit.h"

namespace ringcp {

class Counter {
 public:
  // Not an atomic read-modify-write, because there is only one writer.
  void Add(int64_t amount) {
    value_.store(value_.load(std::memory_order_relaxed) + amount,
                 std::memory_order_relaxed);
  }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};

// Aligned, so that two workers never write to the same cache line.
struct alignas(64) EngineCounters {
  Counter bytes_found;  // Sizes of the regular files seen.
  Counter bytes_done;
  Counter files_found;
  Counter files_done;
  Counter files_skipped;
  Counter files_failed;
  Counter files_at_once;  // Of files_done, those copied at once to their end.
  Counter files_direct;   // Of files_done, those copied with O_DIRECT.
  Counter directories_done;
  Counter short_reads;
  Counter short_writes;
  Counter retries;
  // Copied from the worker's kernel: see KernelCounters.
  Counter chains;
  Counter sqes;
  Counter linked;
  Counter ops_at_once;
  Counter ops_at_once_with_opcode;
  Counter polled;
  Counter enters;
  // What the worker did with its time, in microseconds: it worked, or waited in its
  // kernel.
  Counter work_us;
  Counter wait_us;
  Counter in_flight_us;  // wait_us times the chains and tasks in flight, and work_us.
  // Of wait_us: a limit did not let more be in flight.
  std::array<Counter, kJobLimits> wait_limit_us;
  // Copied from the worker's kernel as well: how long calls took, added up.
  Counter source_us;
  Counter target_us;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_ENGINE_COUNTERS_H_

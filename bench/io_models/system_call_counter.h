// Counts the system calls that a part makes in its measured section, in all its threads.
//
// The part runs under ptrace(2), and the kernel stops it at the entry of each call. The
// alternatives: the tracepoint raw_syscalls:sys_enter costs less time, but needs a kernel
// that has it, root or perf_event_paranoid -1, and tracefs, which containers lack. A
// seccomp filter keeps no count, and its notifications would need an answer like ptrace's
// stops. Everybody may ptrace their own children, in Docker too (since Linux 4.8), unless
// Yama's ptrace_scope is 3.
//
// The price: each call takes some microseconds longer. If the work alone determines the
// calls, the count stays the same. If time does (how many events one wait finds, how
// often a call is made in vain), the count is that of a slowed-down run. So calls are
// counted in a run of their own. Processes that the part starts are traced, too, so that
// the other side of a conversation is just as slow; their calls are not counted.
//
// Thread-safety: one count at a time, in a process with one thread and no other children.

#ifndef RINGCP_BENCH_IO_MODELS_SYSTEM_CALL_COUNTER_H_
#define RINGCP_BENCH_IO_MODELS_SYSTEM_CALL_COUNTER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "bench/io_models/measurement.h"
#include "bench/io_models/part_process.h"

namespace ringcp::io_models {

struct CountedRun {
  // Calls between Recording::Begin() and End(). clock_gettime is not counted, because if
  // it is a system call at all, the recording makes it.
  int64_t system_calls = 0;
  Measurement measurement;  // Of the slowed-down run: only `operations` is valid.
};

// Runs `body` in a process of its own and counts. Unavailable if this system does not
// permit tracing; otherwise fails as `body` does.
absl::StatusOr<CountedRun> CountSystemCalls(const PartBody& body);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_SYSTEM_CALL_COUNTER_H_

// Counts the system calls that a part makes in its measured section, in all its threads.
//
// The count is the kernel's: the part runs under ptrace(2), which stops it at the entry
// of each call. Other ways were weighed. The tracepoint raw_syscalls:sys_enter costs less
// time, but takes a kernel that has it, root or perf_event_paranoid -1, and tracefs,
// which containers lack; a seccomp filter keeps no count, and what it can notify of would
// have to be answered as ptrace is. ptrace of one's own child is allowed to everyone, in
// Docker too (since Linux 4.8), unless Yama's ptrace_scope is 3.
//
// The price: each call takes some microseconds longer. That changes no count where calls
// follow from the work alone; where they follow from time (how many events one wait
// finds, how often one asks in vain), the count is that of a slowed-down run. Calls are
// therefore counted in a run of their own. Processes that the part starts are traced too,
// so that the other side of a conversation is as slow; what they call is not counted.
//
// Thread-safety: one count at a time, by a process with one thread and no other children.

#ifndef RINGCP_BENCH_IO_MODELS_SYSTEM_CALL_COUNTER_H_
#define RINGCP_BENCH_IO_MODELS_SYSTEM_CALL_COUNTER_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "bench/io_models/measurement.h"
#include "bench/io_models/part_process.h"

namespace ringcp::io_models {

struct CountedRun {
  // Between Recording::Begin() and End(). clock_gettime is not counted: where it is a
  // system call at all, it is the recording's.
  int64_t system_calls = 0;
  Measurement measurement;  // Of the slowed-down run: good for `operations` only.
};

// Runs `body` in a process of its own, counting. Unavailable if this system lets nobody
// trace; otherwise fails as `body` does.
absl::StatusOr<CountedRun> CountSystemCalls(const PartBody& body);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_SYSTEM_CALL_COUNTER_H_

// Makes system calls fail as old kernels, containers' filters and odd file systems do, or
// take longer, as on machines that shield the kernel from programs.
//
// Thread-safety: holds for the calling thread and the threads it starts. It can't be
// undone, so it belongs into child processes (child_process.h).

#ifndef RINGCP_TESTS_REFUSED_CALLS_H_
#define RINGCP_TESTS_REFUSED_CALLS_H_

#include <cstdint>

namespace ringcp {

// From now on `system_call` fails with `error_number`. Returns false if that could not be
// arranged.
bool RefuseCall(uint32_t system_call, int error_number);

// From now on every system call takes some microseconds more. Returns false if that could
// not be arranged.
bool MakeCallsDear();

}  // namespace ringcp

#endif  // RINGCP_TESTS_REFUSED_CALLS_H_

// What a job has to know about the process that it runs in, and about the system.
//
// Thread-safety: the functions may be called by any thread.

#ifndef RINGCP_CORE_KERNEL_PROCESS_H_
#define RINGCP_CORE_KERNEL_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <string>

namespace ringcp {

// How many CPUs the process may use, at least 1.
int AvailableCpus();

// How long a system call that does nothing takes on the calling thread: 0.1 to 0.2 us on
// many CPUs, 1 us and more where the kernel is shielded from programs at each call (page
// table isolation, retpolines) or the thread's calls pass a long filter (seccomp).
// Measuring takes 64 such calls.
std::chrono::nanoseconds SystemCallTime();

// The effective user and group, which own the files that the process makes.
uid_t ProcessUser();
gid_t ProcessGroup();

// The system's release, such as "6.1.0-28-amd64".
std::string KernelRelease();

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_PROCESS_H_

#include "core/kernel/process.h"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace ringcp {

int AvailableCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

std::chrono::nanoseconds SystemCallTime() {
  constexpr int kBatches = 4;
  constexpr int kCalls = 16;
  // The fastest batch, because another thread may have taken the CPU during the others.
  auto least = std::chrono::nanoseconds::max();
  for (int batch = 0; batch < kBatches; ++batch) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) syscall(SYS_getppid);
    const auto time = std::chrono::steady_clock::now() - start;
    least = std::min<std::chrono::nanoseconds>(least, time / kCalls);
  }
  return least;
}

uid_t ProcessUser() { return geteuid(); }
gid_t ProcessGroup() { return getegid(); }

std::string KernelRelease() {
  utsname name = {};
  return uname(&name) == 0 ? name.release : "unknown";
}

}  // namespace ringcp

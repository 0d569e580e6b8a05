#include "core/kernel/open_files.h"

#include <sys/resource.h>

#include <algorithm>

namespace ringcp {
namespace {

constexpr int kWithoutLimit = 1024;  // The usual limit of POSIX systems.
constexpr rlim_t kMost = 1 << 20;    // The most that Linux allows by default.

}  // namespace

int OpenFilesMax() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kWithoutLimit;
  return static_cast<int>(std::min(limit.rlim_cur, kMost));
}

void RaiseOpenFilesMax() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace ringcp

#include "core/kernel/start_thread.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstddef>

namespace ringcp {
namespace {

// The usual size (ulimit -s), if it can't be asked for.
constexpr size_t kStackBytes = size_t{8} << 20;

size_t StackBytes() {
  size_t bytes = kStackBytes;
  pthread_attr_t attributes;
  if (pthread_getattr_default_np(&attributes) != 0) return bytes;
  pthread_attr_getstacksize(&attributes, &bytes);
  pthread_attr_destroy(&attributes);
  return bytes;
}

}  // namespace

bool HasRoomForThread() {
  rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return true;
  const size_t bytes = StackBytes() + kSpareBytes;
  void* const room = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return false;
  munmap(room, bytes);
  return true;
}

}  // namespace ringcp

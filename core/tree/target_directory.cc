#include "core/tree/target_directory.h"

#include <fcntl.h>

#include <cerrno>

namespace ringcp {

int TargetDirectory::OpenToUse(Kernel* kernel, int at, const char* path_name) {
  constexpr int kFlags = O_DIRECTORY | O_NOFOLLOW;
  const int fd = kernel->Open(at, path_name, O_RDONLY | kFlags);
  // The directory may be writable but not readable.
  return fd == -EACCES ? kernel->Open(at, path_name, O_PATH | kFlags) : fd;
}

}  // namespace ringcp

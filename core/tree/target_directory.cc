#include "core/tree/target_directory.h"

#include <fcntl.h>

#include <cerrno>

namespace ringcp {

int TargetDirectory::OpenToUse(Kernel* kernel, int at, const char* path_name,
                               int no_follow) {
  const int flags = O_DIRECTORY | no_follow;
  const int fd = kernel->Open(at, path_name, O_RDONLY | flags);
  // The directory may be writable but not readable.
  return fd == -EACCES ? kernel->Open(at, path_name, O_PATH | flags) : fd;
}

}  // namespace ringcp

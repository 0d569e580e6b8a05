#include "core/tree/directory_parking.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <vector>

#include "core/base/file_identity.h"

namespace ringcp {
namespace {

constexpr int kFlags = O_DIRECTORY;

// What tells apart the two trees that a directory is in.
struct Side {
  int Directory::*fd;
  std::string Directory::*name;
  bool is_source;

  int no_follow(const Directory& directory) const {
    return is_source && directory.follow ? 0 : O_NOFOLLOW;
  }
  bool IsSame(const Directory& directory, const struct statx& stat) const {
    return is_source ? DeviceOf(stat) == DeviceOf(directory.source_stat) &&
                           stat.stx_ino == directory.source_stat.stx_ino
                     : DeviceOf(stat) == directory.parked_target_device &&
                           stat.stx_ino == directory.parked_target_inode;
  }
};

constexpr Side kSource = {&Directory::source_fd, &Directory::source_name, true};
constexpr Side kTarget = {&Directory::target_fd, &Directory::target_name, false};

// Opens `name` at `at` if it is `directory`: a descriptor, or -errno; -ESTALE if it is
// another one. With `to_use` it is opened as it was first, else to go through only.
int OpenStep(Kernel* kernel, const Side& side, const Directory& directory, int at,
             const char* name, int no_follow, bool to_use) {
  const int access = !to_use ? O_PATH : side.is_source ? O_RDONLY | O_NONBLOCK : O_RDONLY;
  int fd = kernel->Open(at, name, access | kFlags | no_follow);
  // A target may be writable but not readable.
  if (fd == -EACCES && to_use && !side.is_source) {
    fd = kernel->Open(at, name, O_PATH | kFlags | no_follow);
  }
  if (fd < 0) return fd == -ENOTDIR || fd == -ELOOP ? -ESTALE : fd;
  struct statx stat;
  int32_t result = kernel->Stat(fd, &stat);
  if (result == 0 && !side.IsSame(directory, stat)) result = -ESTALE;
  if (result == 0) return fd;
  kernel->Close(fd);
  return result;
}

// Opens `directory` beneath the nearest one above it that is open.
int OpenBeneath(Kernel* kernel, const Side& side, const Directory& directory) {
  std::vector<const Directory*> below;
  const Directory* above = &directory;
  while (!above->is_top() && above->*side.fd < 0) {
    below.push_back(above);
    above = above->parent;
  }
  int at = above->*side.fd;
  for (auto next = below.rbegin(); next != below.rend(); ++next) {
    const Directory& step = **next;
    const int fd = OpenStep(kernel, side, step, at, (step.*side.name).c_str(),
                            side.no_follow(step), &step == &directory);
    if (next != below.rbegin()) kernel->Close(at);
    if (fd < 0) return fd;
    at = fd;
  }
  return at;
}

int Open(Kernel* kernel, const Side& side, const Directory& directory,
         const Directory* child) {
  if (child != nullptr && child->*side.fd >= 0) {
    // What the child was in may have been exchanged or, with links, be elsewhere.
    const int fd =
        OpenStep(kernel, side, directory, child->*side.fd, "..", O_NOFOLLOW, true);
    if (fd >= 0) return fd;
  }
  return OpenBeneath(kernel, side, directory);
}

}  // namespace

bool ParkDirectory(Kernel* kernel, Directory* directory) {
  if (directory->target_fd >= 0) {
    struct statx stat;
    if (kernel->Stat(directory->target_fd, &stat) != 0) return false;
    directory->parked_target_device = DeviceOf(stat);
    directory->parked_target_inode = stat.stx_ino;
  }
  kernel->CloseIfOpen(&directory->source_fd);
  kernel->CloseIfOpen(&directory->target_fd);
  return true;
}

bool ReopenDirectory(Kernel* kernel, Directory* directory, const Directory* child,
                     ReopenFailure* failure) {
  const bool has_target = directory->parked_target_inode != 0;
  int fd = Open(kernel, kSource, *directory, child);
  failure->on_target = false;
  if (fd >= 0) {
    directory->source_fd = fd;
    if (!has_target) return true;
    fd = Open(kernel, kTarget, *directory, child);
    failure->on_target = true;
    if (fd >= 0) {
      directory->target_fd = fd;
      return true;
    }
    kernel->CloseIfOpen(&directory->source_fd);
  }
  failure->error_number = fd == -ESTALE ? 0 : -fd;
  return false;
}

}  // namespace ringcp

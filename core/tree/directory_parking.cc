#include "core/tree/directory_parking.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

namespace ringcp {
namespace {

constexpr int kFlags = O_DIRECTORY | O_CLOEXEC;

// What tells apart the two trees that a directory is in.
struct Side {
  int Directory::*fd;
  std::string Directory::*name;
  bool is_source;

  int no_follow(const Directory& directory) const {
    return is_source && directory.follow ? 0 : O_NOFOLLOW;
  }
  bool IsSame(const Directory& directory, const struct stat& stat) const {
    return is_source ? stat.st_dev == directory.source_stat.st_dev &&
                           stat.st_ino == directory.source_stat.st_ino
                     : stat.st_dev == directory.parked_target_device &&
                           stat.st_ino == directory.parked_target_inode;
  }
};

constexpr Side kSource = {&Directory::source_fd, &Directory::source_name, true};
constexpr Side kTarget = {&Directory::target_fd, &Directory::target_name, false};

void CloseIfOpen(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

// Opens `name` at `at` if it is `directory`: a descriptor, or -errno; -ESTALE if it is
// another one. With `to_use` it is opened as it was first, else to go through only.
int OpenStep(const Side& side, const Directory& directory, int at, const char* name,
             int no_follow, bool to_use) {
  const int access = !to_use ? O_PATH : side.is_source ? O_RDONLY | O_NONBLOCK : O_RDONLY;
  int fd = openat(at, name, access | kFlags | no_follow);
  // A target may be writable but not readable.
  if (fd < 0 && errno == EACCES && to_use && !side.is_source) {
    fd = openat(at, name, O_PATH | kFlags | no_follow);
  }
  if (fd < 0) return errno == ENOTDIR || errno == ELOOP ? -ESTALE : -errno;
  struct stat stat;
  const int error_number = fstat(fd, &stat) != 0          ? errno
                           : side.IsSame(directory, stat) ? 0
                                                          : ESTALE;
  if (error_number == 0) return fd;
  close(fd);
  return -error_number;
}

// Opens `directory` beneath the nearest one above it that is open.
int OpenBeneath(const Side& side, const Directory& directory) {
  std::vector<const Directory*> below;
  const Directory* above = &directory;
  while (!above->is_top() && above->*side.fd < 0) {
    below.push_back(above);
    above = above->parent;
  }
  int at = above->*side.fd;
  for (auto next = below.rbegin(); next != below.rend(); ++next) {
    const Directory& step = **next;
    const int fd = OpenStep(side, step, at, (step.*side.name).c_str(),
                            side.no_follow(step), &step == &directory);
    if (next != below.rbegin()) close(at);
    if (fd < 0) return fd;
    at = fd;
  }
  return at;
}

int Open(const Side& side, const Directory& directory, const Directory* child) {
  if (child != nullptr && child->*side.fd >= 0) {
    // What the child was in may have been exchanged or, with links, be elsewhere.
    const int fd = OpenStep(side, directory, child->*side.fd, "..", O_NOFOLLOW, true);
    if (fd >= 0) return fd;
  }
  return OpenBeneath(side, directory);
}

}  // namespace

bool ParkDirectory(Directory* directory) {
  if (directory->target_fd >= 0) {
    struct stat stat;
    if (fstat(directory->target_fd, &stat) != 0) return false;
    directory->parked_target_device = stat.st_dev;
    directory->parked_target_inode = stat.st_ino;
  }
  CloseIfOpen(&directory->source_fd);
  CloseIfOpen(&directory->target_fd);
  return true;
}

bool ReopenDirectory(Directory* directory, const Directory* child,
                     ReopenFailure* failure) {
  const bool has_target = directory->parked_target_inode != 0;
  int fd = Open(kSource, *directory, child);
  failure->on_target = false;
  if (fd >= 0) {
    directory->source_fd = fd;
    if (!has_target) return true;
    fd = Open(kTarget, *directory, child);
    failure->on_target = true;
    if (fd >= 0) {
      directory->target_fd = fd;
      return true;
    }
    CloseIfOpen(&directory->source_fd);
  }
  failure->error_number = fd == -ESTALE ? 0 : -fd;
  return false;
}

}  // namespace ringcp

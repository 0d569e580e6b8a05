#include "core/tree/directory_parking.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <vector>

#include "core/base/file_identity.h"
#include "core/tree/source_directory.h"
#include "core/tree/target_directory.h"

namespace ringcp {
namespace {

constexpr int kFlags = O_DIRECTORY;

// Both halves of a directory are reopened by the same code; these types are how it gets
// at one half. LeadsOn(): names of directories below can be opened from its descriptor.
struct SourceHalf {
  static const SourceDirectory& Of(const Directory& directory) {
    return directory.source;
  }
  static bool LeadsOn(const Directory& directory) {
    return directory.names_sources() || directory.source.fd >= 0;
  }
  // Opens it with the flags that it was first opened with.
  static int OpenToUse(Kernel* kernel, int at, const char* name, int no_follow) {
    return kernel->Open(at, name, O_RDONLY | O_NONBLOCK | kFlags | no_follow);
  }
  static int no_follow(const Directory& directory) {
    return directory.source.no_follow();
  }
};

struct TargetHalf {
  static const TargetDirectory& Of(const Directory& directory) {
    return *directory.target;
  }
  static bool LeadsOn(const Directory& directory) {
    return directory.is_top() || directory.target->fd >= 0;
  }
  static int OpenToUse(Kernel* kernel, int at, const char* name, int no_follow) {
    return TargetDirectory::OpenToUse(kernel, at, name, no_follow);
  }
  static int no_follow(const Directory& directory) {
    return directory.target->no_follow();
  }
};

// Opens `name` at `at`, which has to be `directory`. Returns a descriptor or -errno,
// -ESTALE if something else is there. With `to_use` it is opened like the first time,
// otherwise only to be passed through.
template <class Half>
int OpenStep(Kernel* kernel, const Directory& directory, int at, const char* name,
             int no_follow, bool to_use) {
  const int fd = to_use ? Half::OpenToUse(kernel, at, name, no_follow)
                        : kernel->Open(at, name, O_PATH | kFlags | no_follow);
  if (fd < 0) return fd == -ENOTDIR || fd == -ELOOP ? -ESTALE : fd;
  struct statx stat;
  int32_t result = kernel->Stat(fd, &stat);
  if (result == 0 && !Half::Of(directory).IsSame(stat)) result = -ESTALE;
  if (result == 0) return fd;
  kernel->Close(fd);
  return result;
}

// Opens `directory` step by step beneath the nearest open directory above it.
template <class Half>
int OpenBeneath(Kernel* kernel, const Directory& directory) {
  std::vector<const Directory*> below;
  const Directory* above = &directory;
  while (!Half::LeadsOn(*above)) {
    below.push_back(above);
    above = above->parent;
  }
  int at = Half::Of(*above).fd;
  for (auto next = below.rbegin(); next != below.rend(); ++next) {
    const Directory& step = **next;
    const int fd = OpenStep<Half>(kernel, step, at, Half::Of(step).name.c_str(),
                                  Half::no_follow(step), &step == &directory);
    if (next != below.rbegin()) kernel->Close(at);
    if (fd < 0) return fd;
    at = fd;
  }
  return at;
}

template <class Half>
int Open(Kernel* kernel, const Directory& directory, const Directory* child) {
  if (child != nullptr && Half::Of(*child).fd >= 0) {
    // The child's ".." is another directory if the child was moved, or is reached through
    // a link. Then the way from above is tried.
    const int fd =
        OpenStep<Half>(kernel, directory, Half::Of(*child).fd, "..", O_NOFOLLOW, true);
    if (fd >= 0) return fd;
  }
  return OpenBeneath<Half>(kernel, directory);
}

}  // namespace

bool ParkDirectory(Kernel* kernel, Directory* directory) {
  TargetDirectory* const target = directory->target.get();
  if (target != nullptr && target->fd >= 0) {
    struct statx stat;
    if (kernel->Stat(target->fd, &stat) != 0) return false;
    target->NoteParked(stat);
  }
  if (directory->given == nullptr) kernel->CloseIfOpen(&directory->source.fd);
  if (target != nullptr) kernel->CloseIfOpen(&target->fd);
  return true;
}

bool ReopenDirectory(Kernel* kernel, Directory* directory, const Directory* child,
                     ReopenFailure* failure) {
  TargetDirectory* const target = directory->target.get();
  const auto failed = [failure](bool on_target, int fd) {
    failure->on_target = on_target;
    failure->error_number = fd == -ESTALE ? 0 : -fd;
    return false;
  };
  if (directory->given == nullptr) {
    const int fd = Open<SourceHalf>(kernel, *directory, child);
    if (fd < 0) return failed(/*on_target=*/false, fd);
    directory->source.fd = fd;
  }
  if (target == nullptr || !target->was_parked()) return true;
  const int fd = Open<TargetHalf>(kernel, *directory, child);
  if (fd >= 0) {
    target->fd = fd;
    return true;
  }
  if (directory->given == nullptr) kernel->CloseIfOpen(&directory->source.fd);
  return failed(/*on_target=*/true, fd);
}

}  // namespace ringcp

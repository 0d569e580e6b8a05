// A directory as a source: its name in its parent, how it is opened, and what was seen of
// it then. This half of a Directory is all that a walk looks at.
//
// Thread-safety: a plain value; directory.h says who may touch it when.

#ifndef RINGCP_CORE_TREE_SOURCE_DIRECTORY_H_
#define RINGCP_CORE_TREE_SOURCE_DIRECTORY_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "core/base/file_identity.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"

namespace ringcp {

struct SourceDirectory {
  // In the parent; for a root, the path as typed.
  std::string name;
  // If the name is a symbolic link, follow it.
  bool follow = false;
  // True if a stat has shown that it is a directory; otherwise its parent only lists it
  // as one.
  bool looked_at = false;
  // This name or one above it may be a link that was followed. Only then can the
  // directory be the same as one above it.
  bool through_link = false;

  int fd = -1;
  struct statx stat = {};
  // The file system that it is on, known once it is open; nullptr for the top.
  FileSystem* file_system = nullptr;
  // The device of the root above it, to which -x confines the walk.
  dev_t root_device = 0;
  // Where reading continues, while it is parked.
  uint64_t position = 0;

  int no_follow() const { return follow ? 0 : O_NOFOLLOW; }
  // Opens it beneath `parent` for reading; returns a descriptor or -errno.
  int OpenToRead(Kernel* kernel, const SourceDirectory& parent) const {
    return kernel->Open(parent.fd, name.c_str(),
                        O_RDONLY | O_DIRECTORY | O_NONBLOCK | no_follow());
  }
  // Whether `other` is a stat of this same directory.
  bool IsSame(const struct statx& other) const { return SameFile(stat, other); }
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_SOURCE_DIRECTORY_H_

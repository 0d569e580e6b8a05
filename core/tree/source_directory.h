// A directory as a source: what its name is in its parent, how it is opened, and what was
// seen of it when it was. This half of a Directory is all that a walk looks at.
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
  // In the parent; at the top the path as typed.
  std::string name;
  // Follow the name if it is a symbolic link.
  bool follow = false;
  // That it is a directory was seen by a stat; else it is only what its parent lists.
  bool looked_at = false;
  // This name or one above it may be a link that was followed: only then can the
  // directory be one that it lies in.
  bool through_link = false;

  int fd = -1;
  struct statx stat = {};
  // What it is on, known once it is open; nullptr of the top.
  FileSystem* file_system = nullptr;
  // The device of the root above: where -x stays.
  dev_t root_device = 0;
  // Where to read on, while it is parked.
  uint64_t position = 0;

  int no_follow() const { return follow ? 0 : O_NOFOLLOW; }
  // Opens it beneath `parent` to be read: a descriptor, or -errno.
  int OpenToRead(Kernel* kernel, const SourceDirectory& parent) const {
    return kernel->Open(parent.fd, name.c_str(),
                        O_RDONLY | O_DIRECTORY | O_NONBLOCK | no_follow());
  }
  // Whether `other` is of the directory that was seen.
  bool IsSame(const struct statx& other) const { return SameFile(stat, other); }
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_SOURCE_DIRECTORY_H_

#include "core/file_systems.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <iterator>

namespace ringcp {
namespace {

// XFS's is in no header of the kernel's for programs; the number is part of its format.
constexpr unsigned kXfsMagic = 0x58465342;

// ext2, ext3 and ext4 have one number.
constexpr unsigned kKnownLocal[] = {
    EXT4_SUPER_MAGIC, kXfsMagic,   BTRFS_SUPER_MAGIC,
    F2FS_SUPER_MAGIC, TMPFS_MAGIC, RAMFS_MAGIC,
};

}  // namespace

bool IsKnownLocal(int fd) {
  struct statfs status;
  if (fstatfs(fd, &status) != 0) return false;
  const auto magic = static_cast<unsigned>(status.f_type);
  return std::find(std::begin(kKnownLocal), std::end(kKnownLocal), magic) !=
         std::end(kKnownLocal);
}

}  // namespace ringcp

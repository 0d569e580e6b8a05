// What is known of file systems by their kind.
//
// Thread-safety: pure apart from asking the kernel.

#ifndef RINGCP_CORE_KERNEL_FILE_SYSTEMS_H_
#define RINGCP_CORE_KERNEL_FILE_SYSTEMS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/kernel/kernel.h"

namespace ringcp {

// What a copy has to know of a file system. What it is not certain of is kOther: the
// price is a system call or two for each file, the alternative were files lost in
// silence.
enum class FileSystemKind : uint8_t {
  // FUSE, CIFS and all that have no name here. They tell errors of writing when a file is
  // closed, may say any size, and may make up another inode number for each name.
  kOther,
  // One of those that are known by name: ext2 to ext4, XFS, Btrfs, F2FS, tmpfs and ramfs.
  // Of those we know from their sources in Linux that
  //  - closing a file tells no error (they have no flush operation, or one that says
  //    nothing), so that a target may be closed as a slot of a ring, which flushes
  //    nothing;
  //  - a file's size is true: a read that gets less than it asked for has met its end;
  //  - a new file is on its directory's device.
  kLocal,
  // NFS: as kOther, but inode numbers are the server's, one for each file.
  kNfs,
  // overlayfs: as kOther. A file that is opened for writing, or linked, is first copied
  // up to where changes go, and may get another device and inode number by that.
  kOverlay,
};

// What the file system that `name` in `directory` is on says of itself. `follow`: if it
// is a symbolic link, of what that leads to. 0 or -errno.
int32_t StatFileSystemAt(Kernel* kernel, int directory, const char* name, bool follow,
                         FileSystemStat* stat);

// Of what the open file `fd` (O_PATH is enough) is on.
FileSystemKind KindOfFileSystem(Kernel* kernel, int fd);

// Of what `name` in `directory` leads to, links followed; kOther where that can't be
// told.
FileSystemKind KindOfFileSystemAt(Kernel* kernel, int directory, const char* name);

// Equal for the names that a directory of a file system that ignores the case of letters
// may take for the same one, and for few others. What such a system makes of letters that
// are not ASCII's depends on its version of Unicode: all names with such letters are one.
// Only a name in ASCII and one that is not may be the same there and yet differ here (the
// sign for kelvin and `k`).
std::string FoldedName(std::string_view name);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_FILE_SYSTEMS_H_

// What is known about file systems from their kind, before anything is tried on one.
//
// Thread-safety: pure apart from asking the kernel.

#ifndef RINGCP_CORE_KERNEL_FILE_SYSTEMS_H_
#define RINGCP_CORE_KERNEL_FILE_SYSTEMS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/kernel/kernel.h"

namespace ringcp {

// What file systems of one kind do that a copy has to know; each kind is one row in
// file_systems.cc. A kind without a row has the values below, which assume the worst:
// that costs a system call or two for each file, while a wrong assumption could lose
// files silently.
struct FileSystemKind {
  // Some write errors are reported only when a file is closed by its descriptor. If
  // false, a target may be closed as a slot of a ring, which flushes nothing.
  bool tells_errors_at_close = true;
  // A short read that reaches the size that the file reports has met the end of the file.
  // If false, the reported size may be wrong.
  bool tells_true_sizes = false;
  // A new file belongs to the user who makes it, and is on its directory's device. If
  // false, a server may give it to another user.
  bool gives_files_to_their_maker = false;
  // Each file has one inode number of its own, whichever of its names is looked at. If
  // false, a number may be made up for each name, and names that differ may lead to the
  // same file (see FoldedName()).
  bool has_true_inodes = false;
  // A file that is opened for writing, or linked to, is first copied up to the layer that
  // takes changes, and may thereby get another device and inode number.
  bool copies_up = false;
  // An existing file may refuse every opening for writing except one with O_TRUNC.
  bool may_open_truncating_only = true;
  // A file that is open may refuse to be removed, or may come back when it is closed.
  bool may_keep_what_is_open = true;
  // A write that a ring carries out may fail although the same write by a system call
  // would succeed.
  bool may_write_by_calls_only = true;
  // Linux leaves copies between two of its files to the server (OpKind::kCopyRange), so
  // that the contents don't cross the network twice.
  bool copies_on_server = false;
  // What its times of modification are multiples of, in nanoseconds; 0: not known.
  int64_t time_unit = 0;
  // Clones within it wait for each other, so more threads don't make them faster.
  bool clones_one_at_a_time = false;
};

// The kind with this number (statfs(2)); FileSystemKind() if it has no row.
const FileSystemKind& KindWithMagic(uint64_t magic);

// Asks what the file system that `name` in `directory` is on reports about itself.
// `follow`: if `name` is a symbolic link, asks about what the link leads to instead.
// Returns 0 or -errno.
int32_t StatFileSystemAt(Kernel* kernel, int directory, const char* name, bool follow,
                         FileSystemStat* stat);

// Returns the same text for all names that a case-insensitive directory may take for one
// name, and for few others. How such a file system folds letters outside ASCII depends on
// its version of Unicode, so all names with such letters get one text. Only a name in
// ASCII and a name outside ASCII may be one there and yet get different texts here (`k`
// and the Kelvin sign).
std::string FoldedName(std::string_view name);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_FILE_SYSTEMS_H_

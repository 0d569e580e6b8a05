// What is known of file systems by their kind, before anything is tried on one.
//
// Thread-safety: pure apart from asking the kernel.

#ifndef RINGCP_CORE_KERNEL_FILE_SYSTEMS_H_
#define RINGCP_CORE_KERNEL_FILE_SYSTEMS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/kernel/kernel.h"

namespace ringcp {

// What file systems of one kind do that a copy has to know of; what each kind does is one
// row in file_systems.cc. A kind without a row is as below: what is not certain costs a
// system call or two for each file, the alternative were files lost in silence.
struct FileSystemKind {
  // Some errors of writing are told only when a file is closed by its descriptor. Else a
  // target may be closed as a slot of a ring, which flushes nothing.
  bool tells_errors_at_close = true;
  // A read that gets less than it asked for, at the size that a file tells, has met its
  // end. Else any size may be told.
  bool tells_true_sizes = false;
  // What is made belongs to the user who makes it, and is on its directory's device. Else
  // a server may give it to another one.
  bool gives_files_to_their_maker = false;
  // Each file has an inode number of its own, whichever of its names it is looked at by.
  // Else numbers may be made up for each name, and names may be equal that differ.
  bool has_true_inodes = false;
  // A file that is opened for writing, or linked, is first copied up to where changes go,
  // and may get another device and inode number by that.
  bool copies_up = false;
  // An existing file may take no other opening for writing than one with O_TRUNC.
  bool may_open_truncating_only = true;
  // What is open may not be removed, or may come back when it is closed.
  bool may_keep_what_is_open = true;
  // A write that a ring carries out may fail where one by a call does not.
  bool may_write_by_calls_only = true;
  // Clones within it wait for each other: more threads make none of them faster.
  bool clones_one_at_a_time = false;
};

// Of the kind with this number (statfs(2)); FileSystemKind() where it has no row.
const FileSystemKind& KindWithMagic(uint64_t magic);

// What the file system that `name` in `directory` is on says of itself. `follow`: if it
// is a symbolic link, of what that leads to. 0 or -errno.
int32_t StatFileSystemAt(Kernel* kernel, int directory, const char* name, bool follow,
                         FileSystemStat* stat);

// Equal for the names that a directory of a file system that ignores the case of letters
// may take for the same one, and for few others. What such a system makes of letters that
// are not ASCII's depends on its version of Unicode: all names with such letters are one.
// Only a name in ASCII and one that is not may be the same there and yet differ here (the
// sign for kelvin and `k`).
std::string FoldedName(std::string_view name);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_FILE_SYSTEMS_H_

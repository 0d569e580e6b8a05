// A directory as a target: what its name is in its parent, whether it is there and open,
// what is made in it gets, and what has to be done to it once everything is in it. A walk
// does not see this half of a Directory, but for that there is one.
//
// Thread-safety: a plain value; directory.h says who may touch it when.

#ifndef RINGCP_CORE_TREE_TARGET_DIRECTORY_H_
#define RINGCP_CORE_TREE_TARGET_DIRECTORY_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/file_identity.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"

namespace ringcp {

// No group has this number: chown(2) takes it for none.
inline constexpr gid_t kUnknownGroup = static_cast<gid_t>(-1);

// The group that new entries of the directory `stat` get from a process of `group`:
// unknown where it is neither the process's nor is inherited by set-group-ID, because
// some file systems (grpid) have it inherited always.
inline gid_t GroupOfNewEntries(const struct statx& stat, gid_t group) {
  const bool is_known = (stat.stx_mode & S_ISGID) != 0 || stat.stx_gid == group;
  return is_known ? stat.stx_gid : kUnknownGroup;
}

struct TargetDirectory {
  // In the parent; at the top the last part of the target's path.
  std::string name;
  // How the user would write the target if the names do not give that; only of roots.
  std::unique_ptr<const std::string> shown;

  int fd = -1;
  // It is there; it is open unless nothing is to be done to it.
  bool is_made = false;
  // This job made it, so that nothing can be in it but what this job puts there.
  bool is_created = false;
  // Which directory it is; known while it is parked.
  dev_t parked_device = 0;
  ino_t parked_inode = 0;

  // What it is on, known once it is open.
  FileSystem* file_system = nullptr;
  // Of the path below the job's target, as far as it is on file systems without true
  // inode numbers: equal for those of one job that such a system may take for one
  // directory, because it ignores the case of letters.
  uint64_t key = 0;
  // What new entries get: the directory's group, if they inherit it, or the process's;
  // kUnknownGroup where that is not certain.
  gid_t group = kUnknownGroup;
  // What the default ACL grants, of 0777, to what is made in it; absent if there is none.
  // Known only where modes or owners are kept, because only then rights are given back
  // that were withheld from a file at first.
  std::optional<mode_t> default_acl;

  // What is to be done to it when all is in it: its attributes set as the source's are,
  // of which this is the mode,
  bool set_attributes = false;
  mode_t kept_mode = 0;
  // and else, of one that this job made, permissions given back that were withheld from
  // it at first, and those taken away that its owner was lent meanwhile.
  mode_t withheld_mode = 0;
  mode_t lent_mode = 0;

  // Whether anything is to be done to it at the end, by its descriptor.
  bool has_to_be_finished() const {
    return set_attributes || withheld_mode != 0 || lent_mode != 0;
  }
  // Notes of which directory the open one is, so that it is known again.
  void NoteParked(const struct statx& stat) {
    parked_device = DeviceOf(stat);
    parked_inode = stat.stx_ino;
  }
  bool was_parked() const { return parked_inode != 0; }
  // Whether `stat` is of the directory that was parked.
  bool IsSame(const struct statx& stat) const {
    return DeviceOf(stat) == parked_device && stat.stx_ino == parked_inode;
  }
  // Opens `path_name`, which leads from `at` to it, to be used: a descriptor, or -errno.
  static int OpenToUse(Kernel* kernel, int at, const char* path_name);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_TARGET_DIRECTORY_H_

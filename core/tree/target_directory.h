// A directory as a target: its name in its parent, whether it exists and is open, what
// new entries in it get, and what has to be done to it once everything is in it. A walk
// can't see into this half of a Directory.
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
#include "core/file/source_attributes.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"

namespace ringcp {

// No group has this number, because chown(2) takes it for "leave the group".
inline constexpr gid_t kUnknownGroup = static_cast<gid_t>(-1);

// The group that new entries of the directory `stat` get from a process of `group`. If
// the directory neither has the process's group nor passes its own on by set-group-ID,
// the result is unknown, because some file systems (mounted with grpid) always pass it
// on.
inline gid_t GroupOfNewEntries(const struct statx& stat, gid_t group) {
  const bool is_known = (stat.stx_mode & S_ISGID) != 0 || stat.stx_gid == group;
  return is_known ? stat.stx_gid : kUnknownGroup;
}

struct TargetDirectory {
  // In the parent; for the top, its path as a user would write it.
  std::string name;
  // How a user would write the target if the names don't give that; only for roots.
  std::unique_ptr<const std::string> shown;

  int fd = -1;
  // It exists, and is open unless nothing is to be done to it.
  bool is_made = false;
  // It may be reached through a symbolic link (--keep-directory-symlink, --parents).
  bool may_be_link = false;
  // If it exists already, it keeps its attributes, whatever the options say.
  bool keeps_own_attributes = false;
  // This job created it, so only what this job puts there can be in it.
  bool is_created = false;
  // Which directory it is; known while it is parked.
  dev_t parked_device = 0;
  ino_t parked_inode = 0;

  // The file system that it is on, known once it is open.
  FileSystem* file_system = nullptr;
  // A hash of the path below the job's target, of the names on file systems without true
  // inode numbers. Directories of a job have the same key if such a file system may take
  // them for one, because it ignores the case of letters.
  uint64_t key = 0;
  // The group that new entries get: the directory's, if they inherit it, or the
  // process's; kUnknownGroup if that is not certain.
  gid_t group = kUnknownGroup;
  // The permissions, of 0777, that the default ACL grants to new entries; absent if there
  // is no default ACL. Known only if modes or owners are kept, because only then are
  // permissions given back to files from which they were withheld at first.
  std::optional<mode_t> default_acl;

  // Set its attributes as the source's are when everything is in it.
  bool set_attributes = false;
  // The ACLs and extended attributes of the source that it is to get; nullptr: none.
  std::unique_ptr<SourceAttributes> attributes;
  // If this job created it: the permissions to give back at the end, because they were
  // withheld at first, and those to take away, because its owner needed them only
  // meanwhile.
  mode_t withheld_mode = 0;
  mode_t lent_mode = 0;

  // Whether anything is to be done to it at the end, through its descriptor.
  bool has_to_be_finished() const {
    return set_attributes || withheld_mode != 0 || lent_mode != 0;
  }
  // Notes which directory this is, by the `stat` of its descriptor, so that it can be
  // recognized later.
  void NoteParked(const struct statx& stat) {
    parked_device = DeviceOf(stat);
    parked_inode = stat.stx_ino;
  }
  bool was_parked() const { return parked_inode != 0; }
  // Whether `stat` is of the directory that was parked.
  bool IsSame(const struct statx& stat) const {
    return DeviceOf(stat) == parked_device && stat.stx_ino == parked_inode;
  }
  int no_follow() const { return may_be_link ? 0 : O_NOFOLLOW; }
  // Opens `path_name`, which leads from `at` to it, for use, with `no_follow`; returns a
  // descriptor or -errno.
  static int OpenToUse(Kernel* kernel, int at, const char* path_name, int no_follow);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_TARGET_DIRECTORY_H_

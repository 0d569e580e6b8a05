// A directory that is being copied: where it is in the tree, its open descriptors, and
// what has to be done to its copy once everything in it is there.
//
// A directory that waits for what is below it may be parked (walk.h): its descriptors are
// closed until they are needed again.
//
// Thread-safety: `holds` is atomic; what tells whether it is in hand, read or parked is
// guarded by the walk's lock, and so are the descriptors of one that is parked; the other
// members are written by the thread that enters the directory, before anybody else sees
// it as entered.
//
// Ownership: made by Walk, deleted by Walk when the last hold is given back; a parent
// outlives its children, because each of them holds it.

#ifndef RINGCP_CORE_TREE_DIRECTORY_H_
#define RINGCP_CORE_TREE_DIRECTORY_H_

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/kernel/file_system_table.h"

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

struct Directory {
  Directory* parent = nullptr;
  // Names in the parent's directories. Below the top they are equal; on top they are the
  // path as typed and the last part of the target's.
  std::string source_name;
  std::string target_name;
  // How the user would write the target if the names do not give that; only of roots.
  std::unique_ptr<const std::string> target_shown;
  // Follow source_name if it is a symbolic link.
  bool follow = false;
  // That it is a directory was seen by a stat; else it is only what its parent lists.
  bool looked_at = false;
  // This name or one above it may be a link that was followed: only then can the
  // directory be one that it lies in.
  bool through_link = false;
  // Named on the command line (a child of the top).
  bool is_root = false;

  // What has not settled yet: reading the directory and entries being copied, which each
  // count one and may need the descriptors, and children, which count kChildHold.
  static constexpr int64_t kChildHold = int64_t{1} << 32;
  std::atomic<int64_t> holds = 1;
  // Children that threads are entering or reading at the moment.
  int children_in_hand = 0;
  bool in_hand = false;    // A thread is entering or reading it.
  bool is_unread = false;  // Entered; it waits to be read on.

  // Its descriptors are closed for now. Written with the walk's lock held.
  std::atomic<bool> is_parked = false;
  std::atomic<bool> was_parked = false;  // Is, or once was.
  uint64_t position = 0;                 // Where to read on.
  // Which directory the target is; known while it is parked.
  dev_t parked_target_device = 0;
  ino_t parked_target_inode = 0;
  // It can't be opened again, which has been reported.
  bool is_lost = false;

  int source_fd = -1;
  int target_fd = -1;
  bool entered = false;
  // The target is there; it is open unless nothing is to be done to it.
  bool target_made = false;
  // This job made it, so that nothing can be in it but what this job puts there.
  bool target_created = false;
  struct statx source_stat = {};
  // What new entries get: the directory's group, if they inherit it, or the process's;
  // kUnknownGroup where that is not certain.
  gid_t target_group = kUnknownGroup;
  // What source and target are on, known once they are open; nullptr of the top's source.
  FileSystem* source_file_system = nullptr;
  FileSystem* target_file_system = nullptr;
  // Of the target's path below the job's target, as far as it is on file systems without
  // true inode numbers: equal for those of one job that such a system may take for one
  // directory, because it ignores the case of letters.
  uint64_t target_key = 0;
  // What the target's default ACL grants, of 0777, to what is made in it; absent if there
  // is none. Known only where modes or owners are kept, because only then rights are
  // given back that were withheld from a file at first.
  std::optional<mode_t> target_default_acl;
  // The device of the root above: where -x stays.
  dev_t root_device = 0;

  // What is to be done to the target when all is in it: its attributes set as the
  // source's are, of which this is the mode,
  bool set_attributes = false;
  mode_t kept_mode = 0;
  // and else, of a target that this job made, permissions given back that were withheld
  // from it at first, and those taken away that its owner was lent meanwhile.
  mode_t withheld_mode = 0;
  mode_t lent_mode = 0;

  bool is_top() const { return parent == nullptr; }
};

// `directory` and `name` with one slash between them; `name` if `directory` is empty.
std::string JoinPath(std::string_view directory, std::string_view name);

// The paths of `name` in `directory`, as a user would write them.
std::string SourcePath(const Directory& directory, std::string_view name);
std::string TargetPath(const Directory& directory, std::string_view name);
// The paths of the directory itself.
std::string SourcePath(const Directory& directory);
std::string TargetPath(const Directory& directory);

// The path of the directory's target relative to the top's; empty for the top. May be
// longer than PATH_MAX.
std::string TargetPathBelowTop(const Directory& directory);

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_DIRECTORY_H_

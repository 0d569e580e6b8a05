#include "tests/simulation/sim_file_system.h"

#include <limits.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/posix_acl.h"
#include "core/kernel/security_labels.h"
#include "tests/simulation/sim_acl.h"

namespace ringcp {
namespace {

constexpr mode_t kModeBits = 07777;
// The first cookies belong to "." and "..".
constexpr uint64_t kCookieMin = 3;
constexpr uint64_t kCookieMask = (uint64_t{1} << 40) - 1;

uint64_t HashOf(uint64_t seed, std::string_view name) {
  uint64_t hash = seed ^ 0xcbf29ce484222325;
  for (const char byte : name) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash ^ hash >> 31;
}

}  // namespace

std::string ToString(const SimEffect& effect) {
  static constexpr const char* kActors[] = {"the test", "the engine", "others"};
  static constexpr const char* kKinds[] = {"made",  "named", "removed",   "replaced",
                                           "moved", "wrote", "truncated", "set"};
  return absl::StrCat(kActors[static_cast<int>(effect.actor)], " ",
                      kKinds[static_cast<int>(effect.kind)], " #", effect.inode, " of ",
                      kActors[static_cast<int>(effect.made_by)], " ", effect.path);
}

SimFileSystem::SimFileSystem(uint64_t seed, std::function<timespec()> now)
    : SimPaths(std::move(now)), seed_(seed) {}

void SimFileSystem::Note(SimEffect::Kind kind, const SimInode& inode, std::string path) {
  if (actor() == SimActor::kBefore) return;
  effects_.push_back({.actor = actor(),
                      .kind = kind,
                      .inode = inode.number,
                      .made_by = inode.made_by,
                      .path = std::move(path)});
}

void SimFileSystem::AddEntry(const InodePtr& directory, const std::string& name,
                             const InodePtr& inode) {
  uint64_t cookie = std::max(kCookieMin, HashOf(seed_, name) & kCookieMask);
  while (directory->order.contains(cookie)) ++cookie;
  directory->order[cookie] = name;
  directory->entries[name] = {.inode = inode, .cookie = cookie};
  if (inode->is_directory()) {
    inode->parent = directory;
    inode->name = name;
    ++directory->links;
  }
  directory->modification = directory->change = inode->change = now();
}

void SimFileSystem::RemoveEntry(const InodePtr& directory, const std::string& name) {
  const auto entry = directory->entries.find(name);
  RINGCP_CHECK(entry != directory->entries.end());
  const InodePtr inode = entry->second.inode;
  directory->order.erase(entry->second.cookie);
  directory->entries.erase(entry);
  if (inode->is_directory()) --directory->links;
  directory->modification = directory->change = inode->change = now();
}

int32_t SimFileSystem::FindNewPlace(const InodePtr& start, std::string_view path,
                                    bool is_directory, Place* place) const {
  int links = 0;
  const int32_t result = WalkToLast(start, path, &links, place);
  if (result != 0) return result;
  if (!place->is_plain()) return -EEXIST;
  InodePtr found;
  const int32_t looked_up = LookupLast(*place, &found);
  if (looked_up == 0) return -EEXIST;
  if (looked_up != -ENOENT) return looked_up;
  return place->has_slash && !is_directory ? -ENOENT : 0;
}

int32_t SimFileSystem::Make(const Place& place, mode_t mode, InodePtr* made) {
  const InodePtr& directory = place.directory;
  if (directory->is_dead_directory()) return -ENOENT;
  const bool is_plain = S_ISREG(mode) || S_ISDIR(mode);
  if (!is_plain && !directory->mount->traits.has_links) return -EPERM;
  const InodePtr inode = NewInode(directory->mount, mode);
  if ((directory->mode & S_ISGID) != 0) {
    inode->group = directory->group;
    if (S_ISDIR(mode)) mode |= S_ISGID;
  }
  const auto inherited = directory->xattrs.find(kDefaultAclName);
  if (inherited != directory->xattrs.end() && !S_ISLNK(mode)) {
    const std::string acl = InheritedAcl(inherited->second, &mode);
    if (!acl.empty()) inode->xattrs[kAccessAclName] = acl;
    if (S_ISDIR(mode)) inode->xattrs[kDefaultAclName] = inherited->second;
  } else if (!S_ISLNK(mode)) {
    mode &= ~umask_;
  }
  inode->mode = mode;
  if (has_selinux_ && directory->mount->traits.has_xattrs) {
    inode->xattrs[kLabelAttribute] = LabelFor(*inode);
  }
  inode->is_copied_up = true;
  inode->links = S_ISDIR(mode) ? 2 : 1;
  AddEntry(directory, place.name, inode);
  Note(SimEffect::Kind::kMade, *inode, PathOf(directory, place.name));
  *made = inode;
  return 0;
}

std::string SimFileSystem::LabelFor(const SimInode& made) const {
  if (!label_of_made_.empty()) return label_of_made_;
  if (made.made_by == SimActor::kEngine) return kSimLabel;
  return absl::StrCat("user:role:t", made.number % 5, "_t:s0");
}

int32_t SimFileSystem::MakeDirectory(const InodePtr& start, std::string_view path,
                                     mode_t mode) {
  Place place;
  const int32_t result = FindNewPlace(start, path, /*is_directory=*/true, &place);
  if (result != 0) return result;
  InodePtr made;
  return Make(place, S_IFDIR | (mode & 01777), &made);
}

int32_t SimFileSystem::MakeNode(const InodePtr& start, std::string_view path, mode_t mode,
                                dev_t device) {
  switch (mode & S_IFMT) {
    case 0:
      mode |= S_IFREG;
      break;
    case S_IFREG:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
      break;
    case S_IFDIR:
      return -EPERM;
    default:
      return -EINVAL;
  }
  Place place;
  int32_t result = FindNewPlace(start, path, /*is_directory=*/false, &place);
  if (result != 0) return result;
  InodePtr made;
  result = Make(place, mode & (S_IFMT | kModeBits), &made);
  if (result == 0 && (S_ISCHR(mode) || S_ISBLK(mode))) made->device = device;
  return result;
}

int32_t SimFileSystem::MakeSymlink(std::string_view text, const InodePtr& start,
                                   std::string_view path) {
  if (text.empty()) return -ENOENT;
  if (text.size() >= PATH_MAX) return -ENAMETOOLONG;
  Place place;
  int32_t result = FindNewPlace(start, path, /*is_directory=*/false, &place);
  if (result != 0) return result;
  InodePtr made;
  result = Make(place, S_IFLNK | 0777, &made);
  if (result == 0) made->text = std::string(text);
  return result;
}

int32_t SimFileSystem::MakeLink(const InodePtr& old_start, std::string_view old_path,
                                const InodePtr& start, std::string_view path,
                                bool follow) {
  InodePtr inode;
  int32_t result = Find(old_start, old_path, follow, &inode);
  if (result != 0) return result;
  Place place;
  result = FindNewPlace(start, path, /*is_directory=*/false, &place);
  if (result != 0) return result;
  if (inode->mount != place.directory->mount) return -EXDEV;
  if (place.directory->is_dead_directory()) return -ENOENT;
  if (inode->is_directory() || !inode->mount->traits.has_links) return -EPERM;
  inode->is_copied_up = true;
  AddEntry(place.directory, place.name, inode);
  ++inode->links;
  Note(SimEffect::Kind::kNamed, *inode, PathOf(place.directory, place.name));
  return 0;
}

int32_t SimFileSystem::Unlink(const InodePtr& start, std::string_view path) {
  Place place;
  int links = 0;
  int32_t result = WalkToLast(start, path, &links, &place);
  if (result != 0) return result;
  if (!place.is_plain()) return -EISDIR;
  InodePtr inode;
  result = LookupLast(place, &inode);
  if (result != 0) return result;
  if (inode->is_directory()) return -EISDIR;
  if (place.has_slash) return -ENOTDIR;
  Note(SimEffect::Kind::kLostName, *inode, PathOf(place.directory, place.name));
  RemoveEntry(place.directory, NameIn(*place.directory, place.name));
  --inode->links;
  return 0;
}

int32_t SimFileSystem::RemoveDirectory(const InodePtr& start, std::string_view path) {
  Place place;
  int links = 0;
  int32_t result = WalkToLast(start, path, &links, &place);
  if (result != 0) return result;
  if (place.name.empty()) return -EBUSY;
  if (place.name == ".") return -EINVAL;
  if (place.name == "..") return -ENOTEMPTY;
  InodePtr inode;
  result = LookupLast(place, &inode);
  if (result != 0) return result;
  if (!inode->is_directory()) return -ENOTDIR;
  if (inode == inode->mount->root) return -EBUSY;
  if (!inode->entries.empty()) return -ENOTEMPTY;
  Note(SimEffect::Kind::kLostName, *inode, PathOf(place.directory, place.name));
  RemoveEntry(place.directory, NameIn(*place.directory, place.name));
  inode->links = 0;
  return 0;
}

int32_t SimFileSystem::CheckRename(const Place& from, const InodePtr& old_inode,
                                   const Place& to, const InodePtr& replaced) const {
  if (!old_inode->is_directory() && (from.has_slash || to.has_slash)) return -ENOTDIR;
  const auto is_above = [](const InodePtr& above, InodePtr at) {
    while (at != above && at != at->parent) at = at->parent;
    return at == above;
  };
  if (old_inode->is_directory() && is_above(old_inode, to.directory)) return -EINVAL;
  if (replaced != nullptr && replaced->is_directory() &&
      is_above(replaced, from.directory)) {
    return -ENOTEMPTY;
  }
  if (old_inode == replaced) return 0;
  if (replaced == nullptr && to.directory->is_dead_directory()) return -ENOENT;
  if (replaced != nullptr && old_inode->is_directory() != replaced->is_directory()) {
    return old_inode->is_directory() ? -ENOTDIR : -EISDIR;
  }
  if (old_inode == old_inode->mount->root) return -EBUSY;
  if (replaced != nullptr && replaced == replaced->mount->root) return -EBUSY;
  if (replaced != nullptr && !replaced->entries.empty()) return -ENOTEMPTY;
  return 0;
}

int32_t SimFileSystem::Rename(const InodePtr& old_start, std::string_view old_path,
                              const InodePtr& start, std::string_view path,
                              bool replaces) {
  Place from;
  Place to;
  int links = 0;
  int32_t result = WalkToLast(old_start, old_path, &links, &from);
  if (result != 0) return result;
  links = 0;
  result = WalkToLast(start, path, &links, &to);
  if (result != 0) return result;
  if (from.directory->mount != to.directory->mount) return -EXDEV;
  if (!from.is_plain()) return -EBUSY;
  if (!to.is_plain()) return replaces ? -EBUSY : -EEXIST;
  InodePtr inode;
  result = LookupLast(from, &inode);
  if (result != 0) return result;
  InodePtr replaced;
  result = LookupLast(to, &replaced);
  if (result != 0 && result != -ENOENT) return result;
  if (!replaces && replaced != nullptr) return -EEXIST;
  result = CheckRename(from, inode, to, replaced);
  if (result == 0 && !replaces && !to.directory->mount->traits.renames_to_new_names) {
    return -EINVAL;
  }
  if (result != 0 || inode == replaced) return result;
  if (replaced != nullptr) {
    Note(SimEffect::Kind::kReplaced, *replaced, PathOf(to.directory, to.name));
    RemoveEntry(to.directory, NameIn(*to.directory, to.name));
    replaced->links = replaced->is_directory() ? 0 : replaced->links - 1;
  }
  Note(SimEffect::Kind::kMoved, *inode, PathOf(from.directory, from.name));
  RemoveEntry(from.directory, NameIn(*from.directory, from.name));
  AddEntry(to.directory, to.name, inode);
  Note(SimEffect::Kind::kNamed, *inode, PathOf(to.directory, to.name));
  return 0;
}

}  // namespace ringcp

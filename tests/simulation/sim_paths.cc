#include "tests/simulation/sim_paths.h"

#include <limits.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace ringcp {
namespace {

constexpr int kLinksMax = 40;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

void ClearTree(SimInode* directory) {
  for (auto& [name, entry] : directory->entries) {
    if (entry.inode->is_directory()) ClearTree(entry.inode.get());
  }
  directory->entries.clear();
  directory->parent = nullptr;
  directory->covered_by = nullptr;
}

}  // namespace

SimPaths::SimPaths(std::function<timespec()> now) : now_(std::move(now)) {
  mounts_.push_back(std::make_unique<SimMount>());
  root_ = NewInode(mounts_.back().get(), S_IFDIR | 0755);
  root_->links = 2;
  root_->parent = root_;
  mounts_.back()->root = root_;
}

SimPaths::~SimPaths() {
  for (const std::unique_ptr<SimMount>& mount : mounts_) {
    ClearTree(mount->root.get());
    mount->mount_point = nullptr;
  }
  root_ = nullptr;
  for (const std::unique_ptr<SimMount>& mount : mounts_) mount->root = nullptr;
}

SimMount* SimPaths::Mount(std::string_view path, const SimMountTraits& traits) {
  InodePtr at;
  RINGCP_CHECK(Find(root_, path, /*follow=*/true, &at) == 0 && at->is_directory());
  mounts_.push_back(std::make_unique<SimMount>());
  SimMount* const mount = mounts_.back().get();
  mount->traits = traits;
  mount->device_minor = static_cast<uint32_t>(mounts_.size() - 1);
  mount->mount_point = at;
  mount->root = NewInode(mount, S_IFDIR | 0755);
  mount->root->links = 2;
  mount->root->parent = mount->root;
  at->covered_by = mount->root;
  return mount;
}

InodePtr SimPaths::NewInode(SimMount* mount, mode_t mode) {
  auto inode = std::make_shared<SimInode>();
  inode->number = next_number_++;
  inode->mount = mount;
  inode->made_by = actor_;
  inode->mode = mode;
  inode->user = user_;
  inode->group = group_;
  inode->access = inode->modification = inode->change = inode->birth = now_();
  return inode;
}

std::string SimPaths::NameIn(const SimInode& directory, std::string_view name) const {
  if (!directory.mount->traits.ignores_case) return std::string(name);
  const std::string lower = absl::AsciiStrToLower(View(name));
  for (const auto& [known, entry] : directory.entries) {
    if (absl::AsciiStrToLower(known) == lower) return known;
  }
  return std::string(name);
}

InodePtr SimPaths::Lookup(const InodePtr& directory, std::string_view name) const {
  if (name.empty() || name == ".") return directory;
  if (name == "..") return Above(directory);
  const auto entry = directory->entries.find(NameIn(*directory, name));
  if (entry == directory->entries.end()) return nullptr;
  InodePtr inode = entry->second.inode;
  while (inode->covered_by != nullptr) inode = inode->covered_by;
  return inode;
}

int32_t SimPaths::LookupLast(const Place& place, InodePtr* found) const {
  if (place.name.size() > NAME_MAX) {
    return place.directory->is_dead_directory() ? -ENOENT : -ENAMETOOLONG;
  }
  *found = Lookup(place.directory, place.name);
  return *found == nullptr ? -ENOENT : 0;
}

InodePtr SimPaths::Above(const InodePtr& directory) const {
  InodePtr at = directory;
  while (at == at->mount->root && at->mount->mount_point != nullptr) {
    at = at->mount->mount_point;
  }
  return at->parent;
}

std::string SimPaths::PathOf(const InodePtr& directory, std::string_view name) const {
  std::string path = name.empty() ? "" : absl::StrCat("/", View(name));
  for (InodePtr at = directory; at != root_ && at != nullptr;) {
    while (at == at->mount->root && at->mount->mount_point != nullptr) {
      at = at->mount->mount_point;
    }
    path = absl::StrCat("/", at->links == 0 ? "(removed)" : at->name, path);
    at = at->parent;
  }
  return path.empty() ? "/" : path;
}

int32_t SimPaths::WalkToLast(const InodePtr& start, std::string_view path, int* links,
                             Place* place) const {
  if (path.empty()) return -ENOENT;
  if (path.size() >= PATH_MAX) return -ENAMETOOLONG;
  InodePtr at = path.front() == '/' ? root_ : start;
  std::string rest(path);
  for (size_t position = 0;;) {
    position = rest.find_first_not_of('/', position);
    if (position == std::string::npos) {  // Only the root has no last component.
      *place = {.directory = at, .name = ""};
      return 0;
    }
    const size_t end = std::min(rest.find('/', position), rest.size());
    const std::string name = rest.substr(position, end - position);
    if (at == nullptr) return -EBADF;
    if (!at->is_directory()) return -ENOTDIR;
    const size_t next = rest.find_first_not_of('/', end);
    if (next == std::string::npos) {
      *place = {.directory = at, .name = name, .has_slash = end < rest.size()};
      return 0;
    }
    InodePtr child;
    const int32_t result = LookupLast({.directory = at, .name = name}, &child);
    if (result != 0) return result;
    if (child->is_link()) {
      if (++*links > kLinksMax) return -ELOOP;
      if (child->text.front() == '/') at = root_;
      rest = absl::StrCat(child->text, "/", rest.substr(next));
      position = 0;
      continue;
    }
    at = child;
    position = next;
  }
}

int32_t SimPaths::Find(const InodePtr& start, std::string_view path, bool follow,
                       InodePtr* found, Place* place) const {
  Place last;
  int links = 0;
  InodePtr from = start;
  for (std::string rest(path);;) {
    int32_t result = WalkToLast(from, rest, &links, &last);
    if (result != 0) return result;
    if (place != nullptr) *place = last;
    result = LookupLast(last, found);
    if (result != 0) return result;
    if (!(*found)->is_link() || !(follow || last.has_slash)) break;
    if (++links > kLinksMax) return -ELOOP;
    rest = (*found)->text + (last.has_slash ? "/" : "");
    from = last.directory;
  }
  return last.has_slash && !(*found)->is_directory() ? -ENOTDIR : 0;
}

}  // namespace ringcp

#include "tests/simulation/sim_random_others.h"

#include <sys/stat.h>

#include <cstdint>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "tests/simulation/sim_file.h"

namespace ringcp {
namespace {

constexpr std::string_view kForeignBytes = "somebody else's";
constexpr mode_t kModes[] = {0644, 0600, 0755, 0400};

}  // namespace

SimRandomOthers::SimRandomOthers(uint64_t seed, SimFileSystem* files,
                                 const SimRandomOthersOptions& options)
    : random_(seed), files_(files), options_(options) {}

void SimRandomOthers::Interfere() {
  if (options_.one_in == 0 || done_ >= options_.most) return;
  if (Below(options_.one_in) != 0) return;
  if (Act()) ++done_;
}

std::vector<SimRandomOthers::Found> SimRandomOthers::List() const {
  std::vector<Found> found;
  std::vector<InodePtr> directories;
  for (const std::string& tree : options_.trees) {
    InodePtr top;
    const int32_t result = files_->Find(files_->root(), tree, /*follow=*/true, &top);
    if (result == 0 && top->is_directory()) directories.push_back(top);
  }
  while (!directories.empty()) {
    const InodePtr directory = directories.back();
    directories.pop_back();
    for (const auto& [name, entry] : directory->entries) {
      const InodePtr inode = files_->Lookup(directory, name);
      found.push_back({directory, name, inode});
      if (inode->is_directory()) directories.push_back(inode);
    }
  }
  return found;
}

InodePtr SimRandomOthers::MakeSomething(const InodePtr& directory,
                                        const std::string& name) {
  const mode_t mode = kModes[Below(std::size(kModes))];
  switch (Below(5)) {
    case 0:
      files_->MakeDirectory(directory, name, 0755);
      break;
    case 1:
      files_->MakeSymlink(Below(2) == 0 ? "nowhere" : name + "-foreign", directory, name);
      break;
    default: {
      files_->MakeNode(directory, name, S_IFREG | mode, 0);
      const InodePtr made = files_->Lookup(directory, name);
      if (made != nullptr && made->is_regular() && made->made_by == SimActor::kOther) {
        WriteContents(files_, made.get(), 0, kForeignBytes);
      }
    }
  }
  return files_->Lookup(directory, name);
}

void SimRandomOthers::ChangeContents(const InodePtr& inode) {
  const uint64_t size = inode->contents.size();
  switch (Below(4)) {
    case 0:
      SetContentsSize(files_, inode.get(), 0);
      break;
    case 1:
      SetContentsSize(files_, inode.get(), size / 2);
      break;
    case 2:
      WriteContents(files_, inode.get(), 0, kForeignBytes);
      break;
    default:
      WriteContents(files_, inode.get(), size, kForeignBytes);
      break;
  }
}

bool SimRandomOthers::Act() {
  const std::vector<Found> found = List();
  if (found.empty()) return false;
  const Found& one = found[Below(found.size())];
  const Found& other = found[Below(found.size())];
  const std::string new_name = absl::StrCat("foreign", names_++);
  switch (Below(8)) {
    case 0:  // Moved out of the way.
      return files_->Rename(one.directory, one.name, one.directory, new_name) == 0;
    case 1:  // Moved to where the engine may be about to make something, or has.
      // A pipe that nobody reads would be waited for, as by GNU cp.
      if (S_ISFIFO(one.inode->mode)) return false;
      return files_->Rename(one.directory, one.name, other.directory, other.name) == 0;
    case 2:  // Replaced in one step.
      MakeSomething(one.directory, new_name);
      return files_->Rename(one.directory, new_name, one.directory, one.name) == 0;
    case 3:  // Moved away, and replaced by something of any kind.
      if (files_->Rename(one.directory, one.name, one.directory, new_name) != 0) {
        return false;
      }
      return MakeSomething(one.directory, one.name) != nullptr;
    case 4:
      return (one.inode->is_directory() ? files_->RemoveDirectory(one.directory, one.name)
                                        : files_->Unlink(one.directory, one.name)) == 0;
    case 5:  // Made under a name that exists elsewhere.
      if (files_->Lookup(one.directory, other.name) != nullptr) return false;
      return MakeSomething(one.directory, other.name) != nullptr;
    case 6:
      return SetModeOf(files_, one.inode.get(), kModes[Below(std::size(kModes))]) == 0;
    default:
      if (!one.inode->is_regular()) return false;
      ChangeContents(one.inode);
      return true;
  }
}

std::vector<SimEffect> TouchedOfOthers(const SimFileSystem& files) {
  std::vector<SimEffect> touched;
  for (const SimEffect& effect : files.effects()) {
    if (effect.actor == SimActor::kEngine && effect.made_by == SimActor::kOther &&
        effect.kind != SimEffect::Kind::kNamed) {
      touched.push_back(effect);
    }
  }
  return touched;
}

}  // namespace ringcp

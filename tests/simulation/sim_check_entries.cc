// Notes what is to be copied, and what is in the target, before a simulated job runs.

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simulation/sim_check.h"
#include "tests/simulation/sim_tree.h"

namespace ringcp {
namespace {

std::string Joined(const std::string& directory, const std::string& name) {
  return absl::StrCat(directory, "/", name);
}

}  // namespace

SimCheck::SimCheck(const SimScenario* scenario)
    : scenario_(scenario), files_(*scenario->world->files()) {
  for (const auto& [source, target] : scenario->copies) {
    if (scenario->request.options.parents) AddParents(source);
    AddEntries(source, target, /*is_source=*/true);
  }
  source_before_ = ListSimTree(files_, kSimSource, {.times = true});
  NoteOld(kSimTarget);
}

InodePtr SimCheck::Source(const std::string& path) const {
  InodePtr found;
  files_.Find(files_.root(), path, scenario_->follows_links(), &found);
  return found;
}

InodePtr SimCheck::Target(const Entry& entry) const {
  const CopyOptions& options = scenario_->request.options;
  const bool is_directory = entry.source != nullptr && entry.source->is_directory();
  const bool follows =
      is_directory ? options.keep_directory_symlink
                   : entry.is_regular() && options.makes == Makes::kCopies &&
                         options.backup == Backup::kNone && !options.remove_destination;
  InodePtr found;
  files_.Find(files_.root(), entry.name, follows, &found);
  return found;
}

void SimCheck::AddParents(const std::string& source_path) {
  for (size_t slash = source_path.find('/', 1); slash != std::string::npos;
       slash = source_path.find('/', slash + 1)) {
    const std::string parent = source_path.substr(0, slash);
    const std::string name = absl::StrCat(kSimTarget, parent);
    if (!to_name_.contains(KeyOf(name))) AddEntry(parent, name, /*is_source=*/true);
  }
}

void SimCheck::AddEntries(const std::string& source_path, const std::string& name,
                          bool is_source) {
  const InodePtr source = AddEntry(source_path, name, is_source);
  if (source == nullptr || !source->is_directory() || entries_.back().is_cycle) return;
  if (scenario_->request.options.keep_directory_symlink) NoteDirectoryLink(name);
  above_.push_back(source);
  for (const auto& [below, child] : source->entries) {
    AddEntries(Joined(source_path, below), Joined(name, below), /*is_source=*/false);
  }
  above_.pop_back();
}

InodePtr SimCheck::AddEntry(const std::string& source_path, const std::string& name,
                            bool is_source) {
  InodePtr source = Source(source_path);
  Entry entry;
  entry.source_path = source_path;
  entry.name = name;
  entry.source = source;
  entry.is_source = is_source;
  if (source != nullptr && S_ISFIFO(source->mode) &&
      !scenario_->request.options.recursive &&
      scenario_->request.options.makes == Makes::kCopies) {
    entry.is_stream = true;
    entry.stream = source->pipe;
  }
  entry.old = Target(entry);
  if (entry.old != nullptr) {
    entry.old_contents = entry.old->contents.ToString();
    entry.old_time = entry.old->modification;
  }
  if (source != nullptr && source->is_regular()) {
    entry.has_zeros = absl::StrContains(source->contents.ToString(), '\0');
  }
  entry.is_cycle = std::find(above_.begin(), above_.end(), source) != above_.end() &&
                   source != nullptr;
  if (entry.is_regular() && entry.old != nullptr) {
    copied_into_[entry.old->number].push_back(entries_.size());
  }
  to_name_[KeyOf(name)].push_back(entries_.size());
  entries_.push_back(entry);
  return source;
}

std::string SimCheck::KeyOf(const std::string& name) const {
  std::string there = name;
  const std::string* longest = nullptr;
  for (const auto& [link, directory] : directory_links_) {
    const bool is_longer = longest == nullptr || link.size() > longest->size();
    if (!is_longer || !absl::StartsWith(name, link + "/")) continue;
    longest = &link;
    there = directory + name.substr(link.size());
  }
  const InodePtr target = FindSim(files_, kSimTarget);
  return target->mount->traits.ignores_case ? absl::AsciiStrToLower(there) : there;
}

void SimCheck::NoteDirectoryLink(const std::string& name) {
  const InodePtr link = FindSim(files_, name);
  InodePtr pointee;
  files_.Find(files_.root(), name, /*follow=*/true, &pointee);
  if (link == nullptr || !link->is_link() || pointee == nullptr) return;
  const std::string there = KeyOf(name);
  directory_links_[name] = Joined(there.substr(0, there.rfind('/')), link->text);
}

void SimCheck::NoteOld(const std::string& path) {
  const InodePtr inode = FindSim(files_, path);
  if (inode == nullptr) return;
  old_[path] = {.inode = inode, .contents = inode->contents.ToString()};
  if (!inode->is_directory()) return;
  for (const auto& [below, child] : inode->entries) NoteOld(Joined(path, below));
}

}  // namespace ringcp

// Checks what must have become of what was in the target before: what no option allows
// to be replaced is still there, and what is replaced with --backup has another name.

#include <algorithm>
#include <ctime>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simulation/sim_check.h"
#include "tests/simulation/sim_tree.h"

namespace ringcp {
namespace {

// The coarsest unit in which a file system keeps times (FAT).
constexpr time_t kTimeUnitMax = 2;

bool IsBefore(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

std::string DirectoryOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// Whether `ending` is that of a numbered backup: ".~12~".
bool IsNumber(std::string_view ending) {
  return ending.size() > 3 && ending.starts_with(".~") && ending.ends_with("~") &&
         ending.find_first_not_of("0123456789", 2) == ending.size() - 1;
}

}  // namespace

bool SimCheck::IsUnchanged(const Entry& entry, const InodePtr& target) const {
  if (target != entry.old || target == nullptr) return target == entry.old;
  return IsCopiedIntoByAnother(entry, *target) ||
         target->contents.ToString() == entry.old_contents;
}

bool SimCheck::IsCopiedIntoByAnother(const Entry& entry, const SimInode& target) const {
  const auto into = copied_into_.find(target.number);
  return into != copied_into_.end() &&
         std::any_of(into->second.begin(), into->second.end(),
                     [&](size_t index) { return &entries_[index] != &entry; });
}

bool SimCheck::IsDeclined(const Entry& entry) const {
  return std::any_of(
      result_->answers.begin(), result_->answers.end(), [&](const auto& answer) {
        return KeyOf(answer.first) == KeyOf(entry.name) && !answer.second.contains(true);
      });
}

void SimCheck::CheckQuestions(const Entry& entry, const InodePtr& target) {
  // If several entries come to a name, the user is also asked about the first one's copy.
  if (entry.old == nullptr || entry.source == nullptr || entry.source->is_directory() ||
      EntriesTo(entry.name).size() > 1 || IsUnchanged(entry, target)) {
    return;
  }
  // What was there was in another directory, to which a link of that name led.
  const InodePtr directory = FindSim(files_, DirectoryOf(entry.name));
  if (directory != nullptr && directory->made_by == SimActor::kEngine) return;
  const bool was_asked = std::any_of(
      result_->answers.begin(), result_->answers.end(),
      [&](const auto& answer) { return KeyOf(answer.first) == KeyOf(entry.name); });
  if (!was_asked) Violate(entry.name, "was replaced, and nobody was asked");
  if (IsDeclined(entry)) Violate(entry.name, "was replaced, although the answer was no");
}

bool SimCheck::MayBeKept(const Entry& entry, const InodePtr& target) const {
  const CopyOptions& options = scenario_->request.options;
  const bool is_unchanged = entry.old != nullptr && IsUnchanged(entry, target);
  if (options.interactive && EntriesTo(entry.name).size() > 1) return true;
  if (options.update != Update::kOlder || entry.source->is_directory()) return false;
  // Which of several comes first decides what the others are compared with, and what
  // their further names become names of.
  const bool has_names = options.preserve.links && entry.source->links > 1;
  if (EntriesTo(entry.name).size() > 1) return true;
  if (scenario_->copies.size() > 1 && has_names) return true;
  if (target != nullptr && IsCopiedIntoByAnother(entry, *target)) return true;
  // What is kept counts as the copy of its source's further names, too.
  const bool is_kept_copy =
      options.preserve.links &&
      std::any_of(entries_.begin(), entries_.end(), [&](const Entry& other) {
        return other.source == entry.source && other.old != nullptr &&
               IsUnchanged(other, target);
      });
  if (is_kept_copy) return true;
  if (entry.old == nullptr) return false;
  if (scenario_->others == SimOthers::kChangeSources) return true;
  const timespec& time = entry.source->modification;
  const timespec is_older_before = {
      options.preserve.timestamps ? time.tv_sec - kTimeUnitMax : time.tv_sec,
      time.tv_nsec};
  return is_unchanged && !IsBefore(entry.old_time, is_older_before);
}

bool SimCheck::MayTakePlaceOfLink(const std::string& path) const {
  const auto to_name = to_name_.find(KeyOf(path));
  return to_name != to_name_.end() &&
         std::any_of(to_name->second.begin(), to_name->second.end(),
                     [&](size_t index) { return entries_[index].old == nullptr; });
}

bool SimCheck::MayBeWritten(const SimInode& old) const {
  const CopyOptions& options = scenario_->request.options;
  return copied_into_.contains(old.number) && options.makes == Makes::kCopies &&
         !options.attributes_only && !KeepsExisting(options.update) &&
         options.backup == Backup::kNone;
}

bool SimCheck::TakingBackIsTold(const std::string& name) const {
  return std::any_of(
      result_->errors.begin(), result_->errors.end(), [&](const FileError& error) {
        return error.operation == Operation::kTakeBack && KeyOf(error.path) == name;
      });
}

bool SimCheck::IsBackupName(const std::string& name, const std::string& of) const {
  const CopyOptions& options = scenario_->request.options;
  if (options.backup == Backup::kNone) return false;
  const std::string key = KeyOf(name);
  if (!absl::StartsWith(key, of)) return false;
  std::string_view ending = std::string_view(key).substr(of.size());
  if (IsNumber(ending)) return true;
  // If the backup has the name of another target, it may have been backed up itself.
  const std::string& suffix = options.backup_suffix;
  while (ending.size() > suffix.size() && ending.ends_with(suffix)) {
    ending.remove_suffix(suffix.size());
  }
  return options.backup != Backup::kNumbered && ending == suffix;
}

std::vector<InodePtr> SimCheck::WithBackups(const std::string& path) const {
  std::vector<InodePtr> found;
  const InodePtr directory = FindSim(files_, DirectoryOf(path));
  if (directory == nullptr) return found;
  for (const auto& [name, entry] : directory->entries) {
    const std::string there = absl::StrCat(DirectoryOf(path), "/", name);
    if (KeyOf(there) == KeyOf(path) || IsBackupName(there, KeyOf(path))) {
      found.push_back(files_.Lookup(directory, name));
    }
  }
  return found;
}

bool SimCheck::MayBeReplacedByBackup(const std::string& path) const {
  const CopyOptions& options = scenario_->request.options;
  if (options.backup == Backup::kNone || options.backup == Backup::kNumbered) {
    return false;
  }
  const auto entries_to = [this](const std::string& name) {
    const auto found = to_name_.find(KeyOf(name));
    return found == to_name_.end() ? 0 : found->second.size();
  };
  const bool is_backup = absl::EndsWith(path, options.backup_suffix);
  const std::string of =
      is_backup ? path.substr(0, path.size() - options.backup_suffix.size()) : "";
  const size_t entries_of = is_backup ? entries_to(of) : 0;
  // A copy's name is no backup's. But what the first of several trees that are merged put
  // there the next one's backup replaces.
  if (entries_to(path) > 0) return entries_to(path) > 1 || entries_of > 1;
  if (entries_of == 0) return false;
  const auto is_numbered = [&](const auto& old) {
    return absl::StartsWith(old.first, of) &&
           IsNumber(std::string_view(old.first).substr(of.size()));
  };
  // A directory that can't be read has no numbered backups.
  const bool must_be_numbered = options.backup == Backup::kExisting &&
                                scenario_->fault_one_in == 0 &&
                                std::any_of(old_.begin(), old_.end(), is_numbered);
  return entries_of > 1 || (old_.contains(of) && !must_be_numbered);
}

void SimCheck::CheckOld() {
  const CopyOptions& options = scenario_->request.options;
  for (const auto& [path, old] : old_) {
    if (old.inode->is_directory()) {
      if (FindSim(files_, path) != old.inode) {
        Violate(path, "was a directory, and is gone");
      }
      continue;
    }
    if (old.inode->links > 0 && !MayBeWritten(*old.inode) &&
        old.inode->contents.ToString() != old.contents) {
      Violate(path, "was not to be written to, and has changed");
    }
    const bool is_target = to_name_.contains(KeyOf(path));
    if (options.backup != Backup::kNone) {
      CheckBackedUp(path, old.inode);
    } else if ((!is_target || KeepsExisting(options.update)) &&
               FindSim(files_, path) != old.inode && !MayTakePlaceOfLink(path)) {
      Violate(path, "was not to be replaced, and is gone");
    }
  }
  if (options.backup != Backup::kNumbered || options.update == Update::kOlder ||
      options.interactive || options.makes != Makes::kCopies || options.attributes_only ||
      result_->cancelled || scenario_->others != SimOthers::kNothing) {
    return;
  }
  for (const auto& [name, entries] : to_name_) {
    if (entries.size() > 1) CheckNumbered(entries);
  }
}

void SimCheck::CheckBackedUp(const std::string& path, const InodePtr& old) {
  const std::string key = KeyOf(path);
  const std::vector<InodePtr> now = WithBackups(path);
  const bool is_there = std::find(now.begin(), now.end(), old) != now.end();
  if (!is_there && !MayBeReplacedByBackup(path)) {
    Violate(path, "is gone, and so is its backup");
  }
  if (is_there && to_name_.contains(key) && FindSim(files_, path) == nullptr &&
      !TakingBackIsTold(key)) {
    Violate(path, "was not copied, and has not got its name back");
  }
}

void SimCheck::CheckNumbered(const std::vector<size_t>& entries) {
  for (const size_t index : entries) {
    const Entry& entry = entries_[index];
    if (!entry.is_regular() || IsTold(entry)) continue;
    const std::vector<InodePtr> now = WithBackups(KeyOf(entry.name));
    if (std::none_of(now.begin(), now.end(), [&](const InodePtr& inode) {
          return HasContentsOf(entry, *inode);
        })) {
      Violate(entry.name, "is one of several with that name, and is nowhere");
    }
  }
}

}  // namespace ringcp

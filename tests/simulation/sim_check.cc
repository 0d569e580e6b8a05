#include "tests/simulation/sim_check.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simulation/sim_access.h"
#include "tests/simulation/sim_tree.h"

namespace ringcp {
namespace {

// Whether `path` is `place` or a directory above it.
bool IsAtOrAbove(const std::string& path, const std::string& place) {
  return place == path || absl::StartsWith(place, path + "/");
}

}  // namespace

bool SimCheck::IsLostToAnother(const Entry& entry) const {
  const CopyOptions& options = scenario_->request.options;
  // What is there already stays, or gets another name.
  if (KeepsExisting(options.update) || options.update == Update::kOlder ||
      options.interactive || options.backup == Backup::kNumbered) {
    return false;
  }
  const bool in_new_directory =
      scenario_->copies.size() == 1 &&
      !old_.contains(entry.name.substr(0, entry.name.rfind('/')));
  const auto takes_it = [&](size_t index) {
    const Entry& other = entries_[index];
    // An entry of the same source directory.
    const bool is_neighbour =
        in_new_directory && other.source_path.substr(0, other.source_path.rfind('/')) ==
                                entry.source_path.substr(0, entry.source_path.rfind('/'));
    if (&other == &entry || other.source == nullptr) return false;
    // A further name of a file replaces what has its name.
    const bool has_names =
        other.source->links > 1 || entry.source->links > 1 || scenario_->follows_links();
    if (has_names && options.preserve.links) return false;
    // Names of one file stay names of one file. With -f a link replaces what has its
    // name, as in GNU cp.
    const bool is_forced =
        options.force && (other.source->is_link() || entry.source->is_link());
    return other.source != entry.source && !is_forced && !other.source->is_directory() &&
           !IsTold(other) && (is_neighbour || (entry.is_source && other.is_source));
  };
  const std::vector<size_t>& to_name = EntriesTo(entry.name);
  return !entry.source->is_directory() &&
         std::any_of(to_name.begin(), to_name.end(), takes_it);
}

void SimCheck::Violate(const std::string& name, const std::string& what) {
  absl::StrAppend(&violations_, name, ": ", what, "\n");
}

bool SimCheck::IsNameOfALink(const std::string& name) const {
  InodePtr target;
  files_.Find(files_.root(), name, /*follow=*/false, &target);
  return target != nullptr && target->is_link() && target->links > 1;
}

bool SimCheck::IsCopiedIntoTwice(const SimInode& target) const {
  const auto found = copied_into_.find(target.number);
  return found != copied_into_.end() && found->second.size() > 1;
}

bool SimCheck::HasContentsOf(const Entry& entry, const SimInode& target) {
  if (entry.source == nullptr) return false;
  return entry.is_stream ? entry.stream == target.contents.ToString()
                         : SameBytes(entry.source->contents, target.contents);
}

bool SimCheck::HasContentsOfAny(const Entry& entry, const SimInode& target) const {
  const auto is_of = [&](size_t index) {
    return entries_[index].is_regular() && HasContentsOf(entries_[index], target);
  };
  const std::vector<size_t>& to_name = EntriesTo(entry.name);
  if (std::any_of(to_name.begin(), to_name.end(), is_of)) return true;
  const auto into = copied_into_.find(target.number);
  return into != copied_into_.end() &&
         std::any_of(into->second.begin(), into->second.end(), is_of);
}

bool SimCheck::IsTold(const Entry& entry) const {
  return std::any_of(result_->errors.begin(), result_->errors.end(),
                     [&](const FileError& error) {
                       return IsAtOrAbove(error.path, entry.source_path) ||
                              IsAtOrAbove(error.path, entry.name) ||
                              IsAtOrAbove(KeyOf(error.path), KeyOf(entry.name));
                     });
}

bool SimCheck::RemovalIsTold(const std::string& name) const {
  return std::any_of(result_->errors.begin(), result_->errors.end(),
                     [&](const FileError& error) {
                       return error.operation == Operation::kRemove && error.path == name;
                     });
}

std::string SimCheck::Violations(const SimJobResult& result) {
  result_ = &result;
  violations_ = result.leaks;
  if (!result.status.ok()) {
    // The job was refused as a whole, so nothing need be copied, but it must say why.
    if (result.errors.empty() && result.status.message().empty()) {
      Violate("job", "failed without a word");
    }
    return violations_;
  }
  if (scenario_->others == SimOthers::kAnything) return violations_;
  for (const Entry& entry : entries_) CheckEntry(entry);
  CheckOld();
  if (scenario_->others == SimOthers::kNothing) {
    CheckLinks();
    CheckCounts();
    CheckNothingElse(kSimTarget);
    if (ListSimTree(files_, kSimSource, {.times = true}) != source_before_) {
      Violate("source", "has changed");
    }
  }
  CheckOthers();
  return violations_;
}

void SimCheck::CheckEntry(const Entry& entry) {
  const CopyOptions& options = scenario_->request.options;
  const InodePtr target = Target(entry);
  if (options.interactive) CheckQuestions(entry, target);
  // What was reported as copied must exist even if the job was cancelled.
  const bool is_done = !result_->cancelled ||
                       (entry.is_regular() && result_->copied.contains(entry.name) &&
                        EntriesTo(entry.name).size() == 1);
  if (!is_done || IsTold(entry)) return CheckFailed(entry, target);
  if (entry.source == nullptr || entry.is_cycle) {
    Violate(entry.name, "can't be copied, and nobody was told");
    return;
  }
  const bool no_clobber = KeepsExisting(options.update);
  // With -n a dangling link that would be replaced is left alone.
  if (no_clobber && entry.old == nullptr && old_.contains(entry.name)) return;
  if (no_clobber && entry.old != nullptr && !entry.source->is_directory()) {
    if (!IsUnchanged(entry, target)) Violate(entry.name, "has changed, despite -n");
    if (options.update == Update::kNoneFail) {
      Violate(entry.name, "was left out, and nobody was told");
    }
    return;
  }
  if (IsDeclined(entry) || MayBeKept(entry, target)) return;
  if (IsOfMergedTree(entry)) return;
  if (!result_->cancelled && IsLostToAnother(entry)) {
    return Violate(entry.name, "is one of two that have that name, and nobody was told");
  }
  // If two names are the same there, nobody knows which of them comes first.
  const std::vector<size_t>& to_name = EntriesTo(entry.name);
  const bool has_twin = std::any_of(to_name.begin(), to_name.end(), [&](size_t index) {
    return entries_[index].name != entry.name;
  });
  if (has_twin) return;
  // A further name is linked to whatever has the first name by then, as in GNU cp. Where
  // case is ignored, that may be another entry's copy.
  if (KeyOf("X") == "x" && options.preserve.links && entry.source->links > 1) {
    return;
  }
  // The last entry that comes to a name wins; with -n the first does.
  if (no_clobber ? to_name.size() > 1 : &entries_[to_name.back()] != &entry) return;
  if (target != nullptr && target->made_by == SimActor::kOther) return;
  if (options.makes != Makes::kCopies && !entry.source->is_directory()) {
    return CheckMadeLink(entry, target);
  }
  if (IsNameOfALink(entry.name)) return;
  CheckWhole(entry, target);
}

void SimCheck::CheckMadeLink(const Entry& entry, const InodePtr& target) {
  if (scenario_->request.options.makes == Makes::kHardLinks) {
    if (target != entry.source) Violate(entry.name, "is no hard link to its source");
    return;
  }
  // With --preserve=links a further name of a file becomes one of the link to that file;
  // or, as in GNU cp, of what that link leads to, if links are followed.
  const bool keeps_links = scenario_->request.options.preserve.links;
  if (keeps_links && scenario_->follows_links() && target == entry.source) return;
  const auto leads_to = [&](const Entry& other) {
    const bool is_it = &other == &entry || (keeps_links && other.source == entry.source);
    return is_it && target->text == other.source_path;
  };
  if (target == nullptr || !target->is_link() ||
      std::none_of(entries_.begin(), entries_.end(), leads_to)) {
    Violate(entry.name, "is no symbolic link to its source");
  }
}

void SimCheck::CheckWhole(const Entry& entry, const InodePtr& target) {
  const InodePtr& source = entry.source;
  if (target == nullptr) return Violate(entry.name, "is missing, and nobody was told");
  if (target->type() != entry.type()) return Violate(entry.name, "is of another kind");
  if (entry.is_regular()) CheckContents(entry, *target);
  if (source->is_link() && target->text != source->text) {
    return Violate(entry.name, "leads elsewhere");
  }
  if (source->device != target->device) return Violate(entry.name, "is another device");
  if (scenario_->others == SimOthers::kChangeSources || IsCopiedIntoTwice(*target)) {
    return;
  }
  // A target with several names has the attributes of one of its sources.
  const Preserve& preserve = scenario_->request.options.preserve;
  const bool has_one_source = preserve.links && scenario_->copies.size() == 1;
  if (target->links > 1 && !has_one_source && !target->is_directory()) return;
  // So has a directory to which several sources come.
  if (EntriesTo(entry.name).size() > 1) return;
  CheckRoom(entry, *target);
  for (const char* const what : WrongAttributes(*scenario_, *source, *target)) {
    Violate(entry.name, what);
  }
  const std::string wrong_mode = WrongMode(*scenario_, *source, *target, entry.is_stream);
  if (!wrong_mode.empty()) Violate(entry.name, wrong_mode);
}

void SimCheck::CheckRoom(const Entry& entry, const SimInode& target) {
  const CopyOptions& options = scenario_->request.options;
  if (!entry.source->is_regular() || options.attributes_only) return;
  if (options.sparse == Sparse::kNever) {
    if (HasHoles(target)) Violate(entry.name, "has holes, despite --sparse=never");
    return;
  }
  if (HasLostHoles(*scenario_, *entry.source, target)) {
    Violate(entry.name, "has pages where its source has holes");
  }
  if (options.sparse == Sparse::kAlways &&
      StoresZeros(*scenario_, *entry.source, target)) {
    Violate(entry.name, "stores zeros, despite --sparse=always");
  }
}

void SimCheck::CheckContents(const Entry& entry, const SimInode& target) {
  if (scenario_->request.options.attributes_only) {
    // CheckOld() sees to what was there before. A further name replaces it.
    const CopyOptions& options = scenario_->request.options;
    const bool may_replace =
        options.force || options.remove_destination || options.backup != Backup::kNone;
    const bool has_names =
        options.preserve.links && (entry.source->links > 1 || scenario_->follows_links());
    if (entry.old != nullptr && entry.old.get() != &target && !may_replace &&
        !has_names) {
      Violate(entry.name, "is another one, despite --attributes-only");
    }
    if (target.made_by == SimActor::kEngine && target.contents.size() > 0) {
      Violate(entry.name, "has got contents, despite --attributes-only");
    }
    return;
  }
  if (scenario_->others == SimOthers::kChangeSources) {
    // What others write there contains no zeros.
    if (!entry.has_zeros && !IsCopiedIntoTwice(target) &&
        absl::StrContains(target.contents.ToString(), '\0')) {
      Violate(entry.name, "has zeros that its source never had");
    }
    return;
  }
  if (HasContentsOf(entry, target)) return;
  if (IsCopiedIntoTwice(target)) {
    const std::vector<size_t>& into = copied_into_.at(target.number);
    const bool any_told = std::any_of(
        into.begin(), into.end(), [&](size_t index) { return IsTold(entries_[index]); });
    if (HasContentsOfAny(entry, target) || any_told || result_->cancelled) return;
  }
  // An earlier tree may have left a link there, which is a further name's (see
  // IsNameOfALink()), and the file was written through that.
  const bool is_any =
      std::any_of(entries_.begin(), entries_.end(), [&target](const Entry& other) {
        return other.is_regular() && HasContentsOf(other, target);
      });
  if (scenario_->copies.size() > 1 && target.made_by == SimActor::kBefore && is_any) {
    return;
  }
  Violate(entry.name,
          absl::StrCat("has other contents (", target.contents.size(), " of ",
                       entry.source->contents.size(), " bytes), and nobody was told"));
}

void SimCheck::CheckFailed(const Entry& entry, const InodePtr& target) {
  const CopyOptions& options = scenario_->request.options;
  if (!entry.is_regular() || options.makes != Makes::kCopies) return;
  const bool may_replace = options.force || options.preserve.links ||
                           options.remove_destination || options.backup != Backup::kNone;
  if (target == nullptr) {
    if (entry.old != nullptr && !may_replace &&
        scenario_->others == SimOthers::kNothing) {
      Violate(entry.name, "was there before, and is gone");
    }
    return;
  }
  if (!target->is_regular() || target->made_by == SimActor::kOther ||
      scenario_->others == SimOthers::kChangeSources) {
    return;
  }
  if (HasContentsOfAny(entry, *target) || IsOfMergedTree(entry)) return;
  if (options.attributes_only && target->contents.size() == 0) return;
  // Where case is ignored, the file may be that of another entry with the same name.
  if (KeyOf(entry.name) != entry.name) return;
  // Whether the file existed before the job, or another entry has come to its name first.
  const bool was_there =
      target->made_by == SimActor::kBefore || EntriesTo(entry.name).size() > 1;
  if (was_there && (target->contents.size() == 0 ||
                    target->contents.ToString() == entry.old_contents)) {
    return;
  }
  // If each look reports another inode number, nobody can tell which file it is.
  if (target->mount->traits.inodes_change) return;
  // The file may be another entry's copy, reached by a further name or a link.
  if (was_there && target != entry.old) return;
  if (IsCopiedIntoTwice(*target) || RemovalIsTold(entry.name)) return;
  if (target->links > 1) return;
  // A stream's failure is reported, but not that its target could not be removed.
  if (entry.is_stream && scenario_->fault_one_in > 0) return;
  Violate(entry.name, absl::StrCat("is half-written (", target->contents.size(), " of ",
                                   entry.source->contents.size(),
                                   " bytes), and nobody was told that it stays"));
}

void SimCheck::CheckNothingElse(const std::string& path) {
  const InodePtr inode = FindSim(files_, path);
  const bool is_told = std::any_of(
      result_->errors.begin(), result_->errors.end(), [&](const FileError& error) {
        return IsAtOrAbove(path.substr(0, path.rfind('/')), KeyOf(error.path));
      });
  // A backup is what was there before, or the first of several copies.
  const auto is_backup_of = [&](const auto& to_name) {
    return IsBackupName(path, to_name.first) &&
           (inode->made_by == SimActor::kBefore || to_name.second.size() > 1);
  };
  if (!old_.contains(path) && !to_name_.contains(KeyOf(path)) && !is_told &&
      inode->made_by != SimActor::kOther &&
      std::none_of(to_name_.begin(), to_name_.end(), is_backup_of)) {
    Violate(path, "is nobody's copy");
  }
  if (!inode->is_directory()) return;
  for (const auto& [below, child] : inode->entries) {
    CheckNothingElse(absl::StrCat(path, "/", below));
  }
}

}  // namespace ringcp

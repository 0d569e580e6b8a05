#include "tests/simulation/sim_check.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/simulation/sim_tree.h"

namespace ringcp {
namespace {

std::string Joined(const std::string& directory, const std::string& name) {
  return name.empty() ? directory : absl::StrCat(directory, "/", name);
}

// Whether `path` is `place`, or a directory above it.
bool IsAtOrAbove(const std::string& path, const std::string& place) {
  return place == path || absl::StartsWith(place, path + "/");
}

bool SameTime(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

SimCheck::SimCheck(const SimScenario* scenario)
    : scenario_(scenario), files_(*scenario->world->files()) {
  AddEntries("");
  source_before_ =
      ListSimTree(files_, absl::StrCat(kSimSource, "/tree"), {.times = true});
}

InodePtr SimCheck::Source(const std::string& name) const {
  const bool follows = scenario_->request.options.dereference == Dereference::kAlways;
  InodePtr found;
  files_.Find(files_.root(), Joined(absl::StrCat(kSimSource, "/tree"), name), follows,
              &found);
  return found;
}

InodePtr SimCheck::Target(const std::string& name, const InodePtr& source) const {
  InodePtr found;
  const bool follows = source != nullptr && source->is_regular();
  files_.Find(files_.root(), Joined(absl::StrCat(kSimTarget, "/tree"), name), follows,
              &found);
  return found;
}

void SimCheck::AddEntries(const std::string& name) {
  const InodePtr source = Source(name);
  Entry entry;
  entry.name = name;
  entry.source = source;
  entry.old = Target(name, source);
  entry.is_name_taken =
      FindSim(files_, Joined(absl::StrCat(kSimTarget, "/tree"), name)) != nullptr;
  if (entry.old != nullptr && entry.old->is_regular()) {
    entry.old_contents = entry.old->contents.ToString();
  }
  const bool is_regular = source != nullptr && source->is_regular();
  if (is_regular && entry.old != nullptr) ++copied_into_[entry.old->number];
  entries_.push_back(entry);
  if (source == nullptr || !source->is_directory()) return;
  for (const auto& [below, child] : source->entries) {
    AddEntries(name.empty() ? below : Joined(name, below));
  }
}

void SimCheck::Violate(const std::string& name, const std::string& what) {
  absl::StrAppend(&violations_, name, ": ", what, "\n");
}

bool SimCheck::IsNameOfALink(const std::string& name) const {
  InodePtr target;
  files_.Find(files_.root(), Joined(absl::StrCat(kSimTarget, "/tree"), name),
              /*follow=*/false, &target);
  return target != nullptr && target->is_link() && target->links > 1;
}

bool SimCheck::IsCopiedIntoTwice(const SimInode& target) const {
  const auto found = copied_into_.find(target.number);
  return found != copied_into_.end() && found->second > 1;
}

bool SimCheck::IsTold(const std::string& name) const {
  const std::string source = Joined(absl::StrCat(kSimSource, "/tree"), name);
  const std::string target = Joined(absl::StrCat(kSimTarget, "/tree"), name);
  return std::any_of(
      result_->errors.begin(), result_->errors.end(), [&](const FileError& error) {
        return IsAtOrAbove(error.path, source) || IsAtOrAbove(error.path, target);
      });
}

bool SimCheck::RemovalIsTold(const std::string& name) const {
  const std::string target = Joined(absl::StrCat(kSimTarget, "/tree"), name);
  return std::any_of(
      result_->errors.begin(), result_->errors.end(), [&](const FileError& error) {
        return error.operation == Operation::kRemove && error.path == target;
      });
}

std::string SimCheck::Violations(const SimJobResult& result) {
  result_ = &result;
  violations_ = result.leaks;
  if (!result.status.ok()) {
    // Refused as a whole: that is told, and nothing may have changed but by what failed.
    if (result.errors.empty() && result.status.message().empty()) {
      Violate("job", "failed without a word");
    }
    return violations_;
  }
  if (scenario_->others == SimOthers::kAnything) return violations_;
  for (const Entry& entry : entries_) CheckEntry(entry);
  if (scenario_->others == SimOthers::kNothing) {
    CheckLinks();
    CheckCounts();
    const std::vector<std::string> source_now =
        ListSimTree(files_, absl::StrCat(kSimSource, "/tree"), {.times = true});
    if (source_now != source_before_) Violate("source", "has changed");
  }
  CheckOthers();
  return violations_;
}

void SimCheck::CheckEntry(const Entry& entry) {
  const InodePtr target = Target(entry.name, entry.source);
  // A link to nowhere that would be removed is left alone.
  if (scenario_->request.options.no_clobber && entry.is_name_taken &&
      scenario_->request.options.remove_destination && entry.old == nullptr) {
    return;
  }
  const bool is_skipped = scenario_->request.options.no_clobber && entry.old != nullptr &&
                          !(entry.source != nullptr && entry.source->is_directory());
  if (result_->cancelled || IsTold(entry.name)) return CheckFailed(entry, target);
  if (entry.source == nullptr) {
    Violate(entry.name, "can't be copied, and nobody was told");
    return;
  }
  if (is_skipped) {
    if (target != entry.old) Violate(entry.name, "is another one, despite -n");
    if (entry.old->is_regular() && target == entry.old &&
        target->contents.ToString() != entry.old_contents) {
      Violate(entry.name, "has changed, despite -n");
    }
    return;
  }
  if (target != nullptr && target->made_by == SimActor::kOther) return;
  if (IsNameOfALink(entry.name)) return;
  CheckWhole(entry, target);
}

void SimCheck::CheckWhole(const Entry& entry, const InodePtr& target) {
  const InodePtr& source = entry.source;
  if (target == nullptr) return Violate(entry.name, "is missing, and nobody was told");
  if (target->type() != source->type()) return Violate(entry.name, "is of another kind");
  const bool may_differ =
      scenario_->others == SimOthers::kChangeSources || IsCopiedIntoTwice(*target);
  if (source->is_regular() && !may_differ &&
      !SameBytes(source->contents, target->contents)) {
    return Violate(entry.name,
                   absl::StrCat("has other contents (", target->contents.size(), " of ",
                                source->contents.size(), " bytes), and nobody was told"));
  }
  if (source->is_link() && target->text != source->text) {
    return Violate(entry.name, "leads elsewhere");
  }
  if (source->device != target->device) return Violate(entry.name, "is another device");
  const Preserve& preserve = scenario_->request.options.preserve;
  if (may_differ) return;
  // What has several names in the target got the attributes of one of its sources.
  if (target->links > 1 && !preserve.links && !target->is_directory()) return;
  // Others change a directory's time.
  const bool has_time =
      scenario_->others == SimOthers::kNothing || !source->is_directory();
  if (preserve.timestamps && has_time &&
      !SameTime(source->modification, target->modification)) {
    Violate(entry.name, "has another time");
  }
  if (preserve.ownership &&
      (source->user != target->user || source->group != target->group)) {
    Violate(entry.name, "has another owner");
  }
  // Rights that are not known, or are left out, are not given to others.
  const bool may_be_less =
      !result_->warnings.empty() && (target->mode & ~source->mode) == 0;
  const bool has_modes = !source->mount->traits.fixed_mode.has_value() &&
                         !target->mount->traits.fixed_mode.has_value();
  if (preserve.mode && has_modes && !source->is_link() && source->mode != target->mode &&
      !may_be_less) {
    Violate(entry.name, absl::StrFormat("has mode %04o, not %04o", target->mode & 07777,
                                        source->mode & 07777));
  }
}

void SimCheck::CheckFailed(const Entry& entry, const InodePtr& target) {
  if (entry.source == nullptr || !entry.source->is_regular()) return;
  const bool may_replace = scenario_->request.options.force ||
                           scenario_->request.options.remove_destination ||
                           scenario_->request.options.preserve.links;
  if (target == nullptr) {
    if (entry.old != nullptr && !may_replace &&
        scenario_->others == SimOthers::kNothing) {
      Violate(entry.name, "was there before, and is gone");
    }
    return;
  }
  if (!target->is_regular() || target->made_by == SimActor::kOther ||
      IsCopiedIntoTwice(*target)) {
    return;
  }
  if (scenario_->others == SimOthers::kChangeSources) return;
  if (SameBytes(entry.source->contents, target->contents)) return;
  const bool was_there = target->made_by == SimActor::kBefore;
  if (was_there && (target->contents.size() == 0 ||
                    target->contents.ToString() == entry.old_contents)) {
    return;
  }
  // Where each look tells another inode number nobody can tell which file it is.
  if (target->mount->traits.inodes_change) return;
  // Another name of it, or a link to it, may be another entry's.
  if (was_there && target != entry.old) return;
  if (target->links > 1 || RemovalIsTold(entry.name)) return;
  Violate(entry.name, absl::StrCat("is half-written (", target->contents.size(), " of ",
                                   entry.source->contents.size(),
                                   " bytes), and nobody was told that it stays"));
}

// What were names of one file are so in the target, and nothing else is.
void SimCheck::CheckLinks() {
  if (!scenario_->request.options.preserve.links || result_->cancelled) return;
  if (scenario_->source_inodes_change) return;  // Nobody can know.
  std::map<uint64_t, std::pair<std::string, uint64_t>> target_of;
  for (const Entry& entry : entries_) {
    if (entry.source == nullptr || entry.source->is_directory()) continue;
    if (IsTold(entry.name) ||
        (scenario_->request.options.no_clobber && entry.old != nullptr)) {
      continue;
    }
    const InodePtr target = Target(entry.name, entry.source);
    if (target == nullptr || IsNameOfALink(entry.name)) continue;
    const auto [first, is_first] =
        target_of.emplace(entry.source->number, std::pair(entry.name, target->number));
    if (!is_first && first->second.second != target->number) {
      Violate(entry.name,
              absl::StrCat("is no name of the same file as ", first->second.first));
    }
  }
}

void SimCheck::CheckOthers() {
  for (const SimEffect& effect : files_.effects()) {
    if (effect.actor != SimActor::kEngine || effect.made_by != SimActor::kOther) continue;
    // A further name does it no harm, nor does moving that name, if it was a temporary
    // one of the engine's own.
    if (effect.kind == SimEffect::Kind::kNamed ||
        absl::StrContains(effect.path, "/.rc")) {
      continue;
    }
    Violate(effect.path, absl::StrCat("is somebody else's: ", ToString(effect)));
  }
}

void SimCheck::CheckCounts() {
  const Progress& progress = result_->progress;
  if (result_->errors.empty() && progress.files_failed != 0) {
    Violate("counts", absl::StrCat(progress.files_failed, " failed, none was told"));
  }
  if (!result_->errors.empty() && progress.files_failed == 0 && !result_->cancelled) {
    Violate("counts", "something was told, and none failed");
  }
  if (result_->cancelled || !result_->errors.empty()) return;
  int64_t files = 0;
  for (const Entry& entry : entries_) {
    files += entry.source != nullptr && !entry.source->is_directory() ? 1 : 0;
  }
  if (progress.files_done + progress.files_skipped != files ||
      progress.files_total != files) {
    Violate("counts",
            absl::StrCat(progress.files_done, " done and ", progress.files_skipped,
                         " skipped of ", progress.files_total, ", which are ", files));
  }
  const bool sizes_lie = scenario_->source_size_lies;
  if (!sizes_lie && progress.files_skipped == 0 &&
      progress.bytes_done != progress.bytes_total) {
    Violate("counts",
            absl::StrCat(progress.bytes_done, " bytes done of ", progress.bytes_total));
  }
}

}  // namespace ringcp

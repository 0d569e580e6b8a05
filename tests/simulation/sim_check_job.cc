// Checks what must be true of all targets of a simulated job together.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/simulation/sim_check.h"
#include "tests/simulation/sim_random_others.h"
#include "tests/simulation/sim_tree.h"

namespace ringcp {
namespace {

constexpr char kTemporaryName[] = "/.rc";  // How the names of hard links begin.

}  // namespace

// Names of one file in the source must be names of one file in the target.
void SimCheck::CheckLinks() {
  const CopyOptions& options = scenario_->request.options;
  if (!options.preserve.links || result_->cancelled) return;
  // CheckMadeLink() looks at these.
  if (options.makes == Makes::kHardLinks) return;
  if (options.makes == Makes::kSymbolicLinks && scenario_->follows_links()) return;
  if (scenario_->source_inodes_change) return;  // The engine can't know.
  std::map<uint64_t, std::pair<std::string, uint64_t>> target_of;
  for (const Entry& entry : entries_) {
    if (entry.source == nullptr || entry.source->is_directory()) continue;
    const bool may_be_kept = KeepsExisting(options.update) || options.interactive;
    if (IsTold(entry) || (may_be_kept && entry.old != nullptr)) continue;
    if (EntriesTo(entry.name).size() > 1 || IsOfMergedTree(entry)) continue;
    // A newer target stays even if its source can't be opened, and so is not known.
    if (options.update == Update::kOlder && entry.old != nullptr &&
        scenario_->fault_one_in > 0) {
      continue;
    }
    const InodePtr target = Target(entry);
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
  // What others put there before the next source's turn may be overwritten.
  if (scenario_->copies.size() > 1) return;
  for (const SimEffect& effect : TouchedOfOthers(files_)) {
    const auto to_name = to_name_.find(KeyOf(effect.path));
    if (to_name != to_name_.end() && to_name->second.size() > 1) continue;
    // Others may give a file one of the engine's temporary names; moving it is no harm.
    if (absl::StrContains(effect.path, kTemporaryName)) continue;
    Violate(effect.path, absl::StrCat("is somebody else's: ", ToString(effect)));
  }
}

void SimCheck::CheckCounts() {
  const Progress& progress = result_->progress;
  if (result_->errors.empty() && progress.files_failed != 0) {
    Violate("counts", absl::StrCat(progress.files_failed, " failed, none was told"));
  }
  // A temporary name that stays is told, but the hard link was made.
  const bool any_failed = std::any_of(
      result_->errors.begin(), result_->errors.end(), [](const FileError& error) {
        return !absl::StrContains(error.path, kTemporaryName);
      });
  if (any_failed && progress.files_failed == 0 && !result_->cancelled) {
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
  const bool has_streams =
      std::any_of(entries_.begin(), entries_.end(),
                  [](const Entry& entry) { return entry.is_stream; });
  if (!scenario_->source_size_lies && !has_streams && progress.files_skipped == 0 &&
      progress.bytes_done != progress.bytes_total) {
    Violate("counts",
            absl::StrCat(progress.bytes_done, " bytes done of ", progress.bytes_total));
  }
}

}  // namespace ringcp

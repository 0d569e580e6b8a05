#include "core/job/entry_reports.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/tree/directory.h"
#include "core/tree/target_directory.h"
#include "core/tree/target_tree.h"

namespace ringcp {
namespace {

std::string SourcePathOf(const WaitingEntry& entry) {
  return SourcePath(*entry.directory, entry.source_name);
}

std::string TargetPathOf(const WaitingEntry& entry) {
  return TargetPath(*entry.directory, entry.target_name);
}

std::string BackupPathOf(const WaitingEntry& entry, const std::string& backup) {
  return backup.empty() ? "" : TargetPath(*entry.directory, backup);
}

// Whether GNU cp fails so only after it has said (-v) that it copies the entry: what
// source and target are, and what becomes of the target, is decided before.
bool HasBegun(const CopyFailure& failure, const FileCopyPolicy& policy) {
  switch (failure.operation) {
    case Operation::kStat:
    case Operation::kBackUp:
      return false;
    case Operation::kRemove:
      return policy.force && !policy.remove_destination;
    case Operation::kRefuse:
      return failure.refusal == Refusal::kUnknownType ||
             failure.refusal == Refusal::kSourceReplaced ||
             failure.refusal == Refusal::kTargetDangling ||
             failure.refusal == Refusal::kLinkElsewhere;
    default:
      return true;
  }
}

}  // namespace

void EntryReports::Copied(const WaitingEntry& entry, const Old& old,
                          const std::optional<ContentsRoute>& route) {
  counters_->files_done.Add(1);
  if (work_->made_names != nullptr && entry.directory->names_sources()) {
    work_->made_names->Add(
        JoinPath(TargetPathBelowTop(*entry.directory), entry.target_name));
  }
  if (old.target == OldTarget::kRemovedBeforehand) Removed(entry);
  TellCopied(entry, old.backup, route);
  if (old.target == OldTarget::kRemovedAfterFailing) Removed(entry);
}

void EntryReports::TellBegun(const WaitingEntry& entry, const Old& old) {
  if (!work_->reporter->wants_copied()) return;
  if (old.target == OldTarget::kRemovedBeforehand) Removed(entry);
  work_->reporter->Begun(SourcePathOf(entry), TargetPathOf(entry),
                         BackupPathOf(entry, old.backup));
  if (old.target == OldTarget::kRemovedAfterFailing) Removed(entry);
}

void EntryReports::TellCopied(const WaitingEntry& entry, const std::string& backup,
                              const std::optional<ContentsRoute>& route) {
  if (!work_->reporter->wants_copied()) return;
  work_->reporter->Copied(SourcePathOf(entry), TargetPathOf(entry),
                          BackupPathOf(entry, backup),
                          route.has_value() ? &*route : nullptr);
}

void EntryReports::Skipped(const WaitingEntry& entry) {
  counters_->files_skipped.Add(1);
  if (work_->reporter->wants_copied()) work_->reporter->Skipped(TargetPathOf(entry));
}

void EntryReports::Skipped(const WaitingEntry& entry, const Old& old) {
  if (old.target == OldTarget::kKept) return Skipped(entry);
  counters_->files_skipped.Add(1);
  if (old.target != OldTarget::kBackedUp) return Removed(entry);
  TellCopied(entry, old.backup, /*route=*/std::nullopt);
}

void EntryReports::Failed(const WaitingEntry& entry, const CopyFailure& failure,
                          const Old& old, bool is_target_whole) {
  Failed(entry, WordFailure(failure, SourcePathOf(entry), TargetPathOf(entry)),
         HasBegun(failure, work_->policy), old, is_target_whole);
}

void EntryReports::FailedToLink(const WaitingEntry& entry, const std::string& copied_as,
                                int error_number, const Old& old) {
  Failed(entry,
         MakeFileError(Operation::kMakeHardLink, TargetPathOf(entry), error_number,
                       JoinPath(TargetPath(*work_->walk->top()), copied_as)),
         /*has_begun=*/true, old, /*is_target_whole=*/false);
}

void EntryReports::Failed(const WaitingEntry& entry, const FileError& error,
                          bool has_begun, const Old& old, bool is_target_whole) {
  counters_->files_failed.Add(1);
  if (has_begun) TellBegun(entry, old);
  work_->reporter->Report(error);
  // TellBegun() has told of what was removed.
  if (has_begun && old.target != OldTarget::kBackedUp) return;
  EndOld(entry, old, is_target_whole);
}

void EntryReports::Removed(const WaitingEntry& entry) {
  if (work_->reporter->wants_copied()) work_->reporter->Removed(TargetPathOf(entry));
}

void EntryReports::EndOld(const WaitingEntry& entry, const Old& old,
                          bool is_target_whole) {
  if (old.target == OldTarget::kKept) return;
  if (old.target != OldTarget::kBackedUp) return Removed(entry);
  if (is_target_whole) return;
  EndBackup(kernel_, *entry.directory, entry.target_name, old.backup, work_->reporter);
}

void EntryReports::OfRemoval(const WaitingEntry& entry, const std::string& name,
                             int error_number) {
  if (error_number == 0) return;
  work_->reporter->Report(MakeFileError(
      Operation::kRemove, TargetPath(*entry.directory, name), error_number));
}

void EntryReports::OfXattrs(const WaitingEntry& entry,
                            const std::vector<CopyFailure>& failures) {
  if (failures.empty()) return;
  work_->reporter->TellOfXattrs(failures, work_->policy.preserve, SourcePathOf(entry),
                                TargetPathOf(entry));
}

void EntryReports::IfNotPolled(const WaitingEntry& entry, const FileCopy& copy) {
  for (const auto& [operation, error_number] : copy.poll_refusals()) {
    if (error_number == 0) continue;
    const std::string path =
        operation == Operation::kWrite ? TargetPathOf(entry) : SourcePathOf(entry);
    work_->reporter->Warn(
        absl::StrCat("warning: cannot poll the device of ", Quote(path), ": ",
                     std::strerror(error_number),
                     "; copying without --iopoll (the device needs poll queues, such as "
                     "nvme.poll_queues=2)"));
  }
}

}  // namespace ringcp

// Entries that turn out to be something else, streams, and claims on files with several
// names. Also what is counted and reported for every entry.

#include <fcntl.h>
#include <sys/stat.h>

#include "core/base/file_identity.h"
#include "core/file/old_target.h"
#include "core/job/worker.h"

namespace ringcp {

bool Worker::LookAgain(const WaitingEntry& entry) {
  if (entry.looked_at) return false;
  const int flags = work_.policy.follows_links ? 0 : AT_SYMLINK_NOFOLLOW;
  struct statx stat;
  if (kernel_->Stat(entry.directory->source.fd, entry.source_name.c_str(), flags,
                    &stat) != 0) {
    return false;
  }
  // The entry is the regular file that is listed, and not behind a link that nobody knew
  // of.
  if (S_ISREG(stat.stx_mode) && entry.follow == work_.policy.follows_links) return false;
  return Redirect(entry, stat.stx_mode);
}

bool Worker::Redirect(const WaitingEntry& entry, mode_t mode) {
  if (entry.looked_at) return false;
  WaitingEntry other = entry;
  other.looked_at = true;
  other.follow = work_.policy.follows_links;
  if (S_ISDIR(mode) || cancelled()) {
    SettleClaim(&other, /*copied=*/false);
    if (!cancelled()) {
      counters_->files_found.Add(-1);
      work_.walk->AddDirectory(other.directory, other.source_name, other.follow);
      more_to_walk_ = true;
    }
    Release(other);
    return true;
  }
  other.kind = S_ISREG(mode)   ? EntryKind::kRegular
               : S_ISLNK(mode) ? EntryKind::kSymlink
                               : EntryKind::kSpecial;
  to_copy_.push_back(std::move(other));
  return true;
}

void Worker::OnStreamEnded(const WaitingEntry& entry, const StreamCopy& copy) {
  TellOfXattrs(entry, copy.xattr_failures());
  const OldTarget old_target = copy.old_target();
  if (copy.outcome() != FileCopy::Outcome::kCopied) {
    EndOldTarget(entry, old_target, copy.backup(), copy.is_target_whole());
  }
  switch (copy.outcome()) {
    case FileCopy::Outcome::kCopied:
      CountDone(entry, old_target, copy.backup());
      break;
    case FileCopy::Outcome::kSkipped:
    case FileCopy::Outcome::kKeptNewer:
      counters_->files_skipped.Add(1);
      break;
    case FileCopy::Outcome::kAsks:
      return Ask(entry, copy.target_mode());
    case FileCopy::Outcome::kFailed:
      CountFailed(entry, copy.failure());
      break;
    default:
      break;
  }
  TellOfRemoval(entry, copy.removal_error());
  Release(entry);
}

void Worker::Release(const WaitingEntry& entry) {
  questions_.Decide(entry.order);
  Release(entry.directory);
}

void Worker::PutAside(const WaitingEntry& entry, std::deque<WaitingEntry>* entries) {
  questions_.Decide(entry.order);
  entries->push_back(entry);
}

void Worker::Ask(const WaitingEntry& entry, mode_t mode) {
  // It keeps the hold, and its claim: a further name must not be copied in its place, and
  // then replace its target.
  WaitingEntry asked = entry;
  if (cancelled()) return DropAsked(&asked);
  questions_.Ask({.entry = asked,
                  .target = TargetPath(*asked.directory, asked.target_name),
                  .mode = mode});
}

void Worker::DropAsked(WaitingEntry* entry) {
  SettleClaim(entry, /*copied=*/false);
  Release(*entry);
}

void Worker::TakeInAnswers() {
  for (Questions::Question& question : questions_.TakeAnswered()) {
    if (question.is_yes && !cancelled()) {
      question.entry.may_replace = true;
      to_copy_.push_back(std::move(question.entry));
      continue;
    }
    if (!question.is_yes && !cancelled()) {
      counters_->files_skipped.Add(1);
      work_.reporter->CountDeclined();
    }
    DropAsked(&question.entry);
  }
}

void Worker::TellOfRemoval(const WaitingEntry& entry, int error_number) {
  if (error_number == 0) return;
  work_.reporter->Report(MakeFileError(
      Operation::kRemove, TargetPath(*entry.directory, entry.target_name), error_number));
}

void Worker::TellOfXattrs(const WaitingEntry& entry,
                          const std::vector<CopyFailure>& failures) {
  if (failures.empty()) return;
  work_.reporter->TellOfXattrs(failures, work_.policy.preserve,
                               SourcePath(*entry.directory, entry.source_name),
                               TargetPath(*entry.directory, entry.target_name));
}

LinkTable::Claim Worker::ClaimCopy(const FileIdentity& id, uint32_t links,
                                   WaitingEntry* entry, std::string* copied_as) {
  if (entry->claimed == id) return LinkTable::Claim::kCopy;
  SettleClaim(entry, /*copied=*/false);
  const LinkTable::Claim claim = work_.links->ClaimFile(id, links, *entry, copied_as);
  if (claim == LinkTable::Claim::kCopy) entry->claimed = id;
  return claim;
}

void Worker::SettleClaim(WaitingEntry* entry, bool copied) {
  if (!entry->claimed.has_value()) return;
  const FileIdentity id = *entry->claimed;
  entry->claimed.reset();
  const auto copied_as = std::make_shared<const std::string>(
      copied ? JoinPath(TargetPathBelowTop(*entry->directory), entry->target_name) : "");
  for (WaitingEntry& waiting : work_.links->Settle(id, *copied_as)) {
    if (copied && !stopping_) {
      links_.push_back({.entry = std::move(waiting), .id = id, .copied_as = copied_as});
    } else if (stopping_ || cancelled()) {
      Release(waiting);
    } else {
      waiting.claimed = id;
      to_copy_.push_back(std::move(waiting));
    }
  }
}

void Worker::TellRemoved(const WaitingEntry& entry) {
  if (!work_.reporter->wants_copied()) return;
  work_.reporter->Removed(TargetPath(*entry.directory, entry.target_name));
}

void Worker::TellCopied(const WaitingEntry& entry, const std::string& backup) {
  if (!work_.reporter->wants_copied()) return;
  work_.reporter->Copied(SourcePath(*entry.directory, entry.source_name),
                         TargetPath(*entry.directory, entry.target_name),
                         backup.empty() ? "" : TargetPath(*entry.directory, backup));
}

void Worker::EndOldTarget(const WaitingEntry& entry, OldTarget old_target,
                          const std::string& backup, bool is_target_whole) {
  if (old_target == OldTarget::kKept) return;
  if (old_target != OldTarget::kBackedUp) return TellRemoved(entry);
  if (is_target_whole) return;
  const std::string target = TargetPath(*entry.directory, entry.target_name);
  const int error_number = TakeBack(kernel_, NamesOf(entry), backup);
  if (error_number != 0) {
    work_.reporter->Report(MakeFileError(Operation::kTakeBack, target, error_number));
  } else if (work_.reporter->wants_copied()) {
    work_.reporter->TakenBack(TargetPath(*entry.directory, backup), target);
  }
}

void Worker::CountDone(const WaitingEntry& entry, OldTarget old_target,
                       const std::string& backup) {
  counters_->files_done.Add(1);
  if (work_.made_names != nullptr && entry.directory->names_sources()) {
    work_.made_names->Add(
        JoinPath(TargetPathBelowTop(*entry.directory), entry.target_name));
  }
  if (!work_.reporter->wants_copied()) return;
  if (old_target == OldTarget::kRemovedBeforehand) TellRemoved(entry);
  TellCopied(entry, backup);
  if (old_target == OldTarget::kRemovedAfterFailing) TellRemoved(entry);
}

void Worker::CountFailed(const WaitingEntry& entry, const CopyFailure& failure) {
  counters_->files_failed.Add(1);
  work_.reporter->Report(failure, SourcePath(*entry.directory, entry.source_name),
                         TargetPath(*entry.directory, entry.target_name));
}

}  // namespace ringcp

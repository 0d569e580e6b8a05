// Entries that turn out to be something else, streams, and claims on files with several
// names.

#include <fcntl.h>
#include <sys/stat.h>

#include "core/base/file_identity.h"
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
    EndClaim(&other, /*copied=*/false);
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

void Worker::KeepStream(const WaitingEntry& entry) {
  if (work_.policy.interactive && !entry.may_replace) {
    StreamCopy copy(work_.policy, NamesOf(entry), *work_.cancelled, counters_);
    if (copy.EndsAtFirstLook()) return OnStreamEnded(entry, copy);
  }
  PutAside(entry, &streams_);
}

void Worker::OnStreamEnded(const WaitingEntry& entry, const StreamCopy& copy) {
  reports_.OfXattrs(entry, copy.xattr_failures());
  const EntryReports::Old old = {copy.old_target(), copy.backup()};
  if (copy.outcome() != FileCopy::Outcome::kCopied &&
      copy.outcome() != FileCopy::Outcome::kFailed) {
    reports_.EndOld(entry, old, copy.is_target_whole());
  }
  switch (copy.outcome()) {
    case FileCopy::Outcome::kCopied:
      reports_.Copied(entry, old, ContentsRoute());
      break;
    case FileCopy::Outcome::kSkipped:
    case FileCopy::Outcome::kKeptNewer:
      reports_.Skipped(entry);
      break;
    case FileCopy::Outcome::kAsks:
      return Ask(entry, copy.target_mode());
    case FileCopy::Outcome::kFailed:
      reports_.Failed(entry, copy.failure(), old, copy.is_target_whole());
      break;
    default:
      break;
  }
  reports_.OfRemoval(entry, entry.target_name, copy.removal_error());
  Release(entry);
}

void Worker::Release(const WaitingEntry& entry) {
  questions_.Decide(entry.order);
  Release(entry.directory);
}

void Worker::PutAside(const WaitingEntry& entry, std::deque<WaitingEntry>* entries) {
  questions_.Decide(entry.order);
  entries->push_back(entry);
  entries->back().order = WaitingEntry::kOutOfTurn;
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
  EndClaim(entry, /*copied=*/false);
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
      reports_.Skipped(question.entry);
      work_.reporter->CountDeclined();
    }
    DropAsked(&question.entry);
  }
}

LinkTable::Claim Worker::ClaimCopy(const FileIdentity& id, uint32_t links,
                                   WaitingEntry* entry, std::string* copied_as) {
  if (entry->claimed == id) return LinkTable::Claim::kCopy;
  EndClaim(entry, /*copied=*/false);
  const LinkTable::Claim claim = work_.links->ClaimFile(id, links, *entry, copied_as);
  if (claim == LinkTable::Claim::kCopy) entry->claimed = id;
  return claim;
}

void Worker::EndClaim(WaitingEntry* entry, bool copied) {
  if (!entry->claimed.has_value()) return;
  const FileIdentity id = *entry->claimed;
  entry->claimed.reset();
  const auto copied_as = std::make_shared<const std::string>(
      copied ? JoinPath(TargetPathBelowTop(*entry->directory), entry->target_name) : "");
  for (WaitingEntry& waiting : work_.links->EndClaim(id, *copied_as)) {
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

}  // namespace ringcp

// The part of FileCopy that decides what becomes of an existing target, and opens the
// target.

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "core/base/check.h"
#include "core/base/file_identity.h"
#include "core/file/file_copy.h"
#include "core/file/old_target.h"
#include "core/file/removal.h"
#include "core/file/target_relation.h"
#include "core/kernel/file_system_table.h"

namespace ringcp {
namespace {

// How often a target is let go because its name leads to another inode number. After
// that, numbers that the file system may make up are not believed any more.
constexpr int kLooksMax = 3;

}  // namespace

mode_t FileCopy::WithheldMode() const {
  const bool inherits_acl = names_.target_default_acl.has_value();
  // If the target has the right owner from the beginning, nobody has to be kept out until
  // the owner is set. But a server may give files another owner, and nobody has looked at
  // the directory that a link leads to.
  const bool has_owner = names_.target_file_system->gives_files_to_their_maker() &&
                         !opening_.makes_pointee() &&
                         source_stat_.stx_uid == policy_.user &&
                         source_stat_.stx_gid == names_.target_group;
  if (has_owner && !inherits_acl) return 0;
  return policy_.WithheldMode(source_stat_.stx_mode, inherits_acl);
}

mode_t FileCopy::FirstMode() const {
  return (policy_.NewMode(source_stat_.stx_mode) & ~WithheldMode()) | LentMode();
}

mode_t FileCopy::LentMode() const {
  if (!source_attributes_.needs_source() || policy_.user == 0) return 0;
  return S_IWUSR & ~policy_.NewMode(source_stat_.stx_mode);
}

bool FileCopy::may_use_slot() const {
  return policy_.use_slots && !names_.target_file_system->tells_errors_at_close() &&
         !control_.at_once && !has_cached() && !source_attributes_.needs_source() &&
         !label().is_set();
}

void FileCopy::ClaimNewTarget() {
  if (policy_.claims == nullptr || claim_.held()) return;
  policy_.claims->AnnounceNew(names_.target_place(), &claim_);
}

void FileCopy::OpenNewTarget(NextChains* next) {
  target_.SetFileSystem(names_.target_file_system);
  if (opening_.truncates() && policy_.claims != nullptr) {
    policy_.claims->Release(&claim_);
  }
  opening_.way = TargetOpening::Way::kNew;
  ClaimNewTarget();
  OpenTarget(next);
}

void FileCopy::OpenExistingTarget(NextChains* next) {
  if (!opening_.is_existing()) opening_.way = TargetOpening::Way::kExisting;
  OpenTarget(next);
}

void FileCopy::OpenTarget(NextChains* next) {
  const int flags = opening_.flags();
  const bool may_make = (flags & O_CREAT) != 0;
  const Op open = OpenAt(names_.target_directory, names_.target, flags,
                         may_make ? FirstMode() : 0, FileRef());
  if (may_make && label().is_set()) return OpenLabelled(open, next);
  Enter(State::kOpenTarget, open, next);
}

void FileCopy::OnOpenTarget(absl::Span<const int32_t> results, NextChains* next) {
  const int32_t result = results.back();
  if (results.size() > 1 && !TakeLabelOfNew(results[0], result)) return CloseAll(next);
  if (result < 0) return OnOpenTargetFailed(-result, next);
  retries_ = 0;
  const FileRef file = FileRef::Descriptor(result);
  if (opening_.is_existing()) {
    target_.NoteOpened(file, opening_.follows_link());
    // What is opened once more is compared with what this copy opened before.
    struct statx* const stat =
        target_.is_identified() ? target_.mutable_named() : target_.mutable_stat();
    return Enter(State::kStatOpened, policy_.CallUnlessQueued(StatDescriptor(file, stat)),
                 next);
  }
  target_.NoteMade(file);
  CopyContents(next);
}

void FileCopy::OnOpenTargetFailed(int error_number, NextChains* next) {
  const bool is_existing = opening_.is_existing();
  if (NeedNotMake(-error_number)) return CloseAll(next);
  if (is_existing && error_number == EAGAIN && !opening_.waits_for_lease) {
    opening_.waits_for_lease = true;
    control_.at_once = false;
  }
  if (ShouldRetry(-error_number, &retries_, counters_)) {
    const bool opens_again = is_existing && (begins_anew() || opening_.makes_pointee());
    return opens_again ? OpenExistingTarget(next) : OpenNewTarget(next);
  }
  // This copy may have made a file that nobody may write to, like its source.
  const bool is_own = begins_anew() && is_existing && target_.is_made();
  if (is_own && RemovingMayHelp(error_number) && EndsTarget(next)) return;
  if (begins_anew() || opening_.makes_pointee() ||
      (!is_existing && error_number != EEXIST)) {
    FailOnTarget(Operation::kCreate, error_number);
    return CloseAll(next);
  }
  if (is_existing && ShouldTruncate(error_number)) {
    if (control_.stopped) return CloseAll(next);
    opening_.way = TargetOpening::Way::kTruncating;
    return TakeTarget(next);
  }
  if (!is_existing && policy_.claims != nullptr) policy_.claims->Release(&claim_);
  is_existing ? question_.NoteFailedOpening(error_number) : question_.NoteThatItExists();
  target_error_ = error_number;
  CarryOut(DecideTarget(question_), next);
}

void FileCopy::CarryOut(const TargetDecision& decision, NextChains* next) {
  switch (decision.fate) {
    case Fate::kLook:
      if (decision.look != Fact::kRelation) return StatTarget(next);
      question_.relation =
          RelationOfContents(policy_.kernel, names_, source_stat_, target_.stat());
      return CarryOut(DecideTarget(question_), next);
    case Fate::kCreate:  // What was there is gone again.
      if (retries_++ < kRetriesMax) return OpenNewTarget(next);
      FailOnTarget(Operation::kStat, target_error_);
      break;
    case Fate::kOverwrite:
      return Overwrite(next);
    case Fate::kReplace:
      if (control_.stopped) break;
      return RemoveTarget(decision.old_target, next);
    case Fate::kMakePointee:
      opening_.name = TargetOpening::Name::kLinkToNowhere;
      return OpenExistingTarget(next);
    case Fate::kAsStream:
      outcome_at_end_ = Outcome::kTargetIsSpecial;
      break;
    case Fate::kSkip:
      outcome_at_end_ = Outcome::kSkipped;
      break;
    case Fate::kAsk:
      outcome_at_end_ = Outcome::kAsks;
      break;
    case Fate::kKeepNewer:
      outcome_at_end_ = Outcome::kKeptNewer;
      break;
    default:
      Fail(FailureOf(decision, Operation::kCreate, target_error_));
  }
  CloseAll(next);
}

bool FileCopy::ShouldTruncate(int error_number) const {
  // With --reflink=always a target that can't be a clone keeps its contents.
  return !opening_.truncates() && !opening_.makes_pointee() &&
         policy_.reflink != Reflink::kAlways && !policy_.attributes_only &&
         NeedsTruncating(*target_.file_system(), error_number,
                         target_.stat().stx_nlink == 1 && !opening_.follows_link());
}

void FileCopy::RemoveTarget(OldTarget removed_as, NextChains* next) {
  removed_as_ = removed_as;
  // Opening the target has failed since it was looked at, so its name may lead to another
  // file by now. Inode numbers that may be made up can't tell.
  const bool may_be_another = question_.opening != Opening::kNotTried &&
                              !opening_.truncates() &&
                              names_.target_file_system->has_true_inodes();
  if (!may_be_another) return UnlinkTarget(next);
  Enter(State::kLookAtOld,
        policy_.CallUnlessQueued(StatAt(names_.target_directory, names_.target,
                                        AT_SYMLINK_NOFOLLOW, target_.mutable_stat())),
        next);
}

void FileCopy::OnLookAtOld(int32_t result, NextChains* next) {
  if (control_.stopped) return CloseAll(next);
  switch (WhatHasName(result, target_.stat(), target_.named())) {
    case HasName::kIt:
      return UnlinkTarget(next);
    case HasName::kNothing:
      return OpenNewTarget(next);
    case HasName::kAnother:  // What becomes of that file is decided anew.
      question_ = QuestionAbout(CopyKind::kContents, policy_, names_);
      if (++targets_let_go_ <= kRetriesMax) return OpenNewTarget(next);
      Fail(RefusedTarget(Refusal::kTargetReplaced));
      return CloseAll(next);
    case HasName::kUnknown:
      FailOnTarget(Operation::kRemove, -result);
      return CloseAll(next);
  }
}

void FileCopy::UnlinkTarget(NextChains* next) {
  if (removed_as_ == OldTarget::kBackedUp) {
    MadeWay made = MakeWay(policy_, names_, target_.named(), removed_as_);
    if (made.failure.has_value()) {
      Fail(*made.failure);
      return CloseAll(next);
    }
    backup_ = std::move(made.backup);
    return OnRemoveTarget(made.old_target == OldTarget::kKept ? -ENOENT : 0, next);
  }
  Enter(State::kRemoveTarget, UnlinkAt(names_.target_directory, names_.target, 0), next);
}

void FileCopy::OnRemoveTarget(int32_t result, NextChains* next) {
  if (NeedNotMake(result)) return CloseAll(next);
  if (result < 0 && result != -ENOENT) {
    FailOnTarget(Operation::kRemove, -result);
    return CloseAll(next);
  }
  question_.conditions.Add(Condition::kRemoved);
  if (result == 0) old_target_ = removed_as_;
  // A small file that has lost its old target gets its new one in spite of a stop.
  if (control_.stopped && !is_whole_) return CloseAll(next);
  OpenNewTarget(next);
}

void FileCopy::StatTarget(NextChains* next) {
  state_ = State::kStatTarget;
  const auto stat = [&](int flags, struct statx* result) {
    return StatAt(names_.target_directory, names_.target, flags, result);
  };
  Chain& chain = next->Add(0);
  chain.Add(stat(AT_SYMLINK_NOFOLLOW, target_.mutable_named()));
  if (question_.looks_through_links()) chain.Add(stat(0, target_.mutable_stat()));
}

// What a look by name tells is only a plan. An open target is looked at once more.
void FileCopy::OnStatTarget(absl::Span<const int32_t> results, NextChains* next) {
  if (control_.stopped) return CloseAll(next);
  const int32_t name_result = results[0];
  const bool is_link = name_result == 0 && S_ISLNK(target_.named().stx_mode);
  opening_.name = is_link ? TargetOpening::Name::kLink : TargetOpening::Name::kOwn;
  if (!question_.looks_through_links()) *target_.mutable_stat() = target_.named();
  const int32_t result = name_result < 0 ? name_result : results.back();
  target_error_ = -result;
  question_.NoteLook(result, target_.stat(), source_stat_);
  if (result < 0 && !is_link) {
    question_.there = name_result == -ENOENT ? There::kNothing : There::kUnknown;
  }
  CarryOut(DecideTarget(question_), next);
}

void FileCopy::Overwrite(NextChains* next) {
  // A link may lead to another file system than its directory's.
  const dev_t device = DeviceOf(target_.stat());
  if (opening_.follows_link() && device != names_.target_file_system->device()) {
    target_.SetFileSystem(policy_.file_systems->FindAt(
        policy_.kernel, names_.target_directory, names_.target, device));
  }
  if (!ShouldTruncate(/*error_number=*/0)) return OpenExistingTarget(next);
  opening_.way = TargetOpening::Way::kTruncating;
  TakeTarget(next);
}

void FileCopy::OnStatOpened(int32_t result, NextChains* next) {
  if (result < 0) {
    FailOnTarget(Operation::kStat, -result);
  } else if (control_.stopped) {
    // Nothing has been written to the target.
    if (opening_.truncates()) target_.NoteEmptied();
  } else {
    const struct statx& opened =
        target_.is_identified() ? target_.named() : target_.stat();
    const TargetDecision decision =
        DecideOpenTarget(CopyKind::kContents, source_stat_, opened);
    if (decision.fate != Fate::kOverwrite) return CarryOut(decision, next);
    if (target_.is_identified() && !target_.numbers_differ() && !target_.IsIt(opened)) {
      target_.NoteAnother();
      Fail(RefusedTarget(Refusal::kTargetReplaced));
      return CloseAll(next);
    }
    target_.NoteStat(result, opened);
    const dev_t device = DeviceOf(target_.stat());
    if (device != names_.target_file_system->device()) {
      target_.SetFileSystem(
          policy_.file_systems->Find(policy_.kernel, target_.file(), device));
    }
    if (!opening_.truncates()) return TakeTarget(next);
    target_.NoteEmptied();  // It was claimed before it was opened.
    if (LabelExisting()) return CopyContents(next);
  }
  CloseAll(next);
}

void FileCopy::TakeTarget(NextChains* next) {
  if (policy_.claims == nullptr) return UseTaken(next);
  if (!policy_.claims->TryTake({.device = DeviceOf(target_.stat()),
                                .inode = target_.stat().stx_ino,
                                .links = target_.stat().stx_nlink,
                                .file_system = target_.file_system(),
                                .is_any = target_.numbers_differ()},
                               names_.target_place(), /*announces=*/!target_.is_open(),
                               &claim_)) {
    state_ = State::kAwaitCaller;
    outcome_ = Outcome::kAwaitTarget;
    return;
  }
  ConfirmTarget(next);
}

void FileCopy::ConfirmTarget(NextChains* next) {
  const Op stat = StatAt(names_.target_directory, names_.target, opening_.look_flags(),
                         target_.mutable_named());
  Enter(State::kConfirmTarget, policy_.CallUnlessQueued(stat), next);
}

void FileCopy::OnConfirmTarget(int32_t result, NextChains* next) {
  if (control_.stopped) return CloseAll(next);
  if (begins_anew()) return OnConfirmAnew(result, next);
  if (result == 0 && SameFile(target_.stat(), target_.named())) {
    target_.NoteConfirmed();
    return UseTaken(next);
  }
  // If each look tells another inode number, nobody can say whether the name still leads
  // to the target. Then the target is claimed as possibly any file of its file system.
  // But it must not be the source, so the source has to be on another one.
  const bool is_elsewhere = DeviceOf(target_.stat()) != DeviceOf(source_stat_);
  const bool may_be_made_up = !target_.file_system()->has_true_inodes();
  const bool may_be_it =
      result == 0 && S_ISREG(target_.named().stx_mode) && may_be_made_up && is_elsewhere;
  if (target_.numbers_differ() && may_be_it) return UseTaken(next);
  // Another copy that failed, or somebody else, has removed the target since it was
  // opened, so nobody would find what is written to it.
  policy_.claims->Release(&claim_);
  if (++targets_let_go_ > (may_be_made_up ? kLooksMax : kRetriesMax)) {
    if (may_be_it && !target_.numbers_differ()) {
      target_.NoteNumbersDiffer();
      return TakeTarget(next);
    }
    Fail(RefusedTarget(Refusal::kTargetReplaced));
    return CloseAll(next);
  }
  if (!target_.is_open()) return OpenNewTarget(next);
  LetGo(next);
}

void FileCopy::RetryTarget(NextChains* next) {
  RINGCP_CHECK(outcome_ == Outcome::kAwaitTarget);
  outcome_ = Outcome::kRunning;
  if (control_.stopped) {
    CloseAll(next);
  } else {
    TakeTarget(next);
  }
  SetAtOnce(next);
}

void FileCopy::UseTaken(NextChains* next) {
  if (!target_.is_open()) return OpenExistingTarget(next);
  LabelExisting() ? EmptyOld(next) : CloseAll(next);
}

void FileCopy::EmptyOld(NextChains* next) {
  // A target that can't be a clone keeps its contents.
  if (policy_.reflink == Reflink::kAlways || policy_.attributes_only) {
    return CopyContents(next);
  }
  Enter(State::kEmptyTarget, policy_.Resize(target_.file(), 0), next);
}

void FileCopy::OnEmptyOld(int32_t result, NextChains* next) {
  if (result < 0 && !control_.stopped && ShouldTruncate(-result)) {
    opening_.way = TargetOpening::Way::kTruncating;
    return LetGo(next);
  }
  if (result < 0) {
    FailOnTarget(Operation::kCreate, -result);
    return CloseAll(next);
  }
  target_.NoteEmptied();
  CopyContents(next);
}

bool FileCopy::may_clone() const {
  return policy_.MayClone(names_.source_file_system, *names_.target_file_system);
}

}  // namespace ringcp

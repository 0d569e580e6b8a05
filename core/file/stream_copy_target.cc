// The target of a stream: what becomes of an existing one, and how the target is opened.

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/time/time.h"
#include "core/base/file_identity.h"
#include "core/file/old_target.h"
#include "core/file/stream_copy.h"
#include "core/file/target_relation.h"
#include "core/kernel/op.h"

namespace ringcp {
namespace {

constexpr int kTargetFlags = O_WRONLY | O_NOCTTY;

// How long to wait before trying again to open a target that can't be opened yet: without
// a descriptor there is nothing to poll.
constexpr absl::Duration kOpenPollInterval = absl::Milliseconds(20);

// The longest wait for a lease. By default the kernel takes it away after 45 seconds.
constexpr std::chrono::minutes kLeaseTimeMax(2);

}  // namespace

int32_t StreamCopy::LookAtTarget(int flags, struct statx* stat) const {
  return kernel_->Stat(names_.target_directory, names_.target, flags, stat);
}

int StreamCopy::OpenTargetWith(int flags) const {
  return kernel_->Do(OpenAt(names_.target_directory, names_.target, kTargetFlags | flags,
                            /*mode=*/0, FileRef()));
}

int StreamCopy::MakeTargetWith(int flags) {
  std::optional<CopyFailure> failure;
  const std::optional<int32_t> made = label().Make(
      kernel_, S_IFREG,
      OpenAt(names_.target_directory, names_.target, kTargetFlags | O_CREAT | flags,
             policy_.NewMode(mode_) & ~withheld_, FileRef()),
      &failure);
  // What exists keeps its label until it is known what becomes of it.
  if (!made.has_value() || *made >= 0) TakeLabel(failure);
  return made.value_or(-ECANCELED);
}

void StreamCopy::TakeLabel(const std::optional<CopyFailure>& failure) {
  if (label().is_required()) {
    label_failure_ = failure;
  } else if (failure.has_value()) {
    attributes_.NoteLabel(*failure);
  }
}

StreamCopy::Outcome StreamCopy::LabelExisting() {
  // What this copy has made has its label.
  const bool is_made = target_.is_made() || made_pointee_;
  if (!label().is_set() || target_.is_special() || is_made) return Outcome::kCopied;
  TakeLabel(label().SetOnExisting(kernel_, target_.file(), target_stat_.stx_mode));
  return label_failure_.has_value() ? FailForWantOfLabel() : Outcome::kCopied;
}

StreamCopy::Outcome StreamCopy::FailForWantOfLabel() {
  failure_ = *label_failure_;
  return Outcome::kFailed;
}

StreamCopy::Outcome StreamCopy::OpenTarget() {
  const Outcome outcome = MakeTarget();
  if (target_error_ != EEXIST) return outcome;
  question_.NoteThatItExists();
  return CarryOut(Decide());
}

StreamCopy::Outcome StreamCopy::MakeTarget() {
  target_error_ = CreateTarget();
  if (label_failure_.has_value()) return FailForWantOfLabel();
  return target_error_ == 0 ? Outcome::kCopied
                            : Fail(Operation::kCreate, target_error_, true);
}

TargetDecision StreamCopy::Decide() {
  if (S_ISREG(source_stat_.stx_mode)) {
    question_.conditions.Add(Condition::kSourceIsRegular);
  }
  return DecideTargetByLooking(question_, [this](Fact fact) {
    if (fact == Fact::kRelation) {
      question_.relation = RelationOfContents(kernel_, names_, source_stat_, existing_);
    } else {
      LookAtExisting();
    }
  });
}

void StreamCopy::LookAtExisting() {
  const int32_t result = LookAtTarget(question_.look_flags(), &existing_);
  if (result != 0) target_error_ = -result;
  question_.NoteLook(result, existing_, source_stat_);
}

StreamCopy::Outcome StreamCopy::CarryOut(const TargetDecision& decision) {
  switch (decision.fate) {
    case Fate::kCreate:  // The old target is gone by now.
      return MakeTarget();
    case Fate::kOverwrite:
      return OpenExisting();
    case Fate::kReplace:
      return ReplaceTarget(decision.old_target);
    case Fate::kMakePointee:
      return MakePointee();
    case Fate::kSkip:
      return Outcome::kSkipped;
    case Fate::kAsk:
      return Outcome::kAsks;
    case Fate::kKeepNewer:
      return Outcome::kKeptNewer;
    default:
      failure_ = FailureOf(decision, Operation::kCreate, target_error_);
      return Outcome::kFailed;
  }
}

StreamCopy::Outcome StreamCopy::OpenExisting() {
  if (!give_up_.has_value()) give_up_ = kernel_->Now() + kLeaseTimeMax;
  // Without O_TRUNC, so that the old contents stay until there are new ones.
  const int opened = OpenTargetWith(O_NONBLOCK);
  if (opened >= 0) return TakeOpened(opened);
  // The target is a pipe that nobody reads yet, or a file on which somebody (for example
  // an NFS server, for one of its clients) holds a lease. Opening the file has told the
  // holder to give the lease up; if that does not happen, the kernel takes it away after
  // /proc/sys/fs/lease-break-time seconds.
  if ((opened == -ENXIO && S_ISFIFO(existing_.stx_mode)) ||
      (opened == -EAGAIN && S_ISREG(existing_.stx_mode) && kernel_->Now() < *give_up_)) {
    return Await(State::kOpenTarget, {.max = kOpenPollInterval});
  }
  const int error_number = -opened;
  return ShouldTruncate(error_number) ? TakeByTruncating() : OnOpenFailed(error_number);
}

StreamCopy::Outcome StreamCopy::OnOpenFailed(int error_number) {
  target_error_ = error_number;
  question_.NoteFailedOpening(error_number);
  return CarryOut(Decide());
}

bool StreamCopy::ShouldTruncate(int error_number) {
  if (!S_ISREG(existing_.stx_mode) || policy_.reflink == Reflink::kAlways ||
      policy_.attributes_only || !MayNeedTruncating(error_number)) {
    return false;
  }
  target_.SetFileSystem(policy_.file_systems->FindAt(kernel_, names_.target_directory,
                                                     names_.target, DeviceOf(existing_)));
  return target_.file_system()->may_open_truncating_only();
}

StreamCopy::Outcome StreamCopy::TakeByTruncating() {
  target_stat_ = existing_;
  truncates_ = true;
  return TakeTarget();
}

StreamCopy::Outcome StreamCopy::OpenTruncating() {
  const int opened = OpenTargetWith(O_NONBLOCK | O_TRUNC);
  if (opened < 0) {
    truncates_ = false;
    if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
    return OnOpenFailed(-opened);
  }
  target_.NoteOpened(FileRef::Descriptor(opened), /*follows_link=*/true);
  target_.NoteEmptied();
  const int32_t result = kernel_->Stat(opened, &target_stat_);
  target_.NoteStat(result, target_stat_);
  return result == 0 ? Outcome::kCopied : Fail(Operation::kStat, -result, true);
}

StreamCopy::Outcome StreamCopy::MakePointee() {
  const int opened = MakeTargetWith(0);
  if (label_failure_.has_value()) return FailForWantOfLabel();
  if (opened < 0) return Fail(Operation::kCreate, -opened, true);
  made_pointee_ = true;
  return TakeOpened(opened);
}

StreamCopy::Outcome StreamCopy::TakeOpened(int fd) {
  target_.NoteOpened(FileRef::Descriptor(fd), /*follows_link=*/true);
  const int32_t result = kernel_->Stat(fd, &target_stat_);
  if (result != 0) return Fail(Operation::kStat, -result, true);
  const TargetDecision decision =
      DecideOpenTarget(CopyKind::kStream, source_stat_, target_stat_);
  if (decision.fate != Fate::kOverwrite) return CarryOut(decision);
  if (!S_ISREG(target_stat_.stx_mode)) {
    target_.NoteSpecial();
    return Outcome::kCopied;
  }
  target_.NoteStat(result, target_stat_);
  target_.SetFileSystem(policy_.file_systems->Find(kernel_, fd, DeviceOf(target_stat_)));
  return TakeTarget();
}

int StreamCopy::EmptyOld() {
  const int error_number = -kernel_->Do(SetSize(target_.file(), 0));
  if (error_number == 0) return 0;
  struct statx named;
  if (!MayNeedTruncating(error_number) ||
      !target_.file_system()->may_open_truncating_only() ||
      LookAtTarget(0, &named) != 0 || !SameFile(named, target_stat_)) {
    return error_number;
  }
  const int truncated = OpenTargetWith(O_NONBLOCK | O_TRUNC);
  if (truncated < 0) return error_number;
  kernel_->Do(Close(target_.file()));
  target_.SetFile(FileRef::Descriptor(truncated));
  return 0;
}

StreamCopy::Outcome StreamCopy::TakeTarget() {
  if (policy_.claims != nullptr &&
      !policy_.claims->TryTake({.device = DeviceOf(target_stat_),
                                .inode = target_stat_.stx_ino,
                                .links = target_stat_.stx_nlink,
                                .file_system = target_.file_system()},
                               names_.target_place(), /*announces=*/truncates_,
                               &claim_)) {
    policy_.claims->WakeOnRelease();
    return Await(State::kTakeTarget, {.max = kPollInterval});
  }
  // A copy that held the claim before may have failed and removed the target.
  struct statx named;
  if (LookAtTarget(0, &named) != 0 || !SameFile(named, target_stat_)) {
    return Refuse(Refusal::kTargetReplaced);
  }
  return truncates_ ? OpenTruncating() : Outcome::kCopied;
}

StreamCopy::Outcome StreamCopy::ReplaceTarget(OldTarget what_becomes_of_it) {
  struct statx existing;
  const int error_number = -LookAtTarget(AT_SYMLINK_NOFOLLOW, &existing);
  if (error_number == ENOENT) return MakeTarget();
  if (error_number != 0) return Fail(Operation::kRemove, error_number, true);
  // What is removed is what was decided on, or a link to it.
  if (!S_ISLNK(existing.stx_mode) && !SameFile(existing, existing_)) {
    return Fail(Operation::kCreate, EEXIST, true);
  }
  MadeWay made = MakeWay(policy_, names_, existing, what_becomes_of_it);
  if (made.failure.has_value()) {
    failure_ = *made.failure;
    return Outcome::kFailed;
  }
  old_target_ = made.old_target;
  backup_ = std::move(made.backup);
  return MakeTarget();
}

int StreamCopy::CreateTarget() {
  withheld_ = policy_.WithheldMode(mode_, names_.target_default_acl.has_value());
  if (policy_.claims != nullptr) {
    policy_.claims->AnnounceNew(names_.target_place(), &claim_);
  }
  const int made = MakeTargetWith(O_EXCL);
  if (made < 0) {
    if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
    return -made;
  }
  target_.SetFileSystem(names_.target_file_system);
  target_.NoteMade(FileRef::Descriptor(made));
  struct statx stat;
  const int32_t result = kernel_->Stat(made, &stat);
  // The target's identity has to be known, so that it can be removed. If a server does
  // not answer, the copy takes what the kernel remembers about the open file.
  target_.NoteStat(
      result == 0 ? 0 : kernel_->Do(StatDescriptor(made, &stat, AT_STATX_DONT_SYNC)),
      stat);
  return -result;
}

}  // namespace ringcp

// The target of a stream: what becomes of what is there, and how it is opened.

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "absl/time/time.h"
#include "core/base/file_identity.h"
#include "core/file/file_acls.h"
#include "core/file/removal.h"
#include "core/file/stream_copy.h"
#include "core/file/target_relation.h"
#include "core/kernel/op.h"

namespace ringcp {
namespace {

constexpr int kTargetFlags = O_WRONLY | O_NOCTTY;

// How long to wait before trying again to open a target that can't be opened yet: there
// is nothing to poll for that.
constexpr absl::Duration kOpenPollInterval = absl::Milliseconds(20);

// The longest wait for a lease: the kernel takes it away after 45 seconds, if nobody has
// set another time.
constexpr std::chrono::minutes kLeaseTimeMax(2);

}  // namespace

int32_t StreamCopy::LookAtTarget(int flags, struct statx* stat) const {
  return kernel_->Stat(names_.target_directory, names_.target, flags, stat);
}

int StreamCopy::OpenTargetWith(int flags, mode_t mode) const {
  return kernel_->Do(OpenAt(names_.target_directory, names_.target, kTargetFlags | flags,
                            mode, FileRef()));
}

StreamCopy::Outcome StreamCopy::OpenTarget() {
  const Outcome outcome = MakeTarget();
  if (target_error_ != EEXIST) return outcome;
  question_.NoteThatItExists();
  return CarryOut(Decide());
}

StreamCopy::Outcome StreamCopy::MakeTarget() {
  target_error_ = CreateTarget();
  return target_error_ == 0 ? Outcome::kCopied
                            : Fail(Operation::kCreate, target_error_, true);
}

TargetDecision StreamCopy::Decide() {
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
    case Fate::kCreate:  // It is gone again.
      return MakeTarget();
    case Fate::kOverwrite:
      return OpenExisting();
    case Fate::kReplace:
      return ReplaceTarget(decision.old_target);
    case Fate::kMakePointee:
      return MakePointee();
    case Fate::kSkip:
      return Outcome::kSkipped;
    default:
      failure_ = FailureOf(decision, Operation::kCreate, target_error_);
      return Outcome::kFailed;
  }
}

StreamCopy::Outcome StreamCopy::OpenExisting() {
  if (!give_up_.has_value()) give_up_ = kernel_->Now() + kLeaseTimeMax;
  // What was in it stays until there is something to take its place.
  target_ = OpenTargetWith(O_NONBLOCK);
  if (target_ >= 0) return TakeOpened();
  // A pipe that nobody reads yet, or a file on which somebody holds a lease: an NFS
  // server for one of its clients. Opening it has told the holder to give it up; the
  // kernel takes it away after /proc/sys/fs/lease-break-time seconds.
  if ((target_ == -ENXIO && S_ISFIFO(existing_.stx_mode)) ||
      (target_ == -EAGAIN && S_ISREG(existing_.stx_mode) && kernel_->Now() < *give_up_)) {
    return Await(State::kOpenTarget, {.max = kOpenPollInterval});
  }
  const int error_number = -target_;
  return ShouldTruncate(error_number) ? TakeByTruncating() : OnOpenFailed(error_number);
}

StreamCopy::Outcome StreamCopy::OnOpenFailed(int error_number) {
  target_error_ = error_number;
  question_.NoteFailedOpening(error_number);
  return CarryOut(Decide());
}

bool StreamCopy::ShouldTruncate(int error_number) {
  if (!S_ISREG(existing_.stx_mode) || policy_.reflink == Reflink::kAlways ||
      !MayNeedTruncating(error_number)) {
    return false;
  }
  target_file_system_ = policy_.file_systems->FindAt(kernel_, names_.target_directory,
                                                     names_.target, DeviceOf(existing_));
  return target_file_system_->may_open_truncating_only();
}

StreamCopy::Outcome StreamCopy::TakeByTruncating() {
  target_stat_ = existing_;
  is_regular_ = truncates_ = true;
  return TakeTarget();
}

StreamCopy::Outcome StreamCopy::OpenTruncating() {
  target_ = OpenTargetWith(O_NONBLOCK | O_TRUNC);
  if (target_ < 0) {
    const int error_number = -target_;
    truncates_ = false;
    if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
    return OnOpenFailed(error_number);
  }
  begun_ = true;
  const int32_t result = kernel_->Stat(target_, &target_stat_);
  return result == 0 ? Outcome::kCopied : Fail(Operation::kStat, -result, true);
}

StreamCopy::Outcome StreamCopy::MakePointee() {
  target_ = OpenTargetWith(O_CREAT, policy_.NewMode(mode_) & ~withheld_);
  if (target_ < 0) return Fail(Operation::kCreate, -target_, true);
  made_pointee_ = true;
  return TakeOpened();
}

StreamCopy::Outcome StreamCopy::TakeOpened() {
  const int32_t result = kernel_->Stat(target_, &target_stat_);
  if (result != 0) return Fail(Operation::kStat, -result, true);
  const TargetDecision decision =
      DecideOpenTarget(CopyKind::kStream, source_stat_, target_stat_);
  if (decision.fate != Fate::kOverwrite) return CarryOut(decision);
  is_regular_ = S_ISREG(target_stat_.stx_mode);
  if (!is_regular_) return Outcome::kCopied;
  target_file_system_ =
      policy_.file_systems->Find(kernel_, target_, DeviceOf(target_stat_));
  return TakeTarget();
}

int StreamCopy::EmptyOld() {
  const int error_number = -kernel_->Do(SetSize(target_, 0));
  if (error_number == 0) return 0;
  struct statx named;
  if (!MayNeedTruncating(error_number) ||
      !target_file_system_->may_open_truncating_only() || LookAtTarget(0, &named) != 0 ||
      !SameFile(named, target_stat_)) {
    return error_number;
  }
  const int truncated = OpenTargetWith(O_NONBLOCK | O_TRUNC);
  if (truncated < 0) return error_number;
  kernel_->Close(target_);
  target_ = truncated;
  return 0;
}

StreamCopy::Outcome StreamCopy::TakeTarget() {
  if (policy_.claims != nullptr &&
      !policy_.claims->TryTake({.device = DeviceOf(target_stat_),
                                .inode = target_stat_.stx_ino,
                                .links = target_stat_.stx_nlink,
                                .file_system = target_file_system_},
                               names_.target_place(), /*announces=*/truncates_,
                               &claim_)) {
    policy_.claims->WakeOnRelease();
    return Await(State::kTakeTarget, {.max = kPollInterval});
  }
  // A copy that failed may have removed it meanwhile.
  struct statx named;
  if (LookAtTarget(0, &named) != 0 || !SameFile(named, target_stat_)) {
    return Refuse(Refusal::kTargetReplaced);
  }
  return truncates_ ? OpenTruncating() : Outcome::kCopied;
}

StreamCopy::Outcome StreamCopy::ReplaceTarget(OldTarget what_becomes_of_it) {
  struct statx existing;
  int error_number = -LookAtTarget(AT_SYMLINK_NOFOLLOW, &existing);
  if (error_number == 0) {
    error_number =
        RemoveIfSame(kernel_, names_.target_directory, names_.target, existing);
  }
  if (error_number != 0 && error_number != ENOENT) {
    return Fail(Operation::kRemove, error_number, true);
  }
  old_target_ = what_becomes_of_it;
  return MakeTarget();
}

int StreamCopy::CreateTarget() {
  mode_ = source_stat_.stx_mode & kAllModeBits;
  if (policy_.preserve.mode) mode_ = LookAtAccess(kernel_, source_, mode_).mode;
  withheld_ = policy_.WithheldMode(mode_, names_.target_default_acl.has_value());
  if (policy_.claims != nullptr) {
    policy_.claims->AnnounceNew(names_.target_place(), &claim_);
  }
  target_ = OpenTargetWith(O_CREAT | O_EXCL, policy_.NewMode(mode_) & ~withheld_);
  if (target_ < 0) {
    const int error_number = -target_;
    if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
    return error_number;
  }
  created_ = true;
  is_regular_ = true;
  const int32_t result = kernel_->Stat(target_, &target_stat_);
  if (result == 0) return 0;
  // Which file it is has to be known, to be able to remove it; where a server does not
  // tell, what the kernel remembers of the open file has to do.
  not_identified_ =
      -kernel_->Do(StatDescriptor(target_, &target_stat_, AT_STATX_DONT_SYNC));
  return -result;
}

}  // namespace ringcp

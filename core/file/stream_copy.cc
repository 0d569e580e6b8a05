#include "core/file/stream_copy.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>

#include "absl/time/time.h"
#include "core/base/check.h"
#include "core/base/file_identity.h"
#include "core/file/attribute_plan.h"
#include "core/file/file_acls.h"
#include "core/file/removal.h"
#include "core/file/target_claims.h"
#include "core/file/target_decision.h"
#include "core/file/target_relation.h"
#include "core/kernel/file_systems.h"
#include "core/kernel/op.h"

namespace ringcp {
namespace {

constexpr int kTargetFlags = O_WRONLY | O_NOCTTY;

// A pipe's usual capacity: more would not come at once.
constexpr uint32_t kBufferBytes = 64 * 1024;
// Blocks of a stream that never waits, before its worker sees to other things.
constexpr int kBlocksPerStep = 16;
// How long a wait goes on before it looks whether the job was cancelled.
constexpr absl::Duration kPollInterval = absl::Milliseconds(100);
// How long to wait before trying again to open a target that can't be opened yet: there
// is nothing to poll for that.
constexpr absl::Duration kOpenPollInterval = absl::Milliseconds(20);

// The longest wait for a lease: the kernel takes it away after 45 seconds, if nobody has
// set another time.
constexpr std::chrono::minutes kLeaseTimeMax(2);

}  // namespace

StreamCopy::StreamCopy(const FileCopyPolicy& policy, const FileCopyNames& names,
                       const std::atomic<bool>& cancelled, EngineCounters* counters)
    : kernel_(policy.kernel),
      policy_(policy),
      names_(names),
      cancelled_(cancelled),
      counters_(counters),
      question_{.kind = CopyKind::kStream, .conditions = ConditionsOf(policy, names)} {}

StreamCopy::~StreamCopy() {
  if (source_ >= 0) kernel_->Close(source_);
  if (target_ >= 0) kernel_->Close(target_);
  if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
}

bool StreamCopy::Step() {
  RINGCP_CHECK(outcome_ == Outcome::kRunning);
  waiting_ = {};
  const Outcome outcome = cancelled_ ? Outcome::kCancelled : GoOn();
  if (outcome == Outcome::kRunning) return false;
  outcome_ = target_ >= 0 ? Finish(outcome) : outcome;
  return true;
}

StreamCopy::Outcome StreamCopy::GoOn() {
  Outcome outcome = Outcome::kCopied;
  switch (state_) {
    case State::kBegin:
      outcome = Begin();
      break;
    case State::kOpenTarget:
      outcome = OpenExisting();
      break;
    case State::kTakeTarget:
      outcome = TakeTarget();
      break;
    case State::kContents:
      break;
  }
  if (outcome == Outcome::kCopied) outcome = CopyContents();
  if (outcome == Outcome::kCopied) outcome = SetAttributes();
  return outcome;
}

StreamCopy::Outcome StreamCopy::Begin() {
  // What will not be copied need not be readable.
  if (policy_.no_clobber) {
    LookAtExisting();
    if (Decide().fate == Fate::kSkip) return Outcome::kSkipped;
  }
  const Outcome outcome = OpenSource();
  return outcome == Outcome::kCopied ? OpenTarget() : outcome;
}

StreamCopy::Outcome StreamCopy::Await(State state, const Waiting& waiting) {
  state_ = state;
  waiting_ = waiting;
  return Outcome::kRunning;
}

StreamCopy::Outcome StreamCopy::AwaitReady(int fd, short events) {
  return Await(State::kContents, {.fd = fd, .events = events, .max = kPollInterval});
}

StreamCopy::Outcome StreamCopy::Fail(Operation operation, int error_number,
                                     bool on_target) {
  failure_ = {
      .operation = operation, .error_number = error_number, .on_target = on_target};
  return Outcome::kFailed;
}

StreamCopy::Outcome StreamCopy::Refuse(Refusal refusal) {
  failure_ = RefusedTarget(refusal);
  return Outcome::kFailed;
}

int32_t StreamCopy::LookAtTarget(int flags, struct statx* stat) const {
  return kernel_->Stat(names_.target_directory, names_.target, flags, stat);
}

int StreamCopy::OpenTargetWith(int flags, mode_t mode) const {
  return kernel_->Do(OpenAt(names_.target_directory, names_.target, kTargetFlags | flags,
                            mode, FileRef()));
}

// Closes the target, which is complete then or, if it is a regular file, gone: removed
// if this copy made it, else empty. What was in it was lost with the first byte
// written.
StreamCopy::Outcome StreamCopy::Finish(Outcome outcome) {
  // What is kept open is certainly the file that was written.
  const int kept = is_regular_ ? kernel_->Do(Duplicate(target_)) : -1;
  if (!complete_) Empty(target_);
  // Also tells what could not be written out: on NFS and others only now.
  const int32_t closed = kernel_->Close(target_);
  target_ = -1;
  if (closed != 0) {
    // The first failure is told.
    if (outcome == Outcome::kCopied) outcome = Fail(Operation::kClose, -closed, true);
    complete_ = false;
    if (kept >= 0) Empty(kept);
  }
  // Some file systems remove nothing that is open.
  if (kept >= 0) kernel_->Close(kept);
  if (!complete_ && created_) {
    removal_error_ = not_identified_ != 0 ? not_identified_
                                          : RemoveIfSame(kernel_, names_.target_directory,
                                                         names_.target, target_stat_);
  }
  return outcome;
}

void StreamCopy::Empty(int fd) {
  if (!is_regular_ || !begun_) return;
  const int32_t result = kernel_->Do(SetSize(fd, 0));
  removal_error_ = result < 0 ? -result : 0;
}

StreamCopy::Outcome StreamCopy::OpenSource() {
  const int follow = names_.follow_source ? 0 : O_NOFOLLOW;
  source_ = kernel_->Open(names_.source_directory, names_.source,
                          O_RDONLY | O_NONBLOCK | O_NOCTTY | follow);
  if (source_ < 0) return Fail(Operation::kOpen, -source_, false);
  const int32_t result = kernel_->Stat(source_, &source_stat_);
  return result == 0 ? Outcome::kCopied : Fail(Operation::kStat, -result, false);
}

StreamCopy::Outcome StreamCopy::OpenTarget() {
  target_error_ = CreateTarget();
  if (target_error_ == 0) return Outcome::kCopied;
  if (target_error_ != EEXIST) return Fail(Operation::kCreate, target_error_, true);
  question_.NoteThatItExists();
  return CarryOut(Decide());
}

TargetDecision StreamCopy::Decide() {
  TargetDecision decision = DecideTarget(question_);
  while (decision.fate == Fate::kLook) {
    if (decision.look == Fact::kRelation) {
      question_.relation = RelationOfContents(kernel_, names_, source_stat_, existing_);
    } else {
      LookAtExisting();
    }
    decision = DecideTarget(question_);
  }
  return decision;
}

void StreamCopy::LookAtExisting() {
  const int32_t result = LookAtTarget(question_.look_flags(), &existing_);
  if (result != 0) target_error_ = -result;
  question_.NoteLook(result, existing_, source_stat_);
}

StreamCopy::Outcome StreamCopy::CarryOut(const TargetDecision& decision) {
  switch (decision.fate) {
    case Fate::kCreate:  // It is gone again.
      target_error_ = CreateTarget();
      return target_error_ == 0 ? Outcome::kCopied
                                : Fail(Operation::kCreate, target_error_, true);
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

// Whether an existing target may take no other opening than one with O_TRUNC, as some
// file systems in user space have it.
bool StreamCopy::ShouldTruncate(int error_number) const {
  return S_ISREG(existing_.stx_mode) && policy_.reflink != Reflink::kAlways &&
         MayNeedTruncating(error_number) &&
         KindOfFileSystemAt(kernel_, names_.target_directory, names_.target) ==
             FileSystemKind::kOther;
}

// Claims the existing target by its name, and empties it by opening it.
StreamCopy::Outcome StreamCopy::TakeByTruncating() {
  target_stat_ = existing_;
  is_regular_ = truncates_ = true;
  target_kind_ = FileSystemKind::kOther;
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

// Makes the file that a symbolic link to nowhere leads to.
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
  target_kind_ = KindOfFileSystem(kernel_, target_);
  return TakeTarget();
}

// Empties the existing target, which is open and claimed. 0 or an errno.
int StreamCopy::EmptyOld() {
  const int error_number = -kernel_->Do(SetSize(target_, 0));
  if (error_number == 0) return 0;
  struct statx named;
  if (!MayNeedTruncating(error_number) ||
      KindOfFileSystem(kernel_, target_) != FileSystemKind::kOther ||
      LookAtTarget(0, &named) != 0 || !SameFile(named, target_stat_)) {
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
                                .file_system = target_kind_},
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

// Makes a new file in the place of one that can't be opened (-f), or must be kept.
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
  error_number = CreateTarget();
  return error_number == 0 ? Outcome::kCopied
                           : Fail(Operation::kCreate, error_number, true);
}

// 0 or an errno: EEXIST if there is something already.
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

bool StreamCopy::IsReady(int fd, short events) const {
  return kernel_->Do(Poll(fd, events, /*milliseconds_max=*/0)) > 0;
}

StreamCopy::Outcome StreamCopy::CopyContents() {
  if (state_ != State::kContents) {
    state_ = State::kContents;
    if (policy_.reflink == Reflink::kAlways) {
      const int32_t cloned = kernel_->Do(Clone(source_, target_));
      if (cloned != 0) return Fail(Operation::kClone, -cloned, true);
    }
    buffer_.resize(kBufferBytes);
  }
  for (int blocks = 0; blocks < kBlocksPerStep; ++blocks) {
    Outcome outcome = WriteBlock();
    if (outcome == Outcome::kCopied) outcome = ReadBlock();
    if (outcome != Outcome::kCopied || complete_) return outcome;
  }
  return Await(State::kContents, {});
}

StreamCopy::Outcome StreamCopy::ReadBlock() {
  // Before the first writer has opened a pipe, reading it says that it ended; poll knows
  // better.
  if (!IsReady(source_, POLLIN)) return AwaitReady(source_, POLLIN);
  const int32_t size = kernel_->Do(ReadAt(FileRef::Descriptor(source_), buffer_.data(),
                                          kBufferBytes, kCurrentPosition));
  if (size == -EINTR || size == -EAGAIN) return Outcome::kCopied;
  if (size < 0) return Fail(Operation::kRead, -size, false);
  if (!begun_) {
    // As openat() would have done with O_TRUNC. What can't be cloned to stays as it is.
    const bool goes = is_regular_ && !created_ && policy_.reflink != Reflink::kAlways;
    const int error_number = goes ? EmptyOld() : 0;
    if (error_number != 0) return Fail(Operation::kCreate, error_number, true);
    begun_ = true;
  }
  filled_ = size;
  written_ = 0;
  complete_ = size == 0;
  return Outcome::kCopied;
}

StreamCopy::Outcome StreamCopy::WriteBlock() {
  while (written_ < filled_) {
    const int32_t written =
        kernel_->Do(WriteAt(FileRef::Descriptor(target_), buffer_.data() + written_,
                            filled_ - written_, kCurrentPosition));
    if (written >= 0) {
      written_ += written;
      counters_->bytes_done.Add(written);
    } else if (written == -EAGAIN) {
      return AwaitReady(target_, POLLOUT);
    } else if (written != -EINTR) {
      return Fail(Operation::kWrite, -written, true);
    }
    if (cancelled_) return Outcome::kCancelled;
  }
  return Outcome::kCopied;
}

// Of a regular file: a terminal or a device that is written to keeps what it has.
StreamCopy::Outcome StreamCopy::SetAttributes() {
  if (!is_regular_) return Outcome::kCopied;
  AttributePlan plan;
  plan.Start(policy_, source_stat_,
             {.fd = target_,
              .created = created_,
              .kept_mode = mode_,
              .withheld = created_ || made_pointee_ ? withheld_ : 0,
              .default_acl = names_.target_default_acl});
  SetAttributesAtOnce(&plan, [this](const Op& op) { return kernel_->Do(op); });
  if (!plan.failed()) return Outcome::kCopied;
  failure_ = plan.failure();
  return Outcome::kFailed;
}

}  // namespace ringcp

#include "core/file/stream_copy.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <vector>

#include "absl/time/time.h"
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

using Outcome = FileCopy::Outcome;

constexpr int kTargetFlags = O_WRONLY | O_NOCTTY;

// A pipe's usual capacity: more would not come at once.
constexpr uint32_t kBufferBytes = 64 * 1024;
// How long a wait goes on before it looks whether the job was cancelled.
constexpr int kPollMilliseconds = 100;
// How long to wait before trying again to open a target that can't be opened yet: there
// is nothing to poll for that.
constexpr int kOpenPollMilliseconds = 20;

// The longest wait for a lease: the kernel takes it away after 45 seconds, if nobody has
// set another time.
constexpr std::chrono::minutes kLeaseTimeMax(2);

class Stream {
 public:
  Stream(const FileCopyPolicy& policy, const FileCopyNames& names,
         const std::atomic<bool>& cancelled, EngineCounters* counters,
         CopyFailure* failure, OldTarget* old_target)
      : kernel_(policy.kernel),
        policy_(policy),
        names_(names),
        cancelled_(cancelled),
        counters_(counters),
        failure_(failure),
        old_target_(old_target),
        question_{.kind = CopyKind::kStream, .conditions = ConditionsOf(policy, names)} {
    *old_target_ = OldTarget::kKept;
  }
  ~Stream() {
    if (source_ >= 0) kernel_->Close(source_);
    if (target_ >= 0) kernel_->Close(target_);
    if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
  }

  Outcome Copy() {
    if (cancelled_) return Outcome::kCancelled;
    // What will not be copied need not be readable.
    if (policy_.no_clobber) {
      LookAtExisting();
      if (Decide().fate == Fate::kSkip) return Outcome::kSkipped;
    }
    Outcome outcome = OpenSource();
    if (outcome == Outcome::kCopied) outcome = OpenTarget();
    if (outcome == Outcome::kCopied) outcome = CopyContents();
    if (outcome == Outcome::kCopied) outcome = SetAttributes();
    return target_ >= 0 ? Finish(outcome) : outcome;
  }

 private:
  Outcome Fail(Operation operation, int error_number, bool on_target) {
    *failure_ = {
        .operation = operation, .error_number = error_number, .on_target = on_target};
    return Outcome::kFailed;
  }
  Outcome Refuse(Refusal refusal) {
    *failure_ = RefusedTarget(refusal);
    return Outcome::kFailed;
  }

  int32_t LookAtTarget(int flags, struct statx* stat) const {
    return kernel_->Stat(names_.target_directory, names_.target, flags, stat);
  }
  // A descriptor or -errno.
  int OpenTargetWith(int flags, mode_t mode = 0) const {
    return kernel_->Do(OpenAt(names_.target_directory, names_.target,
                              kTargetFlags | flags, mode, FileRef()));
  }

  // Closes the target, which is complete then or, if it is a regular file, gone: removed
  // if this copy made it, else empty. What was in it was lost with the first byte
  // written.
  Outcome Finish(Outcome outcome) {
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
      RemoveIfSame(kernel_, names_.target_directory, names_.target, target_stat_);
    }
    return outcome;
  }

  // Nothing can be done where that fails, too: the failure of the copy is told.
  void Empty(int fd) const {
    if (!is_regular_ || !begun_) return;
    kernel_->Do(SetSize(fd, 0));
  }

  Outcome OpenSource() {
    const int follow = names_.follow_source ? 0 : O_NOFOLLOW;
    source_ = kernel_->Open(names_.source_directory, names_.source,
                            O_RDONLY | O_NONBLOCK | O_NOCTTY | follow);
    if (source_ < 0) return Fail(Operation::kOpen, -source_, false);
    const int32_t result = kernel_->Stat(source_, &source_stat_);
    return result == 0 ? Outcome::kCopied : Fail(Operation::kStat, -result, false);
  }

  Outcome OpenTarget() {
    target_error_ = CreateTarget();
    if (target_error_ == 0) return Outcome::kCopied;
    if (target_error_ != EEXIST) return Fail(Operation::kCreate, target_error_, true);
    question_.NoteThatItExists();
    return CarryOut(Decide());
  }

  TargetDecision Decide() {
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

  void LookAtExisting() {
    const int32_t result = LookAtTarget(question_.look_flags(), &existing_);
    if (result != 0) target_error_ = -result;
    question_.NoteLook(result, existing_, source_stat_);
  }

  Outcome CarryOut(const TargetDecision& decision) {
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
        *failure_ = FailureOf(decision, Operation::kCreate, target_error_);
        return Outcome::kFailed;
    }
  }

  // Opens what is there without emptying it.
  Outcome OpenExisting() {
    const struct statx& existing = existing_;
    const SteadyTime give_up = kernel_->Now() + kLeaseTimeMax;
    for (;;) {
      // What was in it stays until there is something to take its place.
      target_ = OpenTargetWith(O_NONBLOCK);
      if (target_ >= 0) break;
      // A pipe that nobody reads yet, or a file on which somebody holds a lease: an NFS
      // server for one of its clients. Opening it has told the holder to give it up; the
      // kernel takes it away after /proc/sys/fs/lease-break-time seconds.
      if ((target_ == -ENXIO && S_ISFIFO(existing.stx_mode)) ||
          (target_ == -EAGAIN && S_ISREG(existing.stx_mode) &&
           kernel_->Now() < give_up)) {
        if (cancelled_) return Outcome::kCancelled;
        kernel_->Do(Pause(kOpenPollMilliseconds));
        continue;
      }
      const int error_number = -target_;
      if (ShouldTruncate(error_number, existing)) return TakeByTruncating(existing);
      return OnOpenFailed(error_number);
    }
    return TakeOpened();
  }

  Outcome OnOpenFailed(int error_number) {
    target_error_ = error_number;
    question_.opening = FailedOpening(error_number);
    return CarryOut(Decide());
  }

  // Whether an existing target may take no other opening than one with O_TRUNC, as some
  // file systems in user space have it.
  bool ShouldTruncate(int error_number, const struct statx& existing) const {
    return S_ISREG(existing.stx_mode) && policy_.reflink != Reflink::kAlways &&
           MayNeedTruncating(error_number) &&
           KindOfFileSystemAt(kernel_, names_.target_directory, names_.target) ==
               FileSystemKind::kOther;
  }

  // Claims the existing target by its name, and empties it by opening it.
  Outcome TakeByTruncating(const struct statx& existing) {
    target_stat_ = existing;
    is_regular_ = true;
    if (const Outcome outcome = TakeTarget(FileSystemKind::kOther);
        outcome != Outcome::kCopied) {
      return outcome;
    }
    target_ = OpenTargetWith(O_NONBLOCK | O_TRUNC);
    if (target_ < 0) {
      const int error_number = -target_;
      if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
      return OnOpenFailed(error_number);
    }
    begun_ = true;
    const int32_t result = kernel_->Stat(target_, &target_stat_);
    return result == 0 ? Outcome::kCopied : Fail(Operation::kStat, -result, true);
  }

  // Makes the file that a symbolic link to nowhere leads to.
  Outcome MakePointee() {
    target_ = OpenTargetWith(O_CREAT, policy_.NewMode(mode_) & ~withheld_);
    if (target_ < 0) return Fail(Operation::kCreate, -target_, true);
    made_pointee_ = true;
    return TakeOpened();
  }

  Outcome TakeOpened() {
    const int32_t result = kernel_->Stat(target_, &target_stat_);
    if (result != 0) return Fail(Operation::kStat, -result, true);
    const TargetDecision decision =
        DecideOpenTarget(CopyKind::kStream, source_stat_, target_stat_);
    if (decision.fate != Fate::kOverwrite) return CarryOut(decision);
    is_regular_ = S_ISREG(target_stat_.stx_mode);
    return is_regular_ ? TakeTarget(KindOfFileSystem(kernel_, target_))
                       : Outcome::kCopied;
  }

  // Empties the existing target, which is open and claimed. 0 or an errno.
  int EmptyOld() {
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

  // Waits until no other copy writes to the existing target, which is target_stat_.
  Outcome TakeTarget(FileSystemKind file_system) {
    while (policy_.claims != nullptr &&
           !policy_.claims->TryTake({.device = DeviceOf(target_stat_),
                                     .inode = target_stat_.stx_ino,
                                     .links = target_stat_.stx_nlink,
                                     .file_system = file_system},
                                    names_.target_place(), /*announces=*/target_ < 0,
                                    &claim_)) {
      if (cancelled_) return Outcome::kCancelled;
      policy_.claims->WakeOnRelease();
      std::vector<ChainResults> none;
      kernel_->Wait(absl::Milliseconds(kPollMilliseconds), &none);
    }
    // A copy that failed may have removed it meanwhile.
    struct statx named;
    if (LookAtTarget(0, &named) != 0 || !SameFile(named, target_stat_)) {
      return Refuse(Refusal::kTargetReplaced);
    }
    return Outcome::kCopied;
  }

  // Makes a new file in the place of one that can't be opened (-f), or must be kept.
  Outcome ReplaceTarget(OldTarget what_becomes_of_it) {
    struct statx existing;
    int error_number = -LookAtTarget(AT_SYMLINK_NOFOLLOW, &existing);
    if (error_number == 0) {
      error_number =
          RemoveIfSame(kernel_, names_.target_directory, names_.target, existing);
    }
    if (error_number != 0 && error_number != ENOENT) {
      return Fail(Operation::kRemove, error_number, true);
    }
    *old_target_ = what_becomes_of_it;
    error_number = CreateTarget();
    return error_number == 0 ? Outcome::kCopied
                             : Fail(Operation::kCreate, error_number, true);
  }

  // 0 or an errno: EEXIST if there is something already.
  int CreateTarget() {
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
    kernel_->Do(StatDescriptor(target_, &target_stat_, AT_STATX_DONT_SYNC));
    return -result;
  }

  // Waits until `fd` is ready for `events`; false when the job was cancelled.
  bool Wait(int fd, short events) const {
    while (!cancelled_) {
      if (kernel_->Do(Poll(fd, events, kPollMilliseconds)) > 0) return true;
    }
    return false;
  }

  Outcome CopyContents() {
    if (policy_.reflink == Reflink::kAlways) {
      const int32_t cloned = kernel_->Do(Clone(source_, target_));
      if (cloned != 0) return Fail(Operation::kClone, -cloned, true);
    }
    std::vector<char> buffer(kBufferBytes);
    for (;;) {
      // Before the first writer has opened a pipe, reading it says that it ended; poll
      // knows better.
      if (!Wait(source_, POLLIN)) return Outcome::kCancelled;
      const int32_t size = kernel_->Do(ReadAt(FileRef::Descriptor(source_), buffer.data(),
                                              kBufferBytes, kCurrentPosition));
      if (size < 0) {
        if (size == -EINTR || size == -EAGAIN) continue;
        return Fail(Operation::kRead, -size, false);
      }
      if (!begun_) {
        // As openat() would have done with O_TRUNC. What can't be cloned to stays as it
        // is.
        const bool goes = is_regular_ && !created_ && policy_.reflink != Reflink::kAlways;
        const int error_number = goes ? EmptyOld() : 0;
        if (error_number != 0) return Fail(Operation::kCreate, error_number, true);
        begun_ = true;
      }
      if (size == 0) break;
      for (int32_t done = 0; done < size;) {
        const int32_t written =
            kernel_->Do(WriteAt(FileRef::Descriptor(target_), buffer.data() + done,
                                size - done, kCurrentPosition));
        if (written >= 0) {
          done += written;
          counters_->bytes_done.Add(written);
        } else if (written == -EAGAIN) {
          if (!Wait(target_, POLLOUT)) return Outcome::kCancelled;
        } else if (written != -EINTR) {
          return Fail(Operation::kWrite, -written, true);
        }
        if (cancelled_) return Outcome::kCancelled;
      }
    }
    complete_ = true;
    return Outcome::kCopied;
  }

  // Of a regular file: a terminal or a device that is written to keeps what it has.
  Outcome SetAttributes() {
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
    *failure_ = plan.failure();
    return Outcome::kFailed;
  }

  Kernel* const kernel_;
  const FileCopyPolicy& policy_;
  const FileCopyNames& names_;
  const std::atomic<bool>& cancelled_;
  EngineCounters* const counters_;
  CopyFailure* const failure_;
  OldTarget* const old_target_;
  TargetQuestion question_;
  struct statx existing_ = {};  // What was there.
  int target_error_ = 0;        // Why it could not be made, looked at or opened.
  int source_ = -1;
  int target_ = -1;
  struct statx source_stat_ = {};
  struct statx target_stat_ = {};  // As it was opened.
  mode_t mode_ = 0;                // The source's, without an ACL's mask.
  mode_t withheld_ = 0;            // Of the target's, at first.
  bool is_regular_ = false;        // The target.
  bool created_ = false;
  bool made_pointee_ = false;  // What the target, a link, led to was not there.
  bool begun_ = false;         // What was in the target is lost.
  bool complete_ = false;
  TargetClaims::Claim claim_;
};

}  // namespace

FileCopy::Outcome CopyStream(const FileCopyPolicy& policy, const FileCopyNames& names,
                             const std::atomic<bool>& cancelled, EngineCounters* counters,
                             CopyFailure* failure, OldTarget* old_target) {
  return Stream(policy, names, cancelled, counters, failure, old_target).Copy();
}

}  // namespace ringcp

#include "core/file/stream_copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <vector>

#include "absl/time/time.h"
#include "core/base/file_identity.h"
#include "core/file/file_acls.h"
#include "core/file/removal.h"
#include "core/file/target_claims.h"
#include "core/kernel/file_systems.h"
#include "core/kernel/standard_streams.h"

namespace ringcp {
namespace {

using Outcome = FileCopy::Outcome;

constexpr int kTargetFlags = O_WRONLY | O_NOCTTY | O_CLOEXEC;

// A pipe's usual capacity: more would not come at once.
constexpr size_t kBufferBytes = 64 * 1024;
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
      : policy_(policy),
        names_(names),
        cancelled_(cancelled),
        counters_(counters),
        failure_(failure),
        old_target_(old_target) {
    *old_target_ = OldTarget::kKept;
  }
  ~Stream() {
    if (source_ >= 0) close(source_);
    if (target_ >= 0) close(target_);
    if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
  }

  Outcome Copy() {
    if (cancelled_) return Outcome::kCancelled;
    // What will not be copied need not be readable.
    struct stat existing;
    if (policy_.no_clobber &&
        fstatat(names_.target_directory, names_.target, &existing, 0) == 0) {
      return Outcome::kSkipped;
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

  // Closes the target, which is complete then or, if it is a regular file, gone: removed
  // if this copy made it, else empty. What was in it was lost with the first byte
  // written.
  Outcome Finish(Outcome outcome) {
    // What is kept open is certainly the file that was written.
    const int kept = is_regular_ ? fcntl(target_, F_DUPFD_CLOEXEC, 0) : -1;
    if (!complete_) Empty(target_);
    // Also tells what could not be written out: on NFS and others only now.
    const int closed = close(target_);
    const int error_number = errno;
    target_ = -1;
    if (closed != 0 && outcome == Outcome::kCopied) {
      outcome = Fail(Operation::kClose, error_number, true);
      complete_ = false;
      if (kept >= 0) Empty(kept);
    }
    // Some file systems remove nothing that is open.
    if (kept >= 0) close(kept);
    if (!complete_ && created_) {
      RemoveIfSame(names_.target_directory, names_.target, IdentityOf(target_stat_));
    }
    return outcome;
  }

  // Nothing can be done where that fails, too: the failure of the copy is told.
  void Empty(int fd) const {
    if (!is_regular_ || !begun_) return;
    [[maybe_unused]] const int result = ftruncate(fd, 0);
  }

  Outcome OpenSource() {
    const int follow = names_.follow_source ? 0 : O_NOFOLLOW;
    source_ = openat(names_.source_directory, names_.source,
                     O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | follow);
    if (source_ < 0) return Fail(Operation::kOpen, errno, false);
    if (fstat(source_, &source_stat_) != 0) return Fail(Operation::kStat, errno, false);
    return Outcome::kCopied;
  }

  Outcome OpenTarget() {
    const int error_number = CreateTarget();
    if (error_number == 0) return Outcome::kCopied;
    if (error_number != EEXIST || names_.target_directory_created) {
      return Fail(Operation::kCreate, error_number, true);
    }
    struct stat existing;
    if (fstatat(names_.target_directory, names_.target, &existing, 0) != 0) {
      if (errno == ENOENT) {
        return policy_.writes_through_dangling_links ? MakePointee()
                                                     : Refuse(Refusal::kTargetDangling);
      }
      if (errno == ELOOP && policy_.force) {
        return ReplaceTarget(OldTarget::kRemovedAfterFailing);
      }
      return Fail(Operation::kStat, errno, true);
    }
    if (policy_.no_clobber) return Outcome::kSkipped;
    if (S_ISDIR(existing.st_mode)) return Refuse(Refusal::kTargetIsDirectory);
    if (IsClosedStream(existing)) return Refuse(Refusal::kTargetDangling);
    if (SameFile(existing, source_stat_)) return Refuse(Refusal::kSameFile);
    // Its other names must keep their contents.
    if (policy_.preserve.links && existing.st_nlink > 1) {
      return ReplaceTarget(OldTarget::kRemovedBeforehand);
    }
    const auto give_up = std::chrono::steady_clock::now() + kLeaseTimeMax;
    for (;;) {
      // What was in it stays until there is something to take its place.
      target_ = openat(names_.target_directory, names_.target, kTargetFlags | O_NONBLOCK);
      if (target_ >= 0) break;
      // A pipe that nobody reads yet, or a file on which somebody holds a lease: an NFS
      // server for one of its clients. Opening it has told the holder to give it up; the
      // kernel takes it away after /proc/sys/fs/lease-break-time seconds.
      if ((errno == ENXIO && S_ISFIFO(existing.st_mode)) ||
          (errno == EAGAIN && S_ISREG(existing.st_mode) &&
           std::chrono::steady_clock::now() < give_up)) {
        if (cancelled_) return Outcome::kCancelled;
        poll(nullptr, 0, kOpenPollMilliseconds);
        continue;
      }
      const int error_number = errno;
      if (ShouldTruncate(error_number, existing)) return TakeByTruncating(existing);
      if (policy_.force && RemovingMayHelp(error_number)) {
        return ReplaceTarget(OldTarget::kRemovedAfterFailing);
      }
      return Fail(Operation::kCreate, error_number, true);
    }
    return TakeOpened();
  }

  // Whether an existing target may take no other opening than one with O_TRUNC, as some
  // file systems in user space have it.
  bool ShouldTruncate(int error_number, const struct stat& existing) const {
    return S_ISREG(existing.st_mode) && policy_.reflink != Reflink::kAlways &&
           MayNeedTruncating(error_number) &&
           KindOfFileSystemAt(names_.target_directory, names_.target) ==
               FileSystemKind::kOther;
  }

  // Claims the existing target by its name, and empties it by opening it.
  Outcome TakeByTruncating(const struct stat& existing) {
    target_stat_ = existing;
    is_regular_ = true;
    if (const Outcome outcome = TakeTarget(FileSystemKind::kOther);
        outcome != Outcome::kCopied) {
      return outcome;
    }
    target_ = openat(names_.target_directory, names_.target,
                     kTargetFlags | O_NONBLOCK | O_TRUNC);
    if (target_ < 0) {
      const int error_number = errno;
      if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
      return policy_.force && RemovingMayHelp(error_number)
                 ? ReplaceTarget(OldTarget::kRemovedAfterFailing)
                 : Fail(Operation::kCreate, error_number, true);
    }
    begun_ = true;
    if (fstat(target_, &target_stat_) != 0) return Fail(Operation::kStat, errno, true);
    return Outcome::kCopied;
  }

  // Makes the file that a symbolic link to nowhere leads to.
  Outcome MakePointee() {
    target_ = openat(names_.target_directory, names_.target, kTargetFlags | O_CREAT,
                     policy_.NewMode(mode_) & ~withheld_);
    if (target_ < 0) return Fail(Operation::kCreate, errno, true);
    made_pointee_ = true;
    return TakeOpened();
  }

  Outcome TakeOpened() {
    if (fstat(target_, &target_stat_) != 0) return Fail(Operation::kStat, errno, true);
    if (SameFile(target_stat_, source_stat_)) return Refuse(Refusal::kSameFile);
    is_regular_ = S_ISREG(target_stat_.st_mode);
    return is_regular_ ? TakeTarget(KindOfFileSystem(target_)) : Outcome::kCopied;
  }

  // Empties the existing target, which is open and claimed. 0 or an errno.
  int EmptyOld() {
    if (ftruncate(target_, 0) == 0) return 0;
    const int error_number = errno;
    struct stat named;
    if (!MayNeedTruncating(error_number) ||
        KindOfFileSystem(target_) != FileSystemKind::kOther ||
        fstatat(names_.target_directory, names_.target, &named, 0) != 0 ||
        !SameFile(named, target_stat_)) {
      return error_number;
    }
    const int truncated = openat(names_.target_directory, names_.target,
                                 kTargetFlags | O_NONBLOCK | O_TRUNC);
    if (truncated < 0) return error_number;
    close(target_);
    target_ = truncated;
    return 0;
  }

  // Waits until no other copy writes to the existing target, which is target_stat_.
  Outcome TakeTarget(FileSystemKind file_system) {
    while (policy_.claims != nullptr &&
           !policy_.claims->TryTake({.device = target_stat_.st_dev,
                                     .inode = target_stat_.st_ino,
                                     .links = target_stat_.st_nlink,
                                     .file_system = file_system},
                                    names_.target_place(), /*announces=*/target_ < 0,
                                    &claim_)) {
      if (cancelled_) return Outcome::kCancelled;
      policy_.claims->AwaitRelease(absl::Milliseconds(kPollMilliseconds));
    }
    // A copy that failed may have removed it meanwhile.
    struct stat named;
    if (fstatat(names_.target_directory, names_.target, &named, 0) != 0 ||
        !SameFile(named, target_stat_)) {
      return Refuse(Refusal::kTargetReplaced);
    }
    return Outcome::kCopied;
  }

  // Makes a new file in the place of one that can't be opened (-f), or must be kept.
  Outcome ReplaceTarget(OldTarget what_becomes_of_it) {
    struct stat existing;
    int error_number =
        fstatat(names_.target_directory, names_.target, &existing, AT_SYMLINK_NOFOLLOW) ==
                0
            ? RemoveIfSame(names_.target_directory, names_.target, IdentityOf(existing))
            : errno;
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
    mode_ = source_stat_.st_mode & kAllModeBits;
    if (policy_.preserve.mode) mode_ = LookAtAccess(source_, mode_).mode;
    withheld_ = policy_.WithheldMode(mode_, names_.target_default_acl.has_value());
    if (policy_.claims != nullptr) {
      policy_.claims->AnnounceNew(names_.target_place(), &claim_);
    }
    target_ =
        openat(names_.target_directory, names_.target, kTargetFlags | O_CREAT | O_EXCL,
               policy_.NewMode(mode_) & ~withheld_);
    if (target_ < 0) {
      const int error_number = errno;
      if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
      return error_number;
    }
    created_ = true;
    is_regular_ = true;
    if (fstat(target_, &target_stat_) == 0) return 0;
    const int error_number = errno;
    NoteKnownIdentity();
    return error_number;
  }

  // Notes which file the target is, to be able to remove it, where a server does not tell
  // about it: what the kernel remembers of the open file has to do.
  void NoteKnownIdentity() {
    struct statx known;
    if (statx(target_, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &known) != 0) {
      return;
    }
    target_stat_.st_dev = makedev(known.stx_dev_major, known.stx_dev_minor);
    target_stat_.st_ino = known.stx_ino;
  }

  // Waits until `fd` is ready for `events`; false when the job was cancelled.
  bool Wait(int fd, short events) const {
    while (!cancelled_) {
      pollfd waiting = {.fd = fd, .events = events, .revents = 0};
      if (poll(&waiting, 1, kPollMilliseconds) > 0) return true;
    }
    return false;
  }

  Outcome CopyContents() {
    if (policy_.reflink == Reflink::kAlways && ioctl(target_, FICLONE, source_) != 0) {
      return Fail(Operation::kClone, errno, true);
    }
    std::vector<char> buffer(kBufferBytes);
    for (;;) {
      // Before the first writer has opened a pipe, reading it says that it ended; poll
      // knows better.
      if (!Wait(source_, POLLIN)) return Outcome::kCancelled;
      const ssize_t size = read(source_, buffer.data(), buffer.size());
      if (size < 0) {
        if (errno == EINTR || errno == EAGAIN) continue;
        return Fail(Operation::kRead, errno, false);
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
      for (ssize_t done = 0; done < size;) {
        const ssize_t written = write(target_, buffer.data() + done, size - done);
        if (written >= 0) {
          done += written;
          counters_->bytes_done.Add(written);
        } else if (errno == EAGAIN) {
          if (!Wait(target_, POLLOUT)) return Outcome::kCancelled;
        } else if (errno != EINTR) {
          return Fail(Operation::kWrite, errno, true);
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
    const timespec times[] = {source_stat_.st_atim, source_stat_.st_mtim};
    if (policy_.preserve.timestamps && futimens(target_, times) != 0) {
      return Fail(Operation::kSetTimes, errno, true);
    }
    mode_t mode = target_stat_.st_mode & kAllModeBits;
    if (policy_.preserve.ownership && (target_stat_.st_uid != source_stat_.st_uid ||
                                       target_stat_.st_gid != source_stat_.st_gid)) {
      // One that was there may be open to more people than its new owner wants.
      if (policy_.preserve.mode && !created_ &&
          fchmod(target_, mode & mode_ & kOwnerPermissions) == 0) {
        mode &= mode_ & kOwnerPermissions;
      }
      if (fchown(target_, source_stat_.st_uid, source_stat_.st_gid) != 0) {
        if (!policy_.MayFailToSetOwner(errno)) {
          return Fail(Operation::kSetOwner, errno, true);
        }
        // An attempt to keep the group at least.
        [[maybe_unused]] const int result =
            fchown(target_, static_cast<uid_t>(-1), source_stat_.st_gid);
        mode_ &= kPermissions;
      }
      mode &= ~kSetIdBits;  // A change of owner takes them away.
    }
    return SetMode(mode);
  }

  // `mode` is what the target has.
  Outcome SetMode(mode_t mode) {
    mode_t wanted = mode_;
    int error_number = 0;
    if (!policy_.preserve.mode) {
      const mode_t given_back =
          withheld_ & ~policy_.umask & names_.target_default_acl.value_or(kPermissions);
      wanted = created_ || made_pointee_ ? mode | given_back : mode;
    } else if (!created_ || names_.target_default_acl.has_value()) {
      error_number = ReplaceAcls(target_, wanted);
    }
    // Without the group's bits a list that is there still lets nobody in whom it names.
    if (error_number != 0) wanted &= ~mode_t{S_IRWXG};
    if (wanted != mode && fchmod(target_, wanted) != 0 && error_number == 0) {
      error_number = errno;
    }
    if (error_number != 0 && !policy_.MayFailToSetMode(error_number)) {
      return Fail(Operation::kSetMode, error_number, true);
    }
    return Outcome::kCopied;
  }

  const FileCopyPolicy& policy_;
  const FileCopyNames& names_;
  const std::atomic<bool>& cancelled_;
  EngineCounters* const counters_;
  CopyFailure* const failure_;
  OldTarget* const old_target_;
  int source_ = -1;
  int target_ = -1;
  struct stat source_stat_ = {};
  struct stat target_stat_ = {};  // As it was opened.
  mode_t mode_ = 0;               // The source's, without an ACL's mask.
  mode_t withheld_ = 0;           // Of the target's, at first.
  bool is_regular_ = false;       // The target.
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

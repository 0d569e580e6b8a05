#include "core/stream_copy.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace ringcp {
namespace {

using Outcome = FileCopy::Outcome;

constexpr int kTargetFlags = O_WRONLY | O_NOCTTY | O_CLOEXEC;

// A pipe's usual capacity: more would not come at once.
constexpr size_t kBufferBytes = 64 * 1024;
// How long a wait goes on before it looks whether the job was cancelled.
constexpr int kPollMilliseconds = 100;
// How long to wait before looking again whether somebody reads a pipe to be written to:
// there is nothing to poll for that.
constexpr int kReaderPollMilliseconds = 20;

class Stream {
 public:
  Stream(const FileCopyPolicy& policy, const FileCopyNames& names,
         const std::atomic<bool>& cancelled, EngineCounters* counters,
         CopyFailure* failure)
      : policy_(policy),
        names_(names),
        cancelled_(cancelled),
        counters_(counters),
        failure_(failure) {}
  ~Stream() {
    if (source_ >= 0) close(source_);
    if (target_ >= 0) close(target_);
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
    const int closed = target_ >= 0 ? close(target_) : 0;
    target_ = -1;
    if (outcome == Outcome::kCopied && closed != 0) {
      outcome = Fail(Operation::kClose, errno, true);
    }
    if (created_ && !complete_) unlinkat(names_.target_directory, names_.target, 0);
    return outcome;
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

  Outcome OpenSource() {
    const int follow = names_.follow_source ? 0 : O_NOFOLLOW;
    source_ = openat(names_.source_directory, names_.source,
                     O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | follow);
    if (source_ < 0) return Fail(Operation::kOpen, errno, false);
    if (fstat(source_, &source_stat_) != 0) return Fail(Operation::kStat, errno, false);
    return Outcome::kCopied;
  }

  Outcome OpenTarget() {
    if (CreateTarget()) return Outcome::kCopied;
    if (errno != EEXIST) return Fail(Operation::kCreate, errno, true);
    struct stat existing;
    if (fstatat(names_.target_directory, names_.target, &existing, 0) != 0) {
      if (errno == ENOENT) return Refuse(Refusal::kTargetDangling);
      return Fail(Operation::kStat, errno, true);
    }
    if (policy_.no_clobber) return Outcome::kSkipped;
    if (S_ISDIR(existing.st_mode)) return Refuse(Refusal::kTargetIsDirectory);
    if (SameFile(existing, source_stat_)) return Refuse(Refusal::kSameFile);
    for (;;) {
      // What can't be cloned to is to stay as it is.
      const int truncate = policy_.reflink == Reflink::kAlways ? 0 : O_TRUNC;
      target_ = openat(names_.target_directory, names_.target,
                       kTargetFlags | truncate | O_NONBLOCK);
      if (target_ >= 0) return Outcome::kCopied;
      // A pipe that nobody reads yet.
      if (errno == ENXIO && S_ISFIFO(existing.st_mode)) {
        if (cancelled_) return Outcome::kCancelled;
        poll(nullptr, 0, kReaderPollMilliseconds);
        continue;
      }
      if (!policy_.force) return Fail(Operation::kCreate, errno, true);
      if (unlinkat(names_.target_directory, names_.target, 0) != 0 && errno != ENOENT) {
        return Fail(Operation::kRemove, errno, true);
      }
      if (CreateTarget()) return Outcome::kCopied;
      return Fail(Operation::kCreate, errno, true);
    }
  }

  // False, with errno, if there is something already, or on another error.
  bool CreateTarget() {
    mode_t mode = policy_.NewMode(source_stat_.st_mode);
    if (policy_.preserve.ownership) mode &= kOwnerPermissions;
    target_ = openat(names_.target_directory, names_.target,
                     kTargetFlags | O_CREAT | O_EXCL, mode);
    created_ = target_ >= 0;
    return created_;
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

  Outcome SetAttributes() {
    if (!created_) return Outcome::kCopied;
    const timespec times[] = {source_stat_.st_atim, source_stat_.st_mtim};
    if (policy_.preserve.timestamps && futimens(target_, times) != 0) {
      return Fail(Operation::kSetTimes, errno, true);
    }
    mode_t mode = policy_.FinalMode(source_stat_.st_mode);
    if (policy_.preserve.ownership &&
        fchown(target_, source_stat_.st_uid, source_stat_.st_gid) != 0) {
      if (!policy_.MayFailToSetOwner(errno)) {
        return Fail(Operation::kSetOwner, errno, true);
      }
      mode &= kPermissions;
    }
    if ((policy_.preserve.mode || policy_.preserve.ownership) &&
        fchmod(target_, mode) != 0) {
      return Fail(Operation::kSetMode, errno, true);
    }
    return Outcome::kCopied;
  }

  const FileCopyPolicy& policy_;
  const FileCopyNames& names_;
  const std::atomic<bool>& cancelled_;
  EngineCounters* const counters_;
  CopyFailure* const failure_;
  int source_ = -1;
  int target_ = -1;
  struct stat source_stat_ = {};
  bool created_ = false;
  bool complete_ = false;
};

}  // namespace

FileCopy::Outcome CopyStream(const FileCopyPolicy& policy, const FileCopyNames& names,
                             const std::atomic<bool>& cancelled, EngineCounters* counters,
                             CopyFailure* failure) {
  return Stream(policy, names, cancelled, counters, failure).Copy();
}

}  // namespace ringcp

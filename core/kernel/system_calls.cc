#include "core/kernel/system_calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "core/kernel/path_descriptor.h"
#include "core/kernel/preloaded_libraries.h"
#include "core/kernel/security_labels.h"

namespace ringcp {
namespace {

int32_t ResultOf(ssize_t value) {
  return value >= 0 ? static_cast<int32_t>(value) : -errno;
}

int32_t RenameNames(const Op& op) {
  const auto& names = op.two_names;
  // Preloaded libraries know this older call. fakeroot has to see it, because it may take
  // a file's last name away, and the file's number is another one's soon.
  if (names.flags == 0) {
    return ResultOf(
        renameat(names.old_directory, names.old_name, names.directory, names.name));
  }
  return ResultOf(renameat2(names.old_directory, names.old_name, names.directory,
                            names.name, static_cast<unsigned>(names.flags)));
}

absl::Duration ReadClock(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return absl::DurationFromTimespec(time);
}

int32_t SeekTo(const Op& op, int whence) {
  const off_t position =
      lseek(op.file.descriptor(), static_cast<off_t>(op.seek.offset), whence);
  if (position < 0) return -errno;
  *op.seek.position = position;
  return 0;
}

int32_t SetOrTellPosition(const Op& op) {
  const bool is_told = op.seek.offset == kCurrentPosition;
  const off_t position =
      lseek(op.file.descriptor(), is_told ? 0 : static_cast<off_t>(op.seek.offset),
            is_told ? SEEK_CUR : SEEK_SET);
  if (position < 0) return -errno;
  *op.seek.position = position;
  return 0;
}

// cachestat(2) (Linux 6.5), which Debian 12's C library does not know yet; its number and
// the two structures are ABI.
int32_t CountCachedBytes(const Op& op) {
  constexpr long kCachestat = 451;  // NOLINT(google-runtime-int): like syscall(2).
  struct {
    uint64_t offset, length;
  } range = {.offset = op.seek.offset, .length = op.seek.length};
  struct {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
  } pages = {};
  if (syscall(kCachestat, op.file.descriptor(), &range, &pages, 0) != 0) return -errno;
  *op.seek.position = pages.cached * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return 0;
}

int32_t ReadOrWrite(const Op& op) {
  const int fd = op.file.descriptor();
  const auto& io = op.io;
  const bool reads = op.kind == OpKind::kRead;
  if (io.flags != 0) {
    const iovec buffer = {.iov_base = io.buffer, .iov_len = io.length};
    const auto offset = static_cast<off_t>(io.offset);  // -1: the current position.
    return ResultOf(reads ? preadv2(fd, &buffer, 1, offset, io.flags)
                          : pwritev2(fd, &buffer, 1, offset, io.flags));
  }
  if (io.offset == kCurrentPosition) {
    return ResultOf(reads ? read(fd, io.buffer, io.length)
                          : write(fd, io.buffer, io.length));
  }
  return ResultOf(reads ? pread(fd, io.buffer, io.length, io.offset)
                        : pwrite(fd, io.buffer, io.length, io.offset));
}

int32_t CopyRangeOf(const Op& op) {
  auto source_offset = static_cast<off64_t>(op.range.offset);
  off64_t target_offset = source_offset;
  return ResultOf(copy_file_range(op.range.source, &source_offset, op.file.descriptor(),
                                  &target_offset, op.range.length, /*flags=*/0));
}

int32_t SetDirectOf(int fd, bool on) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  return ResultOf(fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT));
}

int32_t SetDirectOfBoth(const Op& op) {
  const bool on = op.pair.on;
  const int32_t result = SetDirectOf(op.pair.source, on);
  if (result < 0 || op.file == FileRef()) return result;
  const int32_t target_result = SetDirectOf(op.file.descriptor(), on);
  if (target_result < 0 && on) SetDirectOf(op.pair.source, false);
  return target_result;
}

// If the file is -1, poll(2) only waits.
int32_t WaitUntilReady(const Op& op) {
  pollfd waiting = {.fd = op.file.descriptor(), .events = op.poll.events, .revents = 0};
  return ResultOf(poll(&waiting, 1, op.poll.milliseconds_max));
}

int32_t TellFileSystem(const Op& op) {
  struct statfs stat;
  if (fstatfs(op.file.descriptor(), &stat) != 0) return -errno;
  // f_type is signed, and its size depends on the architecture.
  *op.statfs.result = {.magic = static_cast<unsigned>(stat.f_type),
                       .is_read_only = (stat.f_flags & ST_RDONLY) != 0,
                       .id = static_cast<uint32_t>(stat.f_fsid.__val[0])};
  return 0;
}

int32_t MakeNodeByCall(const Op& op) {
  const auto& node = op.name;
  if (LibrariesArePreloaded()) {
    // fakeroot's mknodat() takes what has the name already for its node, and empties it.
    struct stat existing;
    if (fstatat(node.directory, node.name, &existing, AT_SYMLINK_NOFOLLOW) == 0) {
      return -EEXIST;
    }
    if (errno != ENOENT) return -errno;
  }
  return ResultOf(mknodat(node.directory, node.name, node.mode, node.device));
}

}  // namespace

int32_t RunWithSystemCall(const Op& op) {
  const int fd = op.file.descriptor();
  if (MakesNewFile(op)) {
    if (const int32_t result = TakeLabelOfNext(); result != 0) return result;
  }
  switch (op.kind) {
    case OpKind::kOpenAt:
      return ResultOf(openat(op.open.directory, op.open.name, op.open.flags | O_CLOEXEC,
                             op.open.mode));
    case OpKind::kStatx:
      return ResultOf(statx(op.stat.directory, op.stat.name, op.stat.flags, kStatMask,
                            op.stat.result));
    case OpKind::kUnlinkAt:
      return ResultOf(unlinkat(op.name.directory, op.name.name, op.name.flags));
    case OpKind::kMakeDirectory:
      return ResultOf(mkdirat(op.name.directory, op.name.name, op.name.mode));
    case OpKind::kMakeNode:
      return MakeNodeByCall(op);
    case OpKind::kMakeSymlink:
      return ResultOf(symlinkat(op.symlink.text, op.symlink.directory, op.symlink.name));
    case OpKind::kMakeLink:
      return ResultOf(linkat(op.two_names.old_directory, op.two_names.old_name,
                             op.two_names.directory, op.two_names.name,
                             op.two_names.flags));
    case OpKind::kRename:
      return RenameNames(op);
    case OpKind::kRead:
    case OpKind::kWrite:
      return ReadOrWrite(op);
    case OpKind::kReadLink:
      return ResultOf(readlinkat(fd, "", static_cast<char*>(op.io.buffer), op.io.length));
    case OpKind::kReadDirectory:
      return ResultOf(getdents64(fd, op.io.buffer, op.io.length));
    case OpKind::kPreallocate:
      return ResultOf(
          fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(op.size.bytes)));
    case OpKind::kFtruncate:
      return ResultOf(ftruncate(fd, static_cast<off_t>(op.size.bytes)));
    case OpKind::kSeekData:
      return SeekTo(op, SEEK_DATA);
    case OpKind::kSeekHole:
      return SeekTo(op, SEEK_HOLE);
    case OpKind::kSeek:
      return SetOrTellPosition(op);
    case OpKind::kCountCached:
      return CountCachedBytes(op);
    case OpKind::kClone:
      return ResultOf(ioctl(fd, FICLONE, op.pair.source));
    case OpKind::kCopyRange:
      return CopyRangeOf(op);
    case OpKind::kWriteBack:
      return ResultOf(sync_file_range(fd, 0, 0, kWriteBackFlags));
    case OpKind::kDropCached:
      return -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    case OpKind::kPoll:
      return WaitUntilReady(op);
    case OpKind::kClose:
      return ResultOf(close(fd));
    case OpKind::kRefusePipe:
      return -posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL);
    case OpKind::kSetDirect:
      return SetDirectOfBoth(op);
    case OpKind::kFileSystem:
      return TellFileSystem(op);
    case OpKind::kSetTimes:
      return ChangeTimes(fd, op.times.values.data());
    case OpKind::kSetOwner:
      return ChangeOwner(fd, op.owner.user, op.owner.group);
    case OpKind::kSetMode:
      return ChangeMode(fd, op.mode.value);
    case OpKind::kGetXattr:
      return ReadXattr(fd, op.xattr.name, op.xattr.value, op.xattr.size);
    case OpKind::kListXattrs:
      return ReadXattrNames(fd, op.xattr.value, op.xattr.size);
    case OpKind::kSetXattr:
      return WriteXattr(fd, op.xattr.name, op.xattr.value, op.xattr.size);
    case OpKind::kRemoveXattr:
      return TakeXattrAway(fd, op.xattr.name);
    case OpKind::kLabelNext:
      return op.label.text != nullptr
                 ? LabelNextAs(op.label.text)
                 : LabelNextByDefault(op.label.directory, op.label.name, op.label.mode);
    case OpKind::kSetDefaultLabel:
      return GiveDefaultLabel(fd, op.label.mode);
    case OpKind::kInstallDescriptor:
      break;
  }
  return -EOPNOTSUPP;
}

int32_t RealKernel::Do(const Op& op) { return RunTimed(op); }

SteadyTime RealKernel::Now() const { return std::chrono::steady_clock::now(); }

uint64_t RealKernel::Random() {
  uint64_t bits = 0;
  // Can't fail or return fewer bytes, because these are so few and the system has booted.
  [[maybe_unused]] const ssize_t got = getrandom(&bits, sizeof(bits), 0);
  return bits;
}

Submitted RealKernel::Submit(ChainId id, absl::Span<const Op> chain,
                             ChainResults* results) {
  if (IsImmediate(chain[0])) {
    *results = RunAtOnce(id, chain);
    return Submitted::kCarriedOut;
  }
  return Queue(id, chain) ? Submitted::kQueued : Submitted::kNoRoom;
}

Submitted RealKernel::SubmitTask(ChainId /*id*/, Task* task) {
  task->Run(this);
  return Submitted::kCarriedOut;
}

absl::Duration RealKernel::CpuTime() const { return ReadClock(CLOCK_PROCESS_CPUTIME_ID); }

absl::Duration RealKernel::ThreadCpuTime() const {
  return ReadClock(CLOCK_THREAD_CPUTIME_ID);
}

void RealKernel::Await(absl::Duration timeout, std::vector<ChainResults>* settled) {
  // Without a system call, because a worker that does everything at once comes here again
  // and again.
  if (timeout <= absl::ZeroDuration() && polls_.size() == 0) {
    wake_up_.Take();
    return;
  }
  polls_.Await(&wake_up_, Now() + absl::ToChronoNanoseconds(timeout), settled);
}

ThreadWaits RealKernel::Waits() const {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return {.waits = usage.ru_nvcsw, .blocks_read = usage.ru_inblock};
}

bool LetsGoOn(const Op& op, int32_t result) {
  if (op.tie == Tie::kHard) return true;
  if (result < 0) return false;
  if (op.kind == OpKind::kRead || op.kind == OpKind::kWrite) {
    return static_cast<uint32_t>(result) == op.io.length;
  }
  return true;
}

}  // namespace ringcp

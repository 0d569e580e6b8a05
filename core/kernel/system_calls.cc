#include "core/kernel/system_calls.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

namespace ringcp {
namespace {

int32_t ResultOf(ssize_t value) {
  return value >= 0 ? static_cast<int32_t>(value) : -errno;
}

int32_t Seek(const Op& op, int whence) {
  const off_t position = lseek(op.file.index, static_cast<off_t>(op.offset), whence);
  if (position < 0) return -errno;
  *op.position = position;
  return 0;
}

// cachestat(2), which Debian 12's C library does not know yet: its number and the two
// structures are ABI, from Linux 6.5 on.
int32_t CountCachedBytes(const Op& op) {
  constexpr long kCachestat = 451;  // NOLINT(google-runtime-int): as syscall(2) has it.
  struct {
    uint64_t offset, length;
  } range = {.offset = op.offset, .length = op.length};
  struct {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
  } pages = {};
  if (syscall(kCachestat, op.file.index, &range, &pages, 0) != 0) return -errno;
  *op.position = pages.cached * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return 0;
}

int32_t ReadOrWrite(const Op& op) {
  const int fd = op.file.index;
  const bool reads = op.kind == OpKind::kRead;
  if (op.flags != 0) {
    const iovec buffer = {.iov_base = op.buffer, .iov_len = op.length};
    const auto offset = static_cast<off_t>(op.offset);  // -1: the current position.
    return ResultOf(reads ? preadv2(fd, &buffer, 1, offset, op.flags)
                          : pwritev2(fd, &buffer, 1, offset, op.flags));
  }
  if (op.offset == kCurrentPosition) {
    return ResultOf(reads ? read(fd, op.buffer, op.length)
                          : write(fd, op.buffer, op.length));
  }
  return ResultOf(reads ? pread(fd, op.buffer, op.length, op.offset)
                        : pwrite(fd, op.buffer, op.length, op.offset));
}

int32_t SetDirectOf(int fd, bool on) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  return ResultOf(fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT));
}

int32_t SetDirectOfBoth(const Op& op) {
  const bool on = op.flags != 0;
  const int32_t result = SetDirectOf(op.directory, on);
  if (result < 0 || op.file == FileRef()) return result;
  const int32_t target_result = SetDirectOf(op.file.index, on);
  if (target_result < 0 && on) SetDirectOf(op.directory, false);
  return target_result;
}

}  // namespace

int32_t RunWithSystemCall(const Op& op) {
  const int fd = op.file.index;
  switch (op.kind) {
    case OpKind::kOpenAt:
      return ResultOf(openat(op.directory, op.path, op.flags | O_CLOEXEC, op.mode));
    case OpKind::kStatx:
      return ResultOf(statx(op.directory, op.path, op.flags,
                            STATX_BASIC_STATS | STATX_BTIME, op.stat));
    case OpKind::kRead:
    case OpKind::kWrite:
      return ReadOrWrite(op);
    case OpKind::kPreallocate:
      return ResultOf(
          fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(op.offset)));
    case OpKind::kWriteBack:
      return ResultOf(sync_file_range(fd, 0, 0, kWriteBackFlags));
    case OpKind::kDropCached:
      return -posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    case OpKind::kRefusePipe:
      return -posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL);
    case OpKind::kSetDirect:
      return SetDirectOfBoth(op);
    case OpKind::kClose:
      return ResultOf(close(fd));
    case OpKind::kUnlinkAt:
      return ResultOf(unlinkat(op.directory, op.path, op.flags));
    case OpKind::kSeekData:
      return Seek(op, SEEK_DATA);
    case OpKind::kSeekHole:
      return Seek(op, SEEK_HOLE);
    case OpKind::kCountCached:
      return CountCachedBytes(op);
    case OpKind::kClone:
      return ResultOf(ioctl(fd, FICLONE, op.directory));
    case OpKind::kFtruncate:
      return ResultOf(ftruncate(fd, static_cast<off_t>(op.offset)));
    case OpKind::kFutimens:
      return ResultOf(futimens(fd, op.times.data()));
    case OpKind::kFchown:
      return ResultOf(fchown(fd, op.uid, op.gid));
    case OpKind::kFchmod:
      return ResultOf(fchmod(fd, op.mode));
    case OpKind::kGetXattr:
      return ResultOf(fgetxattr(fd, op.path, op.buffer, op.length));
    case OpKind::kSetXattr:
      return ResultOf(fsetxattr(fd, op.path, op.buffer, op.length, /*flags=*/0));
    case OpKind::kInstallDescriptor:
      break;
  }
  return -EOPNOTSUPP;
}

bool LetsGoOn(const Op& op, int32_t result) {
  if (op.link == Link::kHard) return true;
  if (result < 0) return false;
  if (op.kind == OpKind::kRead || op.kind == OpKind::kWrite) {
    return static_cast<uint32_t>(result) == op.length;
  }
  return true;
}

}  // namespace ringcp

#include "tests/simulation/sim_calls.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "tests/simulation/sim_copies.h"
#include "tests/simulation/sim_file.h"
#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_inode.h"
#include "tests/simulation/sim_read_directory.h"

namespace ringcp {
namespace {

constexpr int kDontCache = 0x80;  // RWF_DONTCACHE, which Debian 12's headers lack.
constexpr size_t kPipeBytes = 65536;
constexpr uint64_t kOffsetMax = INT64_MAX;
constexpr int kStatFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH |
                           AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC;

// Where a path begins; null for a directory that is not open, which fails only when the
// path is looked up.
InodePtr StartOf(SimProcess* process, int directory, const char* name) {
  return *name == '/' ? process->files()->root() : process->Start(directory);
}

// The inode number that a stat reports for what was reached by `path`.
uint64_t ToldNumber(SimFileSystem* files, const SimInode& inode,
                    const std::string& path) {
  constexpr uint64_t kMadeUp = uint64_t{1} << 32;
  const SimMountTraits& traits = inode.mount->traits;
  if (traits.inodes_change) return kMadeUp + files->NextLook();
  if (traits.names_have_inodes) return kMadeUp + std::hash<std::string>()(path) % kMadeUp;
  return traits.copies_up && inode.is_copied_up ? kMadeUp + inode.number : inode.number;
}

int32_t StatCall(SimProcess* process, const Op& op) {
  SimFileSystem* const files = process->files();
  const std::string_view name = op.stat.name;
  std::string path;
  if ((op.stat.flags & ~kStatFlags) != 0) return -EINVAL;
  const InodePtr start = StartOf(process, op.stat.directory, op.stat.name);
  InodePtr found = start;
  if (!name.empty() || (op.stat.flags & AT_EMPTY_PATH) == 0) {
    const bool follow = (op.stat.flags & AT_SYMLINK_NOFOLLOW) == 0;
    SimFileSystem::Place place;
    const int32_t result = files->Find(start, name, follow, &found, &place);
    if (result != 0) return result;
    if (found->mount->traits.names_have_inodes) {
      path = files->PathOf(place.directory, place.name);
    }
  } else if (const OpenFilePtr file = process->Get(op.stat.directory)) {
    path = file->path;
  }
  if (found == nullptr) return -EBADF;
  TellStat(*found, ToldNumber(files, *found, path), op.stat.result);
  return 0;
}

int32_t NameCall(SimProcess* process, const Op& op) {
  SimFileSystem* const files = process->files();
  const InodePtr start = StartOf(process, op.name.directory, op.name.name);
  switch (op.kind) {
    case OpKind::kMakeDirectory:
      return files->MakeDirectory(start, op.name.name, op.name.mode);
    case OpKind::kMakeNode:
      return files->MakeNode(start, op.name.name, op.name.mode, op.name.device);
    default:
      return (op.name.flags & AT_REMOVEDIR) != 0
                 ? files->RemoveDirectory(start, op.name.name)
                 : files->Unlink(start, op.name.name);
  }
}

int32_t TwoNamesCall(SimProcess* process, const Op& op) {
  const auto& names = op.two_names;
  const InodePtr old_start = StartOf(process, names.old_directory, names.old_name);
  const InodePtr start = StartOf(process, names.directory, names.name);
  return op.kind == OpKind::kRename
             ? process->files()->Rename(old_start, names.old_name, start, names.name,
                                        /*replaces=*/names.flags == 0)
             : process->files()->MakeLink(old_start, names.old_name, start, names.name,
                                          names.flags == AT_SYMLINK_FOLLOW);
}

int32_t PipeCall(SimFileSystem* files, const Op& op, SimInode* pipe) {
  char* const buffer = static_cast<char*>(op.io.buffer);
  if (op.io.length == 0) return 0;
  if (op.kind == OpKind::kRead) {
    if (pipe->pipe.empty()) return pipe->writers > 0 ? -EAGAIN : 0;
    const size_t size = std::min<size_t>(op.io.length, pipe->pipe.size());
    pipe->pipe.copy(buffer, size);
    pipe->pipe.erase(0, size);
    return static_cast<int32_t>(size);
  }
  if (pipe->readers == 0) return -EPIPE;
  const size_t size = std::min<size_t>(op.io.length, kPipeBytes - pipe->pipe.size());
  if (size == 0) return -EAGAIN;
  pipe->pipe.append(buffer, size);
  pipe->modification = pipe->change = files->now();
  files->Note(SimEffect::Kind::kWritten, *pipe);
  return static_cast<int32_t>(size);
}

// Checks a write on a file system that requires writes in order. Returns 0 or what the
// write fails with.
int32_t CheckOrder(uint64_t offset, uint32_t length, SimOpenFile* file) {
  if (!file->inode->mount->traits.takes_writes_in_order) return 0;
  if (file->has_lost_order) return -EIO;
  file->has_lost_order = offset != file->written_up_to;
  file->written_up_to += length;
  return file->has_lost_order ? -EINVAL : 0;
}

bool IsAligned(const Op& op, const SimOpenFile& file) {
  const uint32_t alignment = file.inode->mount->traits.direct_alignment;
  if ((file.flags & O_DIRECT) == 0 || alignment <= 1) return true;
  return op.io.offset % alignment == 0 && op.io.length % alignment == 0;
}

int32_t ReadOrWriteCall(SimProcess* process, const Op& op, SimOpenFile* file,
                        bool is_queued) {
  const bool reads = op.kind == OpKind::kRead;
  SimInode* const inode = file->inode.get();
  const bool is_positioned = op.io.offset != kCurrentPosition;
  // A ring ignores the offset.
  const bool is_pipe = S_ISFIFO(inode->mode);
  if (is_pipe && is_positioned && !is_queued && !file->is_path()) return -ESPIPE;
  if (reads ? !file->can_read() : !file->can_write()) return -EBADF;
  if (is_pipe) return PipeCall(process->files(), op, inode);
  if (inode->is_directory()) return -EISDIR;
  if ((op.io.flags & ~(RWF_NOWAIT | RWF_HIPRI | kDontCache)) != 0) return -EOPNOTSUPP;
  if ((op.io.flags & kDontCache) != 0 && !inode->mount->traits.takes_uncached) {
    return -EOPNOTSUPP;
  }
  if (!IsAligned(op, *file)) return -EINVAL;
  uint64_t offset = is_positioned ? op.io.offset : file->position;
  if (!reads && (file->flags & O_APPEND) != 0) offset = inode->contents.size();
  int32_t result = 0;
  char* const buffer = static_cast<char*>(op.io.buffer);
  const auto& told = inode->mount->traits.size_told_max;
  if (reads && !(is_queued && told.has_value() && offset >= *told)) {
    result = ReadContents(process->files(), inode, offset, op.io.length, buffer);
  } else if (!reads) {
    result = CheckOrder(offset, op.io.length, file);
    if (result < 0) return result;
    result = WriteContents(process->files(), inode, offset, {buffer, op.io.length});
  }
  if (!is_positioned && result > 0) file->position = offset + result;
  return result;
}

int32_t SeekCall(const Op& op, SimOpenFile* file) {
  const SimInode& inode = *file->inode;
  if (file->is_path()) return -EBADF;
  if (S_ISFIFO(inode.mode)) return -ESPIPE;
  const bool is_told = op.seek.offset == kCurrentPosition;
  switch (op.kind) {
    case OpKind::kSeek:
      if (!is_told && op.seek.offset > kOffsetMax) return -EINVAL;
      if (!is_told) file->position = op.seek.offset;
      *op.seek.position = file->position;
      return 0;
    case OpKind::kCountCached: {
      const uint64_t page = SparseBytes::kPageBytes;
      const uint64_t end = op.seek.offset + op.seek.length;
      uint64_t bytes = 0;
      if (!inode.mount->traits.caches) {
        *op.seek.position = 0;
        return 0;
      }
      for (uint64_t at = op.seek.offset / page * page;
           at < end && at < inode.contents.size(); at += page) {
        if (inode.contents.NextData(at) == at) bytes += page;
      }
      *op.seek.position = bytes;
      return 0;
    }
    default:
      break;
  }
  if (!inode.is_regular()) return -EINVAL;
  const int32_t result = op.kind == OpKind::kSeekData
                             ? FindData(inode, op.seek.offset, op.seek.position)
                             : FindHole(inode, op.seek.offset, op.seek.position);
  if (result == 0) file->position = *op.seek.position;
  return result;
}

int32_t SetDirectOf(SimOpenFile* file, bool on) {
  if (file == nullptr || file->is_path()) return -EBADF;
  const bool can =
      S_ISFIFO(file->inode->mode) ||
      (file->inode->is_regular() && file->inode->mount->traits.direct_alignment != 0);
  if (on && !can) return -EINVAL;
  file->flags = on ? file->flags | O_DIRECT : file->flags & ~O_DIRECT;
  return 0;
}

int32_t SetDirectCall(SimProcess* process, const Op& op, SimOpenFile* target) {
  const OpenFilePtr source = process->Get(op.pair.source);
  const int32_t result = SetDirectOf(source.get(), op.pair.on);
  if (result < 0 || op.file == FileRef()) return result;
  const int32_t target_result = SetDirectOf(target, op.pair.on);
  if (target_result < 0 && op.pair.on) SetDirectOf(source.get(), false);
  return target_result;
}

int32_t PollCall(const Op& op, const OpenFilePtr& file) {
  if (op.file.descriptor() < 0) return 0;            // Without a file poll(2) only waits.
  if (file == nullptr || file->is_path()) return 1;  // POLLNVAL.
  const SimInode& inode = *file->inode;
  if (!S_ISFIFO(inode.mode)) return 1;
  // A pipe without writers is at its end only if it had one before.
  const bool is_ended = inode.writers == 0 && file->writers_seen != inode.writers_ever;
  if (file->can_read()) {
    if (is_ended || ((op.poll.events & POLLIN) != 0 && !inode.pipe.empty())) return 1;
  }
  if (file->can_write()) {
    const bool has_room = inode.pipe.size() < kPipeBytes;
    if (inode.readers == 0 || ((op.poll.events & POLLOUT) != 0 && has_room)) return 1;
  }
  return 0;
}

int32_t SizeCall(SimProcess* process, const Op& op, const SimOpenFile& file) {
  SimInode* const inode = file.inode.get();
  if (file.is_path()) return -EBADF;
  if (op.kind == OpKind::kFtruncate) {
    if (!inode->is_regular() || !file.can_write() || op.size.bytes > kOffsetMax) {
      return -EINVAL;
    }
    return SetContentsSize(process->files(), inode, op.size.bytes);
  }
  if (op.size.bytes == 0 || op.size.bytes > kOffsetMax) return -EINVAL;
  if (!file.can_write()) return -EBADF;
  if (S_ISFIFO(inode->mode)) return -ESPIPE;
  return SetRoomAside(process->files(), inode, op.size.bytes);
}

int32_t XattrCall(SimProcess* process, const Op& op, SimInode* inode) {
  const std::string_view name = op.kind == OpKind::kListXattrs ? "" : op.xattr.name;
  std::string value;
  int32_t result = 0;
  switch (op.kind) {
    case OpKind::kSetXattr:
      return SetXattrOf(process->files(), inode, name,
                        {static_cast<const char*>(op.xattr.value), op.xattr.size});
    case OpKind::kRemoveXattr:
      return RemoveXattrOf(process->files(), inode, name);
    case OpKind::kListXattrs:
      result = ListXattrsOf(*inode, &value);
      break;
    default:
      result = GetXattrOf(*inode, name, &value);
  }
  if (result <= 0 || op.xattr.size == 0) return result;
  if (value.size() > op.xattr.size) return -ERANGE;
  std::memcpy(op.xattr.value, value.data(), value.size());
  return result;
}

int32_t ReadLinkCall(const Op& op, const SimInode& inode) {
  if (!inode.is_link()) return -ENOENT;
  const size_t size = std::min<size_t>(op.io.length, inode.text.size());
  inode.text.copy(static_cast<char*>(op.io.buffer), size);
  return static_cast<int32_t>(size);
}

// Carries out an op on the open file `file`.
int32_t FileCall(SimProcess* process, const Op& op, const OpenFilePtr& file,
                 bool is_queued) {
  SimInode* const inode = file->inode.get();
  const bool is_file =
      inode->is_regular() || inode->is_directory() || S_ISBLK(inode->mode);
  switch (op.kind) {
    case OpKind::kRead:
    case OpKind::kWrite:
      return ReadOrWriteCall(process, op, file.get(), is_queued);
    case OpKind::kReadLink:
      return ReadLinkCall(op, *inode);
    case OpKind::kReadDirectory:
      return file->is_path()
                 ? -EBADF
                 : ReadSimDirectory(*process->files(), op.io.length, file.get(),
                                    static_cast<char*>(op.io.buffer));
    case OpKind::kPreallocate:
    case OpKind::kFtruncate:
      return SizeCall(process, op, *file);
    case OpKind::kSeekData:
    case OpKind::kSeekHole:
    case OpKind::kSeek:
    case OpKind::kCountCached:
      return SeekCall(op, file.get());
    case OpKind::kClone:
      return CloneSimulated(process, op, *file);
    case OpKind::kCopyRange:
      return CopyRangeSimulated(process, op, *file);
    case OpKind::kWriteBack:
      if (file->is_path()) return -EBADF;
      // The error stays for the close to report.
      return is_file ? -inode->error_at_close : -ESPIPE;
    case OpKind::kDropCached:
    case OpKind::kRefusePipe:
      if (file->is_path()) return -EBADF;
      return S_ISFIFO(inode->mode) ? -ESPIPE : 0;
    case OpKind::kFileSystem:
      *op.statfs.result = {.magic = inode->mount->traits.magic,
                           .id = inode->mount->device_minor + 1};
      return 0;
    case OpKind::kSetTimes:
      return SetTimesOf(process->files(), inode, op.times.values);
    case OpKind::kSetOwner:
      return SetOwnerOf(process->files(), inode, op.owner.user, op.owner.group);
    case OpKind::kSetMode:
      return SetModeOf(process->files(), inode, op.mode.value);
    case OpKind::kGetXattr:
    case OpKind::kListXattrs:
    case OpKind::kSetXattr:
    case OpKind::kRemoveXattr:
      return XattrCall(process, op, inode);
    default:
      return -EOPNOTSUPP;
  }
}

}  // namespace

int32_t CallSimulated(SimProcess* process, const Op& op, const OpenFilePtr& file,
                      bool is_queued) {
  switch (op.kind) {
    case OpKind::kStatx:
      return StatCall(process, op);
    case OpKind::kUnlinkAt:
    case OpKind::kMakeDirectory:
    case OpKind::kMakeNode:
      return NameCall(process, op);
    case OpKind::kMakeSymlink:
      return process->files()->MakeSymlink(
          op.symlink.text, StartOf(process, op.symlink.directory, op.symlink.name),
          op.symlink.name);
    case OpKind::kMakeLink:
    case OpKind::kRename:
      return TwoNamesCall(process, op);
    case OpKind::kPoll:
      return PollCall(op, file);
    case OpKind::kSetDirect:
      return SetDirectCall(process, op, file.get());
    case OpKind::kFtruncate:
      if (op.size.bytes > kOffsetMax) return -EINVAL;
      return file == nullptr ? -EBADF : FileCall(process, op, file, is_queued);
    case OpKind::kReadLink:
      if (op.io.length == 0) return -EINVAL;
      return file == nullptr ? -EBADF : FileCall(process, op, file, is_queued);
    // Linux checks some arguments before the file.
    case OpKind::kGetXattr:
    case OpKind::kSetXattr:
    case OpKind::kRemoveXattr:
      if (*op.xattr.name == '\0') return -ERANGE;
      return file == nullptr ? -EBADF : FileCall(process, op, file, is_queued);
    case OpKind::kRead:
    case OpKind::kWrite:
      if (op.io.offset != kCurrentPosition && op.io.offset > kOffsetMax) return -EINVAL;
      [[fallthrough]];
    default:
      return file == nullptr ? -EBADF : FileCall(process, op, file, is_queued);
  }
}

}  // namespace ringcp

#include "core/kernel/op.h"

#include "core/base/check.h"

namespace ringcp {
namespace {

// An op that takes nothing but its file.
Op OpOn(FileRef file, OpKind kind) {
  Op op;
  op.kind = kind;
  op.file = file;
  return op;
}

Op OpOn(int fd, OpKind kind) { return OpOn(FileRef::Descriptor(fd), kind); }

Op Named(OpKind kind, int directory, const char* name, int flags, mode_t mode,
         dev_t device) {
  Op op = OpOn(FileRef(), kind);
  op.name = {directory, name, flags, mode, device};
  return op;
}

Op WithTwoNames(OpKind kind, int old_directory, const char* old_name, int directory,
                const char* name, int flags) {
  Op op = OpOn(FileRef(), kind);
  op.two_names = {old_directory, old_name, directory, name, flags};
  return op;
}

Op WithBuffer(OpKind kind, FileRef file, void* buffer, uint32_t length, uint64_t offset) {
  Op op = OpOn(file, kind);
  op.io = {
      .buffer = buffer, .offset = offset, .length = length, .flags = 0, .polled = false};
  return op;
}

Op Seeking(OpKind kind, FileRef file, uint64_t offset, uint64_t* position,
           uint32_t length = 0) {
  Op op = OpOn(file, kind);
  op.seek = {.offset = offset, .position = position, .length = length};
  return op;
}

// kSetXattr never writes to its value, although `value` is not const: an op has one
// pointer for both directions.
Op OnXattr(OpKind kind, FileRef file, const char* name, void* value, uint32_t size) {
  Op op = OpOn(file, kind);
  op.xattr = {.name = name, .value = value, .size = size};
  return op;
}

Op WithSize(OpKind kind, FileRef file, uint64_t bytes) {
  Op op = OpOn(file, kind);
  op.size = {bytes};
  return op;
}

}  // namespace

Op OpenAt(int directory, const char* name, int flags, mode_t mode, FileRef slot_or_none) {
  Op op = OpOn(slot_or_none, OpKind::kOpenAt);
  op.open = {directory, name, flags, mode};
  return op;
}

Op OpenAt(int directory, const char* name, int flags) {
  return OpenAt(directory, name, flags, /*mode=*/0, FileRef());
}

Op StatAt(int directory, const char* name, int flags, struct statx* stat) {
  Op op = OpOn(FileRef(), OpKind::kStatx);
  op.stat = {directory, name, flags, stat};
  return op;
}

Op StatDescriptor(FileRef file, struct statx* stat, int flags) {
  return StatAt(file.descriptor(), "", AT_EMPTY_PATH | flags, stat);
}

Op UnlinkAt(int directory, const char* name, int flags) {
  return Named(OpKind::kUnlinkAt, directory, name, flags, 0, 0);
}

Op MakeDirectory(int directory, const char* name, mode_t mode) {
  return Named(OpKind::kMakeDirectory, directory, name, 0, mode, 0);
}

Op MakeNode(int directory, const char* name, mode_t mode, dev_t device) {
  return Named(OpKind::kMakeNode, directory, name, 0, mode, device);
}

Op MakeSymlink(const char* text, int directory, const char* name) {
  Op op = OpOn(FileRef(), OpKind::kMakeSymlink);
  op.symlink = {text, directory, name};
  return op;
}

Op MakeLink(int old_directory, const char* old_name, int directory, const char* name,
            int flags) {
  return WithTwoNames(OpKind::kMakeLink, old_directory, old_name, directory, name, flags);
}

Op Rename(int old_directory, const char* old_name, int directory, const char* name,
          int flags) {
  return WithTwoNames(OpKind::kRename, old_directory, old_name, directory, name, flags);
}

Op ReadAt(FileRef file, void* buffer, uint32_t length, uint64_t offset) {
  return WithBuffer(OpKind::kRead, file, buffer, length, offset);
}

Op WriteAt(FileRef file, void* buffer, uint32_t length, uint64_t offset) {
  return WithBuffer(OpKind::kWrite, file, buffer, length, offset);
}

Op ReadLink(int fd, char* buffer, uint32_t length) {
  return WithBuffer(OpKind::kReadLink, FileRef::Descriptor(fd), buffer, length, 0);
}

Op ReadDirectory(int fd, char* buffer, uint32_t length) {
  return WithBuffer(OpKind::kReadDirectory, FileRef::Descriptor(fd), buffer, length, 0);
}

Op Preallocate(FileRef file, uint64_t size) {
  return WithSize(OpKind::kPreallocate, file, size);
}

Op SetSize(FileRef file, uint64_t size) {
  return WithSize(OpKind::kFtruncate, file, size);
}

Op SeekData(FileRef file, uint64_t offset, uint64_t* position) {
  return Seeking(OpKind::kSeekData, file, offset, position);
}

Op SeekHole(FileRef file, uint64_t offset, uint64_t* position) {
  return Seeking(OpKind::kSeekHole, file, offset, position);
}

Op Seek(int fd, uint64_t offset, uint64_t* position) {
  return Seeking(OpKind::kSeek, FileRef::Descriptor(fd), offset, position);
}

Op CountCached(FileRef file, uint64_t offset, uint32_t length, uint64_t* bytes) {
  return Seeking(OpKind::kCountCached, file, offset, bytes, length);
}

Op Clone(FileRef source, FileRef target) {
  Op op = OpOn(target, OpKind::kClone);
  op.pair = {.source = source.descriptor(), .on = true};
  return op;
}

Op CopyRange(FileRef source, FileRef target, uint64_t offset, uint32_t length) {
  RINGCP_CHECK(length <= INT32_MAX);
  Op op = OpOn(target, OpKind::kCopyRange);
  op.range = {.source = source.descriptor(), .length = length, .offset = offset};
  return op;
}

Op WriteBack(FileRef file) { return OpOn(file, OpKind::kWriteBack); }

Op DropCached(FileRef file) { return OpOn(file, OpKind::kDropCached); }

Op Poll(FileRef file, short events, int milliseconds_max) {
  Op op = OpOn(file, OpKind::kPoll);
  op.poll = {events, milliseconds_max};
  return op;
}

Op Close(FileRef file) { return OpOn(file, OpKind::kClose); }

Op RefusePipe(FileRef file) { return OpOn(file, OpKind::kRefusePipe); }

Op InstallDescriptor(FileRef slot) { return OpOn(slot, OpKind::kInstallDescriptor); }

Op SetDirect(FileRef source, FileRef target, bool on) {
  Op op = OpOn(target, OpKind::kSetDirect);
  op.pair = {.source = source.descriptor(), .on = on};
  return op;
}

Op StatFileSystem(int fd, FileSystemStat* stat) {
  Op op = OpOn(fd, OpKind::kFileSystem);
  op.statfs = {stat};
  return op;
}

Op SetTimes(FileRef file, const timespec& access, const timespec& modification) {
  Op op = OpOn(file, OpKind::kSetTimes);
  op.times = {{access, modification}};
  return op;
}

Op SetTimes(FileRef file, const struct statx& stat) {
  return SetTimes(file,
                  {.tv_sec = stat.stx_atime.tv_sec, .tv_nsec = stat.stx_atime.tv_nsec},
                  {.tv_sec = stat.stx_mtime.tv_sec, .tv_nsec = stat.stx_mtime.tv_nsec});
}

Op SetOwner(FileRef file, uid_t user, gid_t group) {
  Op op = OpOn(file, OpKind::kSetOwner);
  op.owner = {user, group};
  return op;
}

Op SetMode(FileRef file, mode_t mode) {
  Op op = OpOn(file, OpKind::kSetMode);
  op.mode = {mode};
  return op;
}

Op GetXattr(FileRef file, const char* name, void* buffer, uint32_t length) {
  return OnXattr(OpKind::kGetXattr, file, name, buffer, length);
}

Op ListXattrs(FileRef file, char* buffer, uint32_t length) {
  return OnXattr(OpKind::kListXattrs, file, nullptr, buffer, length);
}

Op SetXattr(FileRef file, const char* name, const void* value, uint32_t length) {
  return OnXattr(OpKind::kSetXattr, file, name, const_cast<void*>(value), length);
}

Op RemoveXattr(FileRef file, const char* name) {
  return OnXattr(OpKind::kRemoveXattr, file, name, nullptr, 0);
}

Op LabelNext(const char* text) {
  Op op = OpOn(FileRef(), OpKind::kLabelNext);
  op.label = {.text = text, .directory = -1, .name = nullptr, .mode = 0};
  return op;
}

Op LabelNextByPolicy(int directory, const char* name, mode_t mode) {
  Op op = OpOn(FileRef(), OpKind::kLabelNext);
  op.label = {.text = nullptr, .directory = directory, .name = name, .mode = mode};
  return op;
}

Op SetDefaultLabel(FileRef file, mode_t mode) {
  Op op = OpOn(file, OpKind::kSetDefaultLabel);
  op.label = {.text = nullptr, .directory = -1, .name = nullptr, .mode = mode};
  return op;
}

Op AtOnce(Op op) {
  RINGCP_CHECK(!op.file.is_slot());
  op.at_once = true;
  return op;
}

Op ByCall(Op op) {
  op = AtOnce(op);
  op.by_call = true;
  return op;
}

Op AtOnceUnlessSlow(Op op) {
  op = AtOnce(op);
  op.may_ask = true;
  return op;
}

bool CanBeQueued(OpKind kind) {
  switch (kind) {
    case OpKind::kOpenAt:
    case OpKind::kStatx:
    case OpKind::kRead:
    case OpKind::kWrite:
    case OpKind::kClose:
    case OpKind::kUnlinkAt:
    case OpKind::kPreallocate:
    case OpKind::kWriteBack:
    case OpKind::kDropCached:
    case OpKind::kRefusePipe:
    case OpKind::kInstallDescriptor:
    case OpKind::kGetXattr:
    case OpKind::kSetXattr:
    case OpKind::kFtruncate:
    case OpKind::kPoll:
      return true;
    case OpKind::kMakeDirectory:
    case OpKind::kMakeNode:
    case OpKind::kMakeSymlink:
    case OpKind::kMakeLink:
    case OpKind::kRename:
    case OpKind::kReadLink:
    case OpKind::kReadDirectory:
    case OpKind::kSeekData:
    case OpKind::kSeekHole:
    case OpKind::kSeek:
    case OpKind::kCountCached:
    case OpKind::kClone:
    case OpKind::kCopyRange:
    case OpKind::kSetDirect:
    case OpKind::kFileSystem:
    case OpKind::kSetTimes:
    case OpKind::kSetOwner:
    case OpKind::kSetMode:
    case OpKind::kListXattrs:
    case OpKind::kRemoveXattr:
    case OpKind::kLabelNext:
    case OpKind::kSetDefaultLabel:
      break;
  }
  return false;
}

bool AlwaysWaits(OpKind kind) { return kind == OpKind::kCopyRange; }

bool CanBeAsked(const Op& op) {
  return (op.kind == OpKind::kOpenAt && (op.open.flags & (O_CREAT | O_TRUNC)) == 0) ||
         (op.kind == OpKind::kRead && op.io.offset != kCurrentPosition);
}

bool IsImmediate(const Op& op) { return op.at_once || !CanBeQueued(op.kind); }

void Chain::SetAtOnce(bool may_ask) {
  const bool asks = may_ask && size_ > 0 && !ops_[0].at_once && CanBeAsked(ops_[0]);
  for (int i = 0; i < size_; ++i) {
    ops_[i] = AtOnce(ops_[i]);
    ops_[i].may_ask = false;
  }
  if (size_ > 0) ops_[0].may_ask = asks;
}

Chain& Chain::Add(const Op& op, Tie tie_to_previous) {
  RINGCP_CHECK(size_ < kOpsMax);
  if (size_ > 0) ops_[size_ - 1].tie = tie_to_previous;
  ops_[size_] = op;
  ops_[size_].tie = Tie::kNone;
  ++size_;
  return *this;
}

Chain WithoutMarks(absl::Span<const Op> ops) {
  Chain chain;
  Tie tie = Tie::kNone;
  for (Op op : ops) {
    op.at_once = op.may_ask = false;
    chain.Add(op, tie);
    tie = op.tie;
  }
  return chain;
}

}  // namespace ringcp

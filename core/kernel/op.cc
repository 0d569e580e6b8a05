#include "core/kernel/op.h"

#include "core/base/check.h"

namespace ringcp {
namespace {

// One that needs nothing but its file.
Op OpOn(FileRef file, OpKind kind) {
  Op op;
  op.kind = kind;
  op.file = file;
  return op;
}

}  // namespace

Op OpenAt(int directory, const char* path, int flags, mode_t mode, FileRef slot_or_none) {
  Op op;
  op.kind = OpKind::kOpenAt;
  op.directory = directory;
  op.path = path;
  op.flags = flags;
  op.mode = mode;
  op.file = slot_or_none;
  return op;
}

Op StatAt(int directory, const char* path, int flags, struct statx* stat) {
  Op op;
  op.kind = OpKind::kStatx;
  op.directory = directory;
  op.path = path;
  op.flags = flags;
  op.stat = stat;
  return op;
}

Op ReadAt(FileRef file, void* buffer, uint32_t length, uint64_t offset) {
  Op op;
  op.kind = OpKind::kRead;
  op.file = file;
  op.buffer = buffer;
  op.length = length;
  op.offset = offset;
  return op;
}

Op WriteAt(FileRef file, void* buffer, uint32_t length, uint64_t offset) {
  Op op = ReadAt(file, buffer, length, offset);
  op.kind = OpKind::kWrite;
  return op;
}

Op Close(FileRef file) { return OpOn(file, OpKind::kClose); }

Op Preallocate(FileRef file, uint64_t size) {
  Op op = OpOn(file, OpKind::kPreallocate);
  op.offset = size;
  return op;
}

Op WriteBack(FileRef file) { return OpOn(file, OpKind::kWriteBack); }

Op DropCached(FileRef file) { return OpOn(file, OpKind::kDropCached); }

Op RefusePipe(FileRef file) { return OpOn(file, OpKind::kRefusePipe); }

Op UnlinkAt(int directory, const char* path, int flags) {
  Op op;
  op.kind = OpKind::kUnlinkAt;
  op.directory = directory;
  op.path = path;
  op.flags = flags;
  return op;
}

Op InstallDescriptor(FileRef slot) { return OpOn(slot, OpKind::kInstallDescriptor); }

Op StatDescriptor(int fd, struct statx* stat, int flags) {
  return StatAt(fd, "", AT_EMPTY_PATH | flags, stat);
}

Op GetXattr(int fd, const char* name, void* buffer, uint32_t length) {
  Op op = OpOn(FileRef::Descriptor(fd), OpKind::kGetXattr);
  op.path = name;
  op.buffer = buffer;
  op.length = length;
  return op;
}

Op SetXattr(int fd, const char* name, const void* value, uint32_t length) {
  // Nothing writes to it: an op has one buffer for both directions.
  Op op = GetXattr(fd, name, const_cast<void*>(value), length);
  op.kind = OpKind::kSetXattr;
  return op;
}

Op SeekData(int fd, uint64_t offset, uint64_t* position) {
  Op op;
  op.kind = OpKind::kSeekData;
  op.file = FileRef::Descriptor(fd);
  op.offset = offset;
  op.position = position;
  return op;
}

Op SeekHole(int fd, uint64_t offset, uint64_t* position) {
  Op op = SeekData(fd, offset, position);
  op.kind = OpKind::kSeekHole;
  return op;
}

Op CountCached(int fd, uint64_t offset, uint32_t length, uint64_t* bytes) {
  Op op = SeekData(fd, offset, bytes);
  op.kind = OpKind::kCountCached;
  op.length = length;
  return op;
}

Op Clone(int source_fd, int target_fd) {
  Op op;
  op.kind = OpKind::kClone;
  op.file = FileRef::Descriptor(target_fd);
  op.directory = source_fd;
  return op;
}

Op SetDirect(int source_fd, FileRef target, bool on) {
  Op op;
  op.kind = OpKind::kSetDirect;
  op.file = target;
  op.directory = source_fd;
  op.flags = on ? 1 : 0;
  return op;
}

Op SetSize(int fd, uint64_t size) {
  Op op;
  op.kind = OpKind::kFtruncate;
  op.file = FileRef::Descriptor(fd);
  op.offset = size;
  return op;
}

Op SetTimes(int fd, const timespec& access, const timespec& modification) {
  Op op;
  op.kind = OpKind::kFutimens;
  op.file = FileRef::Descriptor(fd);
  op.times = {access, modification};
  return op;
}

Op SetOwner(int fd, uid_t uid, gid_t gid) {
  Op op;
  op.kind = OpKind::kFchown;
  op.file = FileRef::Descriptor(fd);
  op.uid = uid;
  op.gid = gid;
  return op;
}

Op SetMode(int fd, mode_t mode) {
  Op op;
  op.kind = OpKind::kFchmod;
  op.file = FileRef::Descriptor(fd);
  op.mode = mode;
  return op;
}

Op AtOnce(Op op) {
  RINGCP_CHECK(!op.file.is_slot());
  op.at_once = true;
  return op;
}

bool IsImmediate(const Op& op) {
  switch (op.kind) {
    case OpKind::kSeekData:
    case OpKind::kSeekHole:
    case OpKind::kCountCached:
    case OpKind::kClone:
    case OpKind::kSetDirect:
    case OpKind::kFutimens:
    case OpKind::kFchown:
    case OpKind::kFchmod:
      return true;
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
      break;
  }
  return op.at_once;
}

void Chain::SetAtOnce() {
  for (int i = 0; i < size_; ++i) {
    if (!IsImmediate(ops_[i])) ops_[i] = AtOnce(ops_[i]);
  }
}

Chain& Chain::Add(const Op& op, Link link_from_previous) {
  RINGCP_CHECK(size_ < kOpsMax);
  if (size_ > 0) ops_[size_ - 1].link = link_from_previous;
  ops_[size_] = op;
  ops_[size_].link = Link::kNone;
  ++size_;
  return *this;
}

}  // namespace ringcp

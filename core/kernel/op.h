// One kernel operation as data. A copy's state machine writes ops, a Ring carries them
// out; nothing here does I/O.
//
// Thread-safety: plain values.
// Ownership: an op borrows its path, buffer and statx result; they must stay valid and
// unmoved until the chain that the op is part of has settled (see ring.h).

#ifndef RINGCP_CORE_KERNEL_OP_H_
#define RINGCP_CORE_KERNEL_OP_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <ctime>

#include "absl/base/attributes.h"
#include "absl/types/span.h"

namespace ringcp {

enum class OpKind : uint8_t {
  kOpenAt,    // Result: the descriptor; 0 when opened into a slot.
  kStatx,     // Result: 0.
  kRead,      // Result: bytes read; 0 at the end of the file.
  kWrite,     // Result: bytes written.
  kClose,     // Result: 0.
  kUnlinkAt,  // Result: 0.
  // The room for a file's contents is set aside; its size stays as it is, so that a file
  // that was never written does not look whole. Result: 0.
  kPreallocate,
  // What was written to a file goes to its device. Result: 0 when it is there.
  kWriteBack,
  // What is in the page cache of a file, and not waiting to be written, leaves it.
  // Result: 0.
  kDropCached,
  // Fails where the open file is a pipe (-ESPIPE), so that a read that is linked behind
  // it takes nothing out of one. Does nothing else. Result: 0.
  kRefusePipe,
  // Gives the file in a slot an ordinary descriptor as well. Result: the descriptor.
  kInstallDescriptor,
  // Reads an extended attribute of an open file. Result: its size; -ENODATA when there is
  // none; -ERANGE when the buffer is too small (one of 0 bytes asks for the size).
  kGetXattr,
  kSetXattr,  // Result: 0.
  // io_uring has it from Linux 6.9 on: elsewhere it is to be called at once (AtOnce()).
  // Result: 0.
  kFtruncate,
  // A ring makes the system call for these at once, on its own thread: for lseek, ioctl,
  // fchown, fchmod and futimens no io_uring opcode exists. Result: 0.
  kSeekData,  // Result: 0, with *position; -ENXIO when only a hole follows.
  kSeekHole,  // Result: 0, with *position.
  // How much of a file is in the page cache. Result: 0, with the bytes in *position;
  // -ENOSYS before Linux 6.5.
  kCountCached,
  // Makes one file share the blocks of another one (FICLONE). Result: 0.
  kClone,
  // Turns O_DIRECT of two open files, or one, on or off: of both or, after an error, of
  // none.
  // Result: 0; -EINVAL where a file system does not have it.
  kSetDirect,
  kFutimens,
  kFchown,
  kFchmod,
};

// The file that an op works on: an ordinary descriptor of the process, or a slot in the
// ring's own table (io_uring's "direct descriptor").
struct FileRef {
  enum class Kind : uint8_t { kNone, kDescriptor, kSlot };

  Kind kind = Kind::kNone;
  int index = -1;

  static constexpr FileRef Descriptor(int fd) { return {Kind::kDescriptor, fd}; }
  static constexpr FileRef Slot(int slot) { return {Kind::kSlot, slot}; }
  constexpr bool is_slot() const { return kind == Kind::kSlot; }
  friend bool operator==(const FileRef&, const FileRef&) = default;
};

// How an op is tied to the next one of its chain.
enum class Link : uint8_t {
  kNone,  // The last op of a chain.
  // The next op runs only if this one succeeded; a short read or write counts as failed.
  // After path ops (statx, unlinkat) kernels differ: the next op may run all the same.
  kSoft,
  // The next op runs in any case. For cleaning up: nothing whose input depends on this
  // op's result may follow.
  kHard,
};

// The offset of a read or write that goes on where the file's own position is: the only
// one that pipes and terminals take.
inline constexpr uint64_t kCurrentPosition = ~uint64_t{0};

// How kWriteBack calls sync_file_range(2): what is on its way is waited for as well.
inline constexpr unsigned kWriteBackFlags =
    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

// Which members mean something depends on `kind`; the functions below fill in the right
// ones.
struct Op {
  OpKind kind = OpKind::kClose;
  Link link = Link::kNone;
  bool at_once = false;  // See AtOnce().
  // kRead, kWrite: the device may be asked for its completion over and over; see ring.h.
  bool polled = false;
  FileRef file;  // kOpenAt: where the opened file goes; kNone asks for any descriptor.
  int directory = AT_FDCWD;    // kClone, kSetDirect: the source's descriptor.
  const char* path = nullptr;  // kGetXattr, kSetXattr: the attribute's name.
  int flags = 0;               // kRead, kWrite: RWF_*; kSetDirect: 1 for on.
  mode_t mode = 0;
  struct statx* stat = nullptr;
  void* buffer = nullptr;
  uint32_t length = 0;  // Bytes.
  uint64_t offset = 0;  // kFtruncate, kPreallocate: the size.
  uint64_t* position = nullptr;
  uid_t uid = 0;
  gid_t gid = 0;
  std::array<timespec, 2> times = {};  // Access, modification.
};

// Opens `path` beneath the open directory `directory` into `slot_or_none`. Close-on-exec
// is added for ordinary descriptors.
Op OpenAt(int directory, const char* path, int flags, mode_t mode, FileRef slot_or_none);
Op StatAt(int directory, const char* path, int flags, struct statx* stat);
Op ReadAt(FileRef file, void* buffer, uint32_t length, uint64_t offset);
Op WriteAt(FileRef file, void* buffer, uint32_t length, uint64_t offset);
Op Close(FileRef file);
Op Preallocate(FileRef file, uint64_t size);
Op WriteBack(FileRef file);
Op DropCached(FileRef file);
Op RefusePipe(FileRef file);
Op UnlinkAt(int directory, const char* path, int flags);
Op InstallDescriptor(FileRef slot);
// The stat of the open file `fd` itself, whatever its name leads to by now. `flags`:
// AT_STATX_*; with AT_STATX_DONT_SYNC a server is not asked again.
Op StatDescriptor(int fd, struct statx* stat, int flags = 0);
Op GetXattr(int fd, const char* name, void* buffer, uint32_t length);
Op SetXattr(int fd, const char* name, const void* value, uint32_t length);
// The first byte at or behind `offset` that is no hole, or that is one.
Op SeekData(int fd, uint64_t offset, uint64_t* position);
Op SeekHole(int fd, uint64_t offset, uint64_t* position);
// How many bytes of [offset, offset + length) are in the page cache, in whole pages.
Op CountCached(int fd, uint64_t offset, uint32_t length, uint64_t* bytes);
// Makes `target_fd` a clone of `source_fd`, whole.
Op Clone(int source_fd, int target_fd);
// Without a `target` of the source alone.
Op SetDirect(int source_fd, FileRef target, bool on);
Op SetSize(int fd, uint64_t size);
Op SetTimes(int fd, const timespec& access, const timespec& modification);
Op SetOwner(int fd, uid_t uid, gid_t gid);
Op SetMode(int fd, mode_t mode);

// `op`, to be carried out at once on the ring's own thread, whatever its kind: for what
// takes no longer there than handing it over would.
// REQUIRES: it names no slot.
Op AtOnce(Op op);

// Whether a ring carries out `op` at once, on its own thread.
bool IsImmediate(const Op& op);

// Linked ops, built in place: at most kOpsMax of them, no allocation.
class Chain {
 public:
  // A copy's longest chain has five: openat, write, install, close, close.
  static constexpr int kOpsMax = 7;

  // Appends `op`, tied to the op before it by `link_from_previous`.
  // REQUIRES: fewer than kOpsMax ops.
  Chain& Add(const Op& op, Link link_from_previous = Link::kSoft);

  // Has all ops be carried out at once; see AtOnce().
  void SetAtOnce();

  void clear() { size_ = 0; }
  bool empty() const { return size_ == 0; }
  int size() const { return size_; }
  const Op& operator[](int i) const { return ops_[i]; }
  absl::Span<const Op> ops() const ABSL_ATTRIBUTE_LIFETIME_BOUND {
    return absl::MakeConstSpan(ops_.data(), size_);
  }

 private:
  std::array<Op, kOpsMax> ops_;
  int size_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_OP_H_

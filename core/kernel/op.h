// One operation on the world as data: a tagged union, one struct for what each kind
// takes. Whoever copies something writes ops, a Kernel carries them out; nothing here
// does I/O.
//
// Thread-safety: plain values.
// Ownership: an op borrows its names, buffers and results; they must stay valid and
// unmoved until the chain that the op is part of has ended (see kernel.h).

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

// What each kind takes, besides Op::file, is in the member of Op named behind it. Results
// are 0 unless something else is said.
enum class OpKind : uint8_t {
  // --- Names ---
  kOpenAt,         // open. Result: the descriptor; 0 when opened into a slot.
  kStatx,          // stat.
  kUnlinkAt,       // name.
  kMakeDirectory,  // name.
  kMakeNode,       // name: a pipe, device or socket.
  kMakeSymlink,    // symlink.
  kMakeLink,       // two_names.
  kRename,         // two_names.

  // --- Contents ---
  kRead,      // io. Result: bytes read; 0 at the end of the file.
  kWrite,     // io. Result: bytes written.
  kReadLink,  // io, of a symbolic link's own descriptor. Result: bytes of its text.
  // io, of a directory, as getdents64(2) gives it. Result: bytes; 0 at the end.
  kReadDirectory,
  // size. The room for a file's contents is set aside; its size stays as it is, so that a
  // file that was never written does not look whole.
  kPreallocate,
  kFtruncate,  // size. io_uring has it from Linux 6.9 on.
  // seek. For these, and others below, io_uring has no opcode: the ring's thread makes
  // system calls, or a helper thread of its kernel.
  kSeekData,  // Result: 0, with *position; -ENXIO when only a hole follows.
  kSeekHole,  // Result: 0, with *position.
  // seek: sets the position that reading goes on at; with kCurrentPosition it is only
  // told.
  kSeek,
  // seek. How much of a file is in the page cache. Result: 0, with the bytes in
  // *position; -ENOSYS before Linux 6.5.
  kCountCached,
  kClone,  // pair. Makes one file share the blocks of another one (FICLONE).
  // What was written to a file goes to its device. Result: 0 when it is there.
  kWriteBack,
  // What is in the page cache of a file, and not waiting to be written, leaves it.
  kDropCached,
  // poll. Waits until a file can be read or written, but no longer than that. Result: 1
  // if it can, or has failed or is not open; 0 if not. Queued, it is alone in its chain.
  kPoll,

  // --- Open files ---
  kClose,
  // Fails where the open file is a pipe (-ESPIPE), so that a read that is linked behind
  // it takes nothing out of one. Does nothing else.
  kRefusePipe,
  // Gives the file in a slot an ordinary descriptor as well. Result: the descriptor.
  kInstallDescriptor,
  // pair. Turns O_DIRECT of two open files, or one, on or off: of both or, after an
  // error, of none. Result: -EINVAL where a file system does not have it.
  kSetDirect,
  kFileSystem,  // statfs. What an open file is on.

  // --- Attributes, of any descriptor, also one that was opened with O_PATH ---
  kSetTimes,  // times.
  kSetOwner,  // owner.
  kSetMode,   // mode.
  // xattr. Reads an extended attribute. Result: its size; -ENODATA when there is none;
  // -ERANGE when the buffer is too small (one of 0 bytes asks for the size).
  kGetXattr,
  kListXattrs,   // xattr: their names. Result: bytes, as kGetXattr.
  kSetXattr,     // xattr.
  kRemoveXattr,  // xattr.
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

// What a file system says of itself.
struct FileSystemStat {
  uint64_t magic = 0;  // Its type: a number in <linux/magic.h>.
  // What is equal for all parts of one file system: the first half of statfs(2)'s f_fsid,
  // the other half of which tells Btrfs's subvolumes apart.
  uint32_t id = 0;
};

struct Op {
  OpKind kind = OpKind::kClose;
  Link link = Link::kNone;
  bool at_once = false;  // See AtOnce().
  // Of an op at once: it may be queued instead, with all behind it, if it would have to
  // wait. See Chain::SetAtOnce().
  bool may_ask = false;
  // kOpenAt: where the opened file goes; kNone asks for any descriptor. kClone,
  // kSetDirect: the target.
  FileRef file;

  // The member that `kind` takes.
  union {
    struct {
      int directory;
      const char* name;
      int flags;
      mode_t mode;
    } open = {};
    struct {
      int directory;
      const char* name;
      int flags;  // AT_*.
      struct statx* result;
    } stat;
    struct {
      int directory;
      const char* name;
      int flags;
      mode_t mode;
      dev_t device;
    } name;
    struct {
      const char* text;
      int directory;
      const char* name;
    } symlink;
    struct {
      int old_directory;
      const char* old_name;
      int directory;
      const char* name;
      int flags;  // AT_*.
    } two_names;
    struct {
      void* buffer;
      uint64_t offset;
      uint32_t length;  // Bytes.
      int flags;        // RWF_*.
      // The device may be asked for its completion over and over; see kernel.h.
      bool polled;
    } io;
    struct {
      uint64_t bytes;
    } size;
    struct {
      uint64_t offset;
      uint64_t* position;
      uint32_t length;  // kCountCached: bytes.
    } seek;
    struct {
      int source;  // An ordinary descriptor.
      bool on;     // kSetDirect.
    } pair;
    struct {
      short events;  // POLLIN or POLLOUT.
      int milliseconds_max;
    } poll;
    struct {
      FileSystemStat* result;
    } statfs;
    struct {
      std::array<timespec, 2> values;  // Access, modification.
    } times;
    struct {
      uid_t user;
      gid_t group;
    } owner;
    struct {
      mode_t value;
    } mode;
    struct {
      const char* name;
      void* value;
      uint32_t size;  // Bytes.
    } xattr;
  };
};

// Opens `name` beneath the open directory `directory` into `slot_or_none`. Close-on-exec
// is added for ordinary descriptors.
Op OpenAt(int directory, const char* name, int flags, mode_t mode, FileRef slot_or_none);
// Opens something that is there, as an ordinary descriptor.
Op OpenAt(int directory, const char* name, int flags);
Op StatAt(int directory, const char* name, int flags, struct statx* stat);
// The stat of the open file `fd` itself, whatever its name leads to by now. `flags`:
// AT_STATX_*; with AT_STATX_DONT_SYNC a server is not asked again.
Op StatDescriptor(int fd, struct statx* stat, int flags = 0);
Op UnlinkAt(int directory, const char* name, int flags);
Op MakeDirectory(int directory, const char* name, mode_t mode);
// `mode` with the type; `device` of a device.
Op MakeNode(int directory, const char* name, mode_t mode, dev_t device);
Op MakeSymlink(const char* text, int directory, const char* name);
// A hard link, to a symbolic link itself if `old_name` is one, unless `flags` are
// AT_SYMLINK_FOLLOW.
Op MakeLink(int old_directory, const char* old_name, int directory, const char* name,
            int flags);
Op Rename(int old_directory, const char* old_name, int directory, const char* name);

Op ReadAt(FileRef file, void* buffer, uint32_t length, uint64_t offset);
Op WriteAt(FileRef file, void* buffer, uint32_t length, uint64_t offset);
Op ReadLink(int fd, char* buffer, uint32_t length);
Op ReadDirectory(int fd, char* buffer, uint32_t length);
Op Preallocate(FileRef file, uint64_t size);
Op SetSize(int fd, uint64_t size);
// The first byte at or behind `offset` that is no hole, or that is one.
Op SeekData(int fd, uint64_t offset, uint64_t* position);
Op SeekHole(int fd, uint64_t offset, uint64_t* position);
Op Seek(int fd, uint64_t offset, uint64_t* position);
// How many bytes of [offset, offset + length) are in the page cache, in whole pages.
Op CountCached(int fd, uint64_t offset, uint32_t length, uint64_t* bytes);
// Makes `target_fd` a clone of `source_fd`, whole.
Op Clone(int source_fd, int target_fd);
Op WriteBack(FileRef file);
Op DropCached(FileRef file);
Op Poll(int fd, short events, int milliseconds_max);

Op Close(FileRef file);
inline Op Close(int fd) { return Close(FileRef::Descriptor(fd)); }
Op RefusePipe(FileRef file);
Op InstallDescriptor(FileRef slot);
// Without a `target` of the source alone.
Op SetDirect(int source_fd, FileRef target, bool on);
Op StatFileSystem(int fd, FileSystemStat* stat);

Op SetTimes(int fd, const timespec& access, const timespec& modification);
// Those of the file that was looked at.
Op SetTimes(int fd, const struct statx& stat);
Op SetOwner(int fd, uid_t user, gid_t group);
Op SetMode(int fd, mode_t mode);
Op GetXattr(int fd, const char* name, void* buffer, uint32_t length);
Op ListXattrs(int fd, char* buffer, uint32_t length);
Op SetXattr(int fd, const char* name, const void* value, uint32_t length);
Op RemoveXattr(int fd, const char* name);

// `op`, to be carried out at once on the ring's own thread, whatever its kind: for what
// takes no longer there than handing it over would. Either all ops of a chain are marked
// so or none is.
// REQUIRES: it names no slot.
Op AtOnce(Op op);

// Whether ops of this kind are queued, by a kernel that can: io_uring has no opcode for
// some of the others, and for some nobody has needed it yet.
bool CanBeQueued(OpKind kind);

// Whether a kernel carries out `op` at once, on its own thread, if it has no
// other.
bool IsImmediate(const Op& op);

// Whether `op` is a read or write whose device may be polled; see kernel.h.
inline bool IsPolled(const Op& op) {
  return (op.kind == OpKind::kRead || op.kind == OpKind::kWrite) && op.io.polled;
}

// Linked ops, built in place: at most kOpsMax of them, no allocation.
class Chain {
 public:
  // A copy's longest chain has five: openat, write, install, close, close.
  static constexpr int kOpsMax = 7;

  // Appends `op`, tied to the op before it by `link_from_previous`.
  // REQUIRES: fewer than kOpsMax ops.
  Chain& Add(const Op& op, Link link_from_previous = Link::kSoft);

  // Has all ops be carried out at once; see AtOnce(). With `may_ask` a kernel that queues
  // may queue them instead if the first one would have to wait, and it can tell: if it
  // opens what is there, or reads at an offset, and was not to be carried out at once
  // before.
  void SetAtOnce(bool may_ask = false);

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

// The chain of `ops`, none of them marked AtOnce().
Chain WithoutMarks(absl::Span<const Op> ops);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_OP_H_

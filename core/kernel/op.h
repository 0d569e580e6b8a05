// One operation on the world, as data: a tagged union with one struct for what each kind
// takes. Code that copies something writes ops, and a Kernel carries them out; nothing
// here does I/O.
//
// Thread-safety: plain values.
// Ownership: an op borrows its names, buffers and results; they must stay valid and
// unmoved until the op's chain has settled (see kernel.h).

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
#include "core/kernel/file_ref.h"

namespace ringcp {

// Besides Op::file, each kind takes the member of Op that its comment names first. A
// result is 0 unless the comment says something else.
enum class OpKind : uint8_t {
  // --- Names ---
  kOpenAt,         // open. Result: the descriptor; 0 if opened into a slot.
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
  kReadLink,  // io, by a symbolic link's own descriptor. Result: bytes of its text.
  // io: the entries of a directory, as getdents64(2) returns them. Result: bytes; 0 at
  // the end.
  kReadDirectory,
  // size. Sets space aside for a file's contents, but leaves its size as it is, so that a
  // file that was never written does not look whole.
  kPreallocate,
  kFtruncate,  // size. io_uring has it from Linux 6.9 on.
  // seek. io_uring has no opcode for these two and for some others below: the kernel's
  // thread or one of its helper threads makes a system call.
  kSeekData,  // Result: 0, with *position; -ENXIO if only a hole follows.
  kSeekHole,  // Result: 0, with *position.
  // seek. Sets the file's own position; with kCurrentPosition only reports it. Result: 0,
  // with *position.
  kSeek,
  // seek. Counts how much of a file is in the page cache. Result: 0, with the bytes in
  // *position; -ENOSYS before Linux 6.5.
  kCountCached,
  kClone,  // pair. Makes the target share the blocks of the source (FICLONE).
  // range. Copies bytes of the source to the same place of the target without handing
  // them to this process (copy_file_range(2)). A server that has both files may copy them
  // without sending them. Result: bytes copied, perhaps fewer than asked for; 0 at the
  // end of the source, and on some file systems elsewhere, too.
  kCopyRange,
  // Sends what was written to a file to its device. Result: 0 once it is there.
  kWriteBack,
  // Drops from the page cache what it holds of a file, except what still has to be
  // written.
  kDropCached,
  // poll. Waits until a file can be read or written, but no longer than
  // poll.milliseconds_max. Result: 1 if it can, or if it has failed or is not open; 0 if
  // the time has passed. A queued poll is alone in its chain.
  kPoll,

  // --- Open files ---
  kClose,
  // Fails with -ESPIPE if the open file is a pipe, so that a read tied behind it takes
  // nothing out of the pipe. Does nothing else.
  kRefusePipe,
  // Gives the file in a slot an ordinary descriptor as well. Result: the descriptor.
  kInstallDescriptor,
  // pair. Turns O_DIRECT of two open files, or of one, on or off: of both or, after an
  // error, of neither. Result: -EINVAL if a file system does not have O_DIRECT.
  kSetDirect,
  kFileSystem,  // statfs. Asks about the file system of an open file.

  // --- Attributes, by any descriptor, even one that was opened with O_PATH ---
  kSetTimes,  // times.
  kSetOwner,  // owner.
  kSetMode,   // mode.
  // xattr. Reads an extended attribute. Result: its size; -ENODATA if there is none;
  // -ERANGE if the buffer is too small (a buffer of 0 bytes asks for the size).
  kGetXattr,
  kListXattrs,   // xattr. Reads all names. Result: bytes; -ERANGE as above.
  kSetXattr,     // xattr.
  kRemoveXattr,  // xattr.

  // --- SELinux's labels ("contexts") ---
  // label. What the same thread makes next has this label from the beginning: the next op
  // that it carries out has to be the one that makes it. So the two are in one chain. If
  // this one fails, what is made next has the label that the system gives it.
  kLabelNext,
  // label. Gives an existing file, by any descriptor, the type that the system's policy
  // says for its path; the rest of its label stays.
  kSetDefaultLabel,
};

// How an op is tied to the next one of its chain.
enum class Tie : uint8_t {
  kNone,  // The last op of a chain.
  // The next op runs only if this one succeeded; a short read or write counts as failed.
  // After path ops (statx, unlinkat) versions of Linux differ: the next op may run
  // although this one failed.
  kSoft,
  // The next op runs in any case. For cleaning up: no op whose input depends on this op's
  // result may follow.
  kHard,
};

// The offset of a read or write that starts at the file's own position. Pipes and
// terminals take no other offset.
inline constexpr uint64_t kCurrentPosition = ~uint64_t{0};

// How kWriteBack calls sync_file_range(2): it also waits for pages that are on their way
// to the device already.
inline constexpr unsigned kWriteBackFlags =
    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

// What a file system reports about itself.
struct FileSystemStat {
  uint64_t magic = 0;  // Its type: a number in <linux/magic.h>.
  bool is_read_only = false;
  // Equal for all parts of one file system: the first half of statfs(2)'s f_fsid. The
  // second half tells Btrfs's subvolumes apart.
  uint32_t id = 0;
};

struct Op {
  OpKind kind = OpKind::kClose;
  Tie tie = Tie::kNone;
  bool at_once = false;  // See AtOnce().
  // If this op is marked AtOnce() and would have to wait, it may be queued instead, with
  // all ops behind it. See Chain::SetAtOnce() and AtOnceUnlessSlow().
  bool may_ask = false;
  bool by_call = false;  // See ByCall().
  // kOpenAt: where the opened file goes; no file asks for any descriptor. kClone,
  // kCopyRange, kSetDirect: the target.
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
      // The device may be polled for the op's completion; see kernel.h.
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
      int source;       // An ordinary descriptor.
      uint32_t length;  // Bytes; at most INT32_MAX.
      uint64_t offset;
    } range;
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
    struct {
      const char* text;  // nullptr: what the policy says for what follows.
      int directory;
      const char* name;
      mode_t mode;  // With the type.
    } label;
  };
};

// Opens `name` beneath the open directory `directory` into `slot_or_none`. Ordinary
// descriptors are opened close-on-exec.
Op OpenAt(int directory, const char* name, int flags, mode_t mode, FileRef slot_or_none);
// Opens an existing file, as an ordinary descriptor.
Op OpenAt(int directory, const char* name, int flags);
// Stats ask for what follows, besides the basic fields, where the system knows it: when
// the file was made, and what direct reads and writes have to be aligned to.
inline constexpr unsigned kStatMask = STATX_BASIC_STATS | STATX_BTIME | STATX_DIOALIGN;
Op StatAt(int directory, const char* name, int flags, struct statx* stat);
// Stats the open file itself, whatever its name leads to by now. `flags`: AT_STATX_*;
// with AT_STATX_DONT_SYNC a server is not asked again. REQUIRES: no slot.
Op StatDescriptor(FileRef file, struct statx* stat, int flags = 0);
inline Op StatDescriptor(int fd, struct statx* stat, int flags = 0) {
  return StatDescriptor(FileRef::Descriptor(fd), stat, flags);
}
Op UnlinkAt(int directory, const char* name, int flags);
Op MakeDirectory(int directory, const char* name, mode_t mode);
// `mode` includes the file type; `device` matters only for a device.
Op MakeNode(int directory, const char* name, mode_t mode, dev_t device);
Op MakeSymlink(const char* text, int directory, const char* name);
// Makes a hard link. If `old_name` is a symbolic link, the hard link is to that link
// itself, unless `flags` is AT_SYMLINK_FOLLOW.
Op MakeLink(int old_directory, const char* old_name, int directory, const char* name,
            int flags);
// `flags` as of renameat2(2).
Op Rename(int old_directory, const char* old_name, int directory, const char* name,
          int flags = 0);

Op ReadAt(FileRef file, void* buffer, uint32_t length, uint64_t offset);
Op WriteAt(FileRef file, void* buffer, uint32_t length, uint64_t offset);
Op ReadLink(int fd, char* buffer, uint32_t length);
Op ReadDirectory(int fd, char* buffer, uint32_t length);
Op Preallocate(FileRef file, uint64_t size);
Op SetSize(FileRef file, uint64_t size);
// Finds the first byte at or behind `offset` that is data (SeekData) or in a hole
// (SeekHole).
Op SeekData(FileRef file, uint64_t offset, uint64_t* position);
Op SeekHole(FileRef file, uint64_t offset, uint64_t* position);
Op Seek(int fd, uint64_t offset, uint64_t* position);
// Counts the bytes of [offset, offset + length) that are in the page cache, in whole
// pages.
Op CountCached(FileRef file, uint64_t offset, uint32_t length, uint64_t* bytes);
// Makes `target` a clone of `source`, whole. REQUIRES: no slots.
Op Clone(FileRef source, FileRef target);
// Copies [offset, offset + length). REQUIRES: no slots; `length` is at most INT32_MAX.
Op CopyRange(FileRef source, FileRef target, uint64_t offset, uint32_t length);
Op WriteBack(FileRef file);
Op DropCached(FileRef file);
Op Poll(FileRef file, short events, int milliseconds_max);

Op Close(FileRef file);
inline Op Close(int fd) { return Close(FileRef::Descriptor(fd)); }
Op RefusePipe(FileRef file);
Op InstallDescriptor(FileRef slot);
// If `target` is FileRef(), only the source is changed. REQUIRES: no slots.
Op SetDirect(FileRef source, FileRef target, bool on);
Op StatFileSystem(int fd, FileSystemStat* stat);

Op SetTimes(FileRef file, const timespec& access, const timespec& modification);
// Sets the times that `stat` holds.
Op SetTimes(FileRef file, const struct statx& stat);
Op SetOwner(FileRef file, uid_t user, gid_t group);
Op SetMode(FileRef file, mode_t mode);
inline Op SetMode(int fd, mode_t mode) { return SetMode(FileRef::Descriptor(fd), mode); }
Op GetXattr(FileRef file, const char* name, void* buffer, uint32_t length);
Op ListXattrs(FileRef file, char* buffer, uint32_t length);
Op SetXattr(FileRef file, const char* name, const void* value, uint32_t length);
Op RemoveXattr(FileRef file, const char* name);
// What is made next has the label `text`; "" is that which the system gives it.
Op LabelNext(const char* text);
// What is made next as `name` in `directory`, with the type of `mode`, has the label that
// the system's policy says. -ENODATA if it says nothing about that name. REQUIRES: the
// directory is open, and not AT_FDCWD.
Op LabelNextByPolicy(int directory, const char* name, mode_t mode);
// The path is that of the open file, not of a link that has led to it. REQUIRES: no slot.
// -ENODATA as above, and if the file has no name any more.
Op SetDefaultLabel(FileRef file, mode_t mode);

// Returns `op` marked to be carried out at once, whatever its kind: for ops that take no
// longer on the kernel's own thread than handing them over would. Either all ops of a
// chain are marked or none is.
// REQUIRES: `op` names no slot.
Op AtOnce(Op op);
// The same for an op of which io_uring's opcode does something else than the system call.
// It does not count as one that could have been queued.
Op ByCall(Op op);
// The same as AtOnce(), as long as such ops don't make the kernel's thread wait.
// Otherwise a kernel that queues queues `op`. REQUIRES: `op` is to be alone in its chain.
Op AtOnceUnlessSlow(Op op);

// Whether ops of this kind can be queued, if the kernel has the opcode. For some other
// kinds io_uring has no opcode at all, and for the rest nobody has needed it yet.
bool CanBeQueued(OpKind kind);

// Whether `op` makes something that has a label: a file, directory, link or node, but not
// a further name.
inline bool MakesNewFile(const Op& op) {
  return (op.kind == OpKind::kOpenAt && (op.open.flags & O_CREAT) != 0) ||
         op.kind == OpKind::kMakeDirectory || op.kind == OpKind::kMakeNode ||
         op.kind == OpKind::kMakeSymlink;
}

// Whether an op of this kind makes the thread that carries it out wait, whatever is in
// memory: a server copies a range. A kernel that has helper threads leaves it to them.
bool AlwaysWaits(OpKind kind);

// Whether the system can be asked to carry out `op` only if that takes no waiting:
// opening what exists (RESOLVE_CACHED) and reading at an offset (RWF_NOWAIT).
bool CanBeAsked(const Op& op);

// Whether a kernel without helper threads carries out `op` at once.
bool IsImmediate(const Op& op);

// Whether `op` is a read or write whose device may be polled; see kernel.h.
inline bool IsPolled(const Op& op) {
  return (op.kind == OpKind::kRead || op.kind == OpKind::kWrite) && op.io.polled;
}

// Ops that are tied to each other, built in place: at most kOpsMax of them, no
// allocation.
class Chain {
 public:
  // A copy's longest chain has five: openat, write, install, close, close.
  static constexpr int kOpsMax = 7;

  // Appends `op`, tied to the op before it by `tie_to_previous`.
  // REQUIRES: fewer than kOpsMax ops.
  Chain& Add(const Op& op, Tie tie_to_previous = Tie::kSoft);

  // Marks all ops AtOnce(). With `may_ask`, a kernel that queues may queue the chain
  // instead if the first op would have to wait. It can only find that out if the first op
  // opens an existing file or reads at an offset (CanBeAsked()), and was not marked
  // AtOnce() before.
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

// A chain of `ops`, with all AtOnce() marks removed.
Chain WithoutMarks(absl::Span<const Op> ops);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_OP_H_

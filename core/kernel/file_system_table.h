// What is known about the file systems that a job meets: what each one does, according to
// its kind; what it has refused; and which pairs of them can't share blocks between files
// (reflinks, FICLONE). The copy finds out by trying what a file system refuses; the table
// remembers it for the whole job, so that it is not tried again for each file.
//
// A FileSystem is identified by the device number that its files report and by what
// statfs(2) reports, because a device number is reused once its file system is unmounted.
// So each subvolume of Btrfs is a FileSystem of its own, and learns for itself. A file
// may be on another FileSystem than its directory: if something is mounted over that file
// alone, or if overlayfs, or another file system made of several, reports the device
// numbers of its parts.
//
// Thread-safety: all methods may be called by any thread. Those of FileSystem, and
// MayClone(), take no lock, because they are called for every file. Finding a FileSystem
// takes a lock only if it is met for the first time, or if kRememberedMax others were met
// before it.
// Ownership: the table owns its entries, which don't move for as long as the table lives.

#ifndef RINGCP_CORE_KERNEL_FILE_SYSTEM_TABLE_H_
#define RINGCP_CORE_KERNEL_FILE_SYSTEM_TABLE_H_

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "core/base/mutex.h"
#include "core/kernel/file_systems.h"
#include "core/kernel/kernel.h"
#include "core/kernel/pollable_length.h"

namespace ringcp {

// RWF_DONTCACHE (Linux 6.14), which Debian 12's headers don't define yet; the number is
// ABI. A read or write with this flag leaves nothing in the page cache.
inline constexpr int kDontCache = 0x80;
// Whether the `result` of a read or write with kDontCache says that the flag is not
// supported.
inline bool RefusesDontCache(int32_t result) { return result == -EOPNOTSUPP; }

// Whether the `result` of a polled read or write may mean that polling is not supported.
// It does mean that if the same read or write then succeeds without polling, because
// O_DIRECT has other reasons for EINVAL.
inline bool MayRefusePolling(int32_t result) {
  return result == -EOPNOTSUPP || result == -EINVAL;
}

class FileSystem {
 public:
  // Stands for several devices; no file reports this number. See
  // FileSystemTable::kRememberedMax.
  static constexpr dev_t kNoDevice = static_cast<dev_t>(-1);

  // `kind` must outlive the FileSystem.
  FileSystem(dev_t device, const FileSystemKind& kind) : device_(device), kind_(kind) {}
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;

  // The device number that its files report.
  dev_t device() const { return device_; }

  // See FileSystemKind.
  bool tells_errors_at_close() const { return kind_.tells_errors_at_close; }
  bool tells_true_sizes() const { return kind_.tells_true_sizes; }
  bool gives_files_to_their_maker() const { return kind_.gives_files_to_their_maker; }
  bool has_true_inodes() const { return kind_.has_true_inodes; }
  int64_t time_unit() const { return kind_.time_unit; }
  bool copies_up() const { return kind_.copies_up; }
  bool may_open_truncating_only() const { return kind_.may_open_truncating_only; }
  bool may_keep_what_is_open() const { return kind_.may_keep_what_is_open; }
  bool may_write_by_calls_only() const { return kind_.may_write_by_calls_only; }
  bool clones_one_at_a_time() const { return kind_.clones_one_at_a_time; }

  // Whether it refuses kDontCache. If so, the copy drops its files from the page cache
  // once they have been copied.
  bool refuses_uncached_reads() const {
    return is_remembered() && uncached_reads_refused_.load(std::memory_order_relaxed);
  }
  bool refuses_uncached_writes() const {
    return is_remembered() && uncached_writes_refused_.load(std::memory_order_relaxed);
  }
  void NoteUncachedReadsRefused() {
    uncached_reads_refused_.store(true, std::memory_order_relaxed);
  }
  void NoteUncachedWritesRefused() {
    uncached_writes_refused_.store(true, std::memory_order_relaxed);
  }

  // Whether its files refuse O_DIRECT.
  bool refuses_direct() const {
    return is_remembered() && direct_refused_.load(std::memory_order_relaxed);
  }
  void NoteDirectRefused() { direct_refused_.store(true, std::memory_order_relaxed); }

  // Whether a copy between two of its files is worth leaving to its server. False for an
  // entry that stands for several devices, because they may have several servers.
  bool may_copy_on_server() const {
    return kind_.copies_on_server && is_remembered() &&
           !server_copies_refused_.load(std::memory_order_relaxed);
  }
  void NoteServerCopiesRefused() {
    server_copies_refused_.store(true, std::memory_order_relaxed);
  }
  // Whether `error_number` says that no range of any of its files can be copied, rather
  // than just this one. EINVAL and EBADF don't: a server answers so if a file is being
  // cut, say. Nor does EPERM, with which some sandboxes refuse the call: it costs little
  // to be refused without being sent.
  static bool RefusesAllServerCopies(int error_number) {
    return error_number == EOPNOTSUPP || error_number == ENOSYS || error_number == EXDEV;
  }

  // Whether it refuses to poll reads or writes.
  bool refuses_polling() const {
    return polling_refused_.load(std::memory_order_relaxed);
  }
  // Notes such a refusal and returns whether it is news. The caller warns the user only
  // then, so there is one warning for each FileSystem that is remembered.
  bool NotePollingRefused() {
    return is_remembered() && !polling_refused_.exchange(true, std::memory_order_relaxed);
  }

 private:
  friend class FileSystemTable;
  bool is_remembered() const { return device_ != kNoDevice; }

  const dev_t device_;
  const FileSystemKind& kind_;
  // From statfs(2); 0 if statfs(2) was not asked.
  uint64_t magic_ = 0;
  uint32_t id_ = 0;
  std::atomic<bool> uncached_reads_refused_ = false;
  std::atomic<bool> uncached_writes_refused_ = false;
  std::atomic<bool> direct_refused_ = false;
  std::atomic<bool> polling_refused_ = false;
  std::atomic<bool> server_copies_refused_ = false;
  // The PollableLength() of its device; kNotAsked until it is needed.
  static constexpr int64_t kNotAsked = -1;
  std::atomic<int64_t> pollable_bytes_ = kNotAsked;
  FileSystem* next_ = nullptr;  // In its table's list.
};

class FileSystemTable {
 public:
  // How many file systems are remembered: most jobs meet two, a job over hourly snapshots
  // of one week 170. All further ones of a kind share one FileSystem with kNoDevice,
  // which learns nothing: what they may refuse is tried for each file, and nothing is
  // polled there.
  static constexpr int kRememberedMax = 256;
  // How many pairs that can't clone are remembered; most jobs have one. For a further
  // pair, cloning is tried for each file.
  static constexpr int kPairsMax = 16;

  // Returns what PollableLength() does for `device`.
  using LengthFunction = std::function<uint32_t(dev_t device)>;

  explicit FileSystemTable(LengthFunction pollable_length =
                               [](dev_t device) {
                                 return PollableLength("/sys", device);
                               })
      : pollable_length_(std::move(pollable_length)) {}
  FileSystemTable(const FileSystemTable&) = delete;
  FileSystemTable& operator=(const FileSystemTable&) = delete;

  // The file system of the open file `fd` (O_PATH is enough), which reports `device`.
  FileSystem* Find(Kernel* kernel, int fd, dev_t device);
  FileSystem* Find(Kernel* kernel, FileRef file, dev_t device);
  // The file system of the open directory `fd`, whose parent directory is on `parents`
  // (nullptr: not known). Most directories are on the same one as their parent; for these
  // the system is not asked.
  FileSystem* FindBeneath(FileSystem* parents, Kernel* kernel, int fd, dev_t device) {
    const bool is_same = parents != nullptr && parents->device() == device;
    return is_same ? parents : Find(kernel, fd, device);
  }
  // The file system of what `name` in `directory` leads to, with symbolic links followed.
  FileSystem* FindAt(Kernel* kernel, int directory, const char* name, dev_t device);
  // Whether what `name` in `directory` leads to is on `file_system`, or on another part
  // of it that has another device number, such as a subvolume.
  static bool IsOnPartOf(const FileSystem& file_system, Kernel* kernel, int directory,
                         const char* name);
  // A file system that is known by its device alone. Its kind is not asked for, so the
  // worst is assumed (see FileSystemKind).
  FileSystem* FindByDevice(dev_t device);

  // Whether any file system has refused them.
  bool has_refused_uncached_reads() const {
    return HasRefused(&FileSystem::uncached_reads_refused_);
  }
  bool has_refused_uncached_writes() const {
    return HasRefused(&FileSystem::uncached_writes_refused_);
  }

  // How many bytes one polled operation on `file_system` may read or write; 0 if it can't
  // be polled or is not remembered. Its device is examined only once, unless several
  // threads are the first to need it at the same time.
  uint32_t PollableBytes(FileSystem* file_system) const;

  // Notes that files can't be cloned from `source` to `target`.
  void NoteCloneRefused(const FileSystem& source, const FileSystem& target);
  // Whether cloning is worth trying. If the source's file system is not known yet
  // (nullptr), it is not worth trying once any source has been refused for `target`.
  bool MayClone(const FileSystem* source, const FileSystem& target) const;
  // Whether `error_number` says that no file of a pair of file systems can be cloned,
  // rather than just this one.
  static bool RefusesAllClones(int error_number);

 private:
  struct Pair {
    const FileSystem* source = nullptr;
    const FileSystem* target = nullptr;
  };

  bool HasRefused(std::atomic<bool> FileSystem::*what) const;
  FileSystem* FindOrAdd(dev_t device, const FileSystemStat& stat);
  // A FileSystem that was met before, or nullptr.
  FileSystem* Look(dev_t device, const FileSystemStat& stat) const;
  // The FileSystem that all further ones of `kind` share (kRememberedMax), or nullptr.
  FileSystem* LookForRest(const FileSystemKind& kind) const;

  const LengthFunction pollable_length_;
  Mutex mutex_;  // Held while something is added.
  std::vector<std::unique_ptr<FileSystem>> all_ ABSL_GUARDED_BY(mutex_);
  // The FileSystem that was added last; its next_ leads to the one before. No next_
  // changes once its FileSystem is in the list.
  std::atomic<FileSystem*> last_ = nullptr;
  std::array<Pair, kPairsMax> pairs_;
  std::atomic<int> pairs_size_ = 0;  // Pairs below it no longer change.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_FILE_SYSTEM_TABLE_H_

// What is known of the file systems that a job meets: what each one does, as its kind
// tells, what it has refused, and which two of them can't share blocks between files
// (reflinks, FICLONE). What is refused is found out by trying, and remembered for the
// job, so that it is not tried again for each file.
//
// A FileSystem is known by the device number that its files tell, and by what statfs(2)
// tells: device numbers are given to others once a file system is unmounted. So each
// subvolume of Btrfs is one of its own, and learns for itself. A file may be on another
// one than its directory: where it is mounted over alone, or where overlayfs or another
// that is made of several tells the devices of those.
//
// Thread-safety: all methods may be called by any thread. Those of FileSystem, and
// MayClone(), take no lock: they are asked for every file. To find one takes a lock only
// when it is met for the first time, or is one too many to be remembered.
// Ownership: the table owns its entries, which stay where they are as long as it does.

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

// RWF_DONTCACHE (Linux 6.14), which Debian 12's headers do not name yet; the number is
// ABI. What is read or written with it leaves nothing in the page cache.
inline constexpr int kDontCache = 0x80;
// Whether the `result` of a read or write with it says that it is not to be had.
inline bool RefusesDontCache(int32_t result) { return result == -EOPNOTSUPP; }

// Whether the `result` of a polled read or write may say that polling is not to be had.
// It does if the same goes well without: EINVAL O_DIRECT also has for other reasons.
inline bool MayRefusePolling(int32_t result) {
  return result == -EOPNOTSUPP || result == -EINVAL;
}

class FileSystem {
 public:
  // No file tells this one: see FileSystemTable::kRememberedMax.
  static constexpr dev_t kNoDevice = static_cast<dev_t>(-1);

  // `kind` outlives it.
  FileSystem(dev_t device, const FileSystemKind& kind) : device_(device), kind_(kind) {}
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;

  // What its files tell.
  dev_t device() const { return device_; }

  // What it does: see FileSystemKind.
  bool tells_errors_at_close() const { return kind_.tells_errors_at_close; }
  bool tells_true_sizes() const { return kind_.tells_true_sizes; }
  bool gives_files_to_their_maker() const { return kind_.gives_files_to_their_maker; }
  bool has_true_inodes() const { return kind_.has_true_inodes; }
  bool copies_up() const { return kind_.copies_up; }
  bool may_open_truncating_only() const { return kind_.may_open_truncating_only; }
  bool may_keep_what_is_open() const { return kind_.may_keep_what_is_open; }
  bool may_write_by_calls_only() const { return kind_.may_write_by_calls_only; }

  // Whether it refuses kDontCache. What is copied there is dropped from the page cache
  // when it has been copied.
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

  // Whether its files do not take O_DIRECT.
  bool refuses_direct() const {
    return is_remembered() && direct_refused_.load(std::memory_order_relaxed);
  }
  void NoteDirectRefused() { direct_refused_.store(true, std::memory_order_relaxed); }

  // Whether reads or writes on it can't be polled.
  bool refuses_polling() const {
    return polling_refused_.load(std::memory_order_relaxed);
  }
  // Whether that is news; who hears of it warns of it, which is once for each one that is
  // remembered.
  bool NotePollingRefused() {
    return is_remembered() && !polling_refused_.exchange(true, std::memory_order_relaxed);
  }

 private:
  friend class FileSystemTable;
  bool is_remembered() const { return device_ != kNoDevice; }

  const dev_t device_;
  const FileSystemKind& kind_;
  // What statfs(2) tells; 0 where it was not asked.
  uint64_t magic_ = 0;
  uint32_t id_ = 0;
  std::atomic<bool> uncached_reads_refused_ = false;
  std::atomic<bool> uncached_writes_refused_ = false;
  std::atomic<bool> direct_refused_ = false;
  std::atomic<bool> polling_refused_ = false;
  // What PollableLength() tells of its device; kNotAsked before that is wanted.
  static constexpr int64_t kNotAsked = -1;
  std::atomic<int64_t> pollable_bytes_ = kNotAsked;
  FileSystem* next_ = nullptr;  // In its table.
};

class FileSystemTable {
 public:
  // File systems that are remembered: most jobs meet two, one of a snapshot for each hour
  // of a week 170. All further ones of a kind are one FileSystem, with kNoDevice, which
  // learns nothing: what they refuse is tried for each file, and nothing is polled there.
  static constexpr int kRememberedMax = 256;
  // Pairs that can't clone and are remembered; most jobs have one. Of further ones each
  // file is tried.
  static constexpr int kPairsMax = 16;

  // Tells what PollableLength() does of a device.
  using LengthFunction = std::function<uint32_t(dev_t device)>;

  explicit FileSystemTable(LengthFunction pollable_length =
                               [](dev_t device) {
                                 return PollableLength("/sys", device);
                               })
      : pollable_length_(std::move(pollable_length)) {}
  FileSystemTable(const FileSystemTable&) = delete;
  FileSystemTable& operator=(const FileSystemTable&) = delete;

  // What the open file `fd` (O_PATH is enough) is on, which tells the device `device`.
  FileSystem* Find(Kernel* kernel, int fd, dev_t device);
  // Of the open directory `fd`, which is in one that is on `parents` (nullptr: not
  // known): most are on the same, and nothing is asked then.
  FileSystem* FindBeneath(FileSystem* parents, Kernel* kernel, int fd, dev_t device) {
    const bool is_same = parents != nullptr && parents->device() == device;
    return is_same ? parents : Find(kernel, fd, device);
  }
  // What `name` in `directory` leads to, links followed.
  FileSystem* FindAt(Kernel* kernel, int directory, const char* name, dev_t device);
  // One that is known by its device alone, and whose kind nobody has asked for.
  FileSystem* FindByDevice(dev_t device);

  // Whether any has refused them.
  bool has_refused_uncached_reads() const {
    return HasRefused(&FileSystem::uncached_reads_refused_);
  }
  bool has_refused_uncached_writes() const {
    return HasRefused(&FileSystem::uncached_writes_refused_);
  }

  // How many bytes may be read or written in one polled operation; 0 where it can't be
  // polled, or is not remembered. Its device is looked at once (or, at the beginning,
  // once by each thread).
  uint32_t PollableBytes(FileSystem* file_system) const;

  // Notes that files can't be cloned from `source` to `target`.
  void NoteCloneRefused(const FileSystem& source, const FileSystem& target);
  // Whether it is worth trying. A source that is not known yet, nullptr, is taken for any
  // that has been refused.
  bool MayClone(const FileSystem* source, const FileSystem& target) const;
  // Whether `error_number` says that no file of a pair of file systems can be cloned, not
  // just this one.
  static bool RefusesAllClones(int error_number);

 private:
  struct Pair {
    const FileSystem* source = nullptr;
    const FileSystem* target = nullptr;
  };

  bool HasRefused(std::atomic<bool> FileSystem::*what) const;
  FileSystem* FindOrAdd(dev_t device, const FileSystemStat& stat);
  // One that was met before, or nullptr.
  FileSystem* Look(dev_t device, const FileSystemStat& stat) const;
  // That of all further ones of a kind.
  FileSystem* LookForRest(const FileSystemKind& kind) const;

  const LengthFunction pollable_length_;
  Mutex mutex_;  // Held by who adds something.
  std::vector<std::unique_ptr<FileSystem>> all_ ABSL_GUARDED_BY(mutex_);
  // The one that was added last; from there on by next_. None of them changes any more.
  std::atomic<FileSystem*> last_ = nullptr;
  std::array<Pair, kPairsMax> pairs_;
  std::atomic<int> pairs_size_ = 0;  // What is below it does not change any more.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_FILE_SYSTEM_TABLE_H_

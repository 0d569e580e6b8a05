// Large files that two workers copy together, each its share of the blocks on its own
// ring.
//
// Why: the kernel carries out the writes to one file one after another, but a copy also
// reads: while one worker writes a block, the other reads the next one. With 1.5 GB in
// the page cache and two CPUs, two workers took 0.53 (XFS), 0.80 (ext4) and 0.93 (tmpfs)
// of the time of one. Splitting the work into a reading and a writing thread was the
// alternative; every block then crosses from one CPU's cache to the other's. More than
// two workers only queue for the file's lock.
//
// Only files in the page cache are shared. A device is kept busy by one ring with many
// blocks on their way: with 3 GB to be read from a disk two workers took twice the CPU
// time of one and were no faster.
//
// The worker whose copy it is offers the file, copies blocks itself, withdraws the offer
// when there are no more to take, and closes the file only when its helper has left. A
// worker that has nothing else left to do helps; none is taken from other files.
//
// A FileSource takes its blocks from here (file_source.h); the copies of a file that
// several workers share have the outcome here as well.
//
// Thread-safety: all methods of both classes may be called by any thread, but for
// Start().

#ifndef RINGCP_CORE_FILE_SHARED_FILE_H_
#define RINGCP_CORE_FILE_SHARED_FILE_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "core/base/file_error.h"
#include "core/base/mutex.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"
#include "core/kernel/wake_up.h"

namespace ringcp {

// The blocks of one file, for whoever copies them, and what has become of them.
class SharedFile {
 public:
  // Blocks that one worker has on their way at a time. Few, so that they stay in the
  // CPU's cache between the read and the write. Alone, enough to keep both the ring's
  // thread and its kernel worker busy; with a helper, one for each CPU: with two each,
  // the same took 1.12 (ext4), 1.10 (XFS) and 1.22 (tmpfs) of the time.
  static constexpr int kLanesAlone = 4;
  static constexpr int kLanesTogether = 1;

  // Prepares to copy [begin, end) from one open file to the other.
  // REQUIRES: nobody uses it; both descriptors stay open as long as anybody does.
  void Start(int source_fd, int target_fd, uint64_t begin, uint64_t end);

  // What the two are on from the next Start() on.
  void SetFileSystems(FileSystem* source, FileSystem* target) {
    source_file_system_ = source;
    target_file_system_ = target;
  }
  FileSystem* source_file_system() const { return source_file_system_; }
  FileSystem* target_file_system() const { return target_file_system_; }

  int source_fd() const { return source_fd_; }
  int target_fd() const { return target_fd_; }

  // Takes the next block, of at most `length_max` bytes: its length, 0 when there is
  // none.
  uint32_t Take(uint32_t length_max, uint64_t* offset);
  // A read found the end of the source at `offset`: there are no more blocks.
  void FindEnd(uint64_t offset);
  // A block can't be copied: there are no more blocks. The first failure counts.
  void Fail(Operation operation, int error_number);
  // Hands out no more blocks.
  void Stop();
  // A block that was taken is not copied.
  void DropBlock();

  // The helper has added `bytes` of it to the counters' bytes_done.
  void Count(int64_t bytes) { counted_.fetch_add(bytes, std::memory_order_relaxed); }
  // How many since this was asked last.
  int64_t TakeCounted() { return counted_.exchange(0, std::memory_order_relaxed); }

  // Whether there are no more blocks to take.
  bool exhausted() const;
  // Whether all blocks that were to be copied are, once those who took them are done.
  bool complete() const;
  bool end_found() const;
  // The first place where a read found the end. REQUIRES: end_found().
  uint64_t end_offset() const;
  Operation failed_operation() const;
  int error_number() const;  // 0 when nothing failed.
  // How many blocks one worker should have on their way.
  int lanes_max() const;

 private:
  friend class SharedFiles;
  void NoteHelp();

  int source_fd_ = -1;
  int target_fd_ = -1;
  FileSystem* source_file_system_ = nullptr;
  FileSystem* target_file_system_ = nullptr;
  std::atomic<int64_t> counted_ = 0;

  mutable Mutex mutex_;
  uint64_t next_offset_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t end_ ABSL_GUARDED_BY(mutex_) = 0;
  bool end_found_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t end_offset_ ABSL_GUARDED_BY(mutex_) = 0;
  bool block_missing_ ABSL_GUARDED_BY(mutex_) = false;
  bool has_helper_ ABSL_GUARDED_BY(mutex_) = false;
  Operation failed_operation_ ABSL_GUARDED_BY(mutex_) = Operation::kRead;
  int error_number_ ABSL_GUARDED_BY(mutex_) = 0;
};

// The files of a job that are to be had for helping.
class SharedFiles {
 public:
  // Contents from which on a file is shared: below that, the time until a helper has come
  // counts for as much as what it saves.
  static constexpr uint64_t kBytesMin = 8 * 1024 * 1024;

  // `workers`: how many will join in the end, or be subtracted by OneWorkerLess().
  explicit SharedFiles(int workers, uint64_t bytes_min = kBytesMin)
      : bytes_min_(bytes_min), workers_busy_(workers) {}

  uint64_t bytes_min() const { return bytes_min_; }

  // For the worker whose copy it is. `file` stays where it is until it is withdrawn.
  void Offer(SharedFile* file);
  // Lets nobody begin to help any more. Whether nobody helps: then the file is the
  // caller's alone again. If not, its kernel is woken when it is worth asking again.
  bool Withdraw(Kernel* kernel, SharedFile* file);

  enum class Joined {
    kFile,        // Here is one to help with.
    kNothingYet,  // The caller's kernel is woken when it is worth asking again.
    kOver,        // No worker has anything else left to do: there will be no more.
  };
  // For a worker with nothing else left to do, which asks until it is told kOver.
  Joined Join(Kernel* kernel, SharedFile** file);
  // Ends what Join() began. The caller has nothing of the file in flight any more.
  void Leave(const SharedFile* file);

  // A worker that was announced does not come.
  void OneWorkerLess();
  // The worker of `kernel`, which has nothing of a file in flight, will not help any
  // more, and is not woken either.
  void GiveUp(const Kernel* kernel);

 private:
  struct Offered {
    SharedFile* file = nullptr;
    bool open = true;  // Somebody may begin to help.
    bool has_helper = false;
    Kernel* owner = nullptr;  // To be woken when the helper leaves.
  };

  void OneBusyLess() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Offered* Find(const SharedFile* file) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Offered* FindOpen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint64_t bytes_min_;
  Mutex mutex_;
  // Of workers that have joined, and wait for a file.
  WaitingKernels waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<Offered> offered_ ABSL_GUARDED_BY(mutex_);
  int workers_busy_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_SHARED_FILE_H_

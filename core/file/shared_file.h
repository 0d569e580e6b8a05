// Large files that two workers copy together. Each worker copies its share of the blocks
// on its own ring.
//
// The kernel lets only one thread at a time write to a file, but a copy also reads: while
// one worker writes a block, the other reads the next one. From the page cache, two
// workers took 0.53 to 0.93 of the time of one, depending on the file system
// (BENCHMARKS.md, "Ways to copy a large file"). More than two workers would only wait for
// the file's lock. The alternative was one thread that reads and one that writes; every
// block would then cross from one CPU's cache to the other's.
//
// Only files in the page cache are shared. One ring with many blocks on their way keeps a
// device busy, so a second worker would cost CPU time and save none.
//
// The worker that owns the file's copy offers the file, copies blocks itself, withdraws
// the offer when there are no more blocks to take, and closes the file only after its
// helper has left. Only workers that have nothing else left to do help.
//
// A FileSource takes its blocks from a SharedFile (file_source.h). The SharedFile also
// keeps the common outcome for the BlockPumps of both workers.
//
// Thread-safety: any thread may call all methods of both classes, except
// SharedFile::Start().

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
#include "core/kernel/op.h"
#include "core/kernel/wake_up.h"

namespace ringcp {

// The blocks of one file, handed out to the workers that copy it, and the outcome.
class SharedFile {
 public:
  // The most blocks that one worker has on their way at the same time. They are few, so
  // that they stay in the CPU's cache between the read and the write. Alone, a worker
  // needs enough of them to keep both the ring's thread and its kernel worker busy. With
  // a helper, each CPU needs one: with two the copy took 1.1 to 1.2 times as long
  // (BENCHMARKS.md, "Ways to copy a large file").
  static constexpr int kLanesAlone = 4;
  static constexpr int kLanesTogether = 1;

  // Prepares to copy the bytes [begin, end) from one open file to the other.
  // REQUIRES: nobody uses this object; both files have ordinary descriptors, which stay
  // open while anybody uses it.
  void Start(FileRef source, FileRef target, uint64_t begin, uint64_t end);

  // Sets the file systems of the two files, from the next Start() on.
  void SetFileSystems(FileSystem* source, FileSystem* target) {
    source_file_system_ = source;
    target_file_system_ = target;
  }
  FileSystem* source_file_system() const { return source_file_system_; }
  FileSystem* target_file_system() const { return target_file_system_; }

  FileRef source() const { return source_; }
  FileRef target() const { return target_; }

  // Takes the next block, of at most `length_max` bytes. Returns its length, or 0 if
  // there are no more blocks.
  uint32_t Take(uint32_t length_max, uint64_t* offset);
  // A read found the end of the source at `offset`. No more blocks are handed out.
  void FindEnd(uint64_t offset);
  // A block can't be copied. No more blocks are handed out. The first failure counts.
  void Fail(Operation operation, int error_number);
  // No more blocks are handed out.
  void Stop();
  // A block was taken, but will not be copied.
  void DropBlock();

  // The helper has added `bytes` of this file to the counters' bytes_done.
  void Count(int64_t bytes) { counted_.fetch_add(bytes, std::memory_order_relaxed); }
  // The bytes that Count() was given since the last call.
  int64_t TakeCounted() { return counted_.exchange(0, std::memory_order_relaxed); }

  // Whether there are no more blocks to take.
  bool exhausted() const;
  // Whether all blocks are copied. Blocks still on their way count as copied.
  bool complete() const;
  bool end_found() const;
  // The smallest offset at which a read found the end. REQUIRES: end_found().
  uint64_t end_offset() const;
  Operation failed_operation() const;
  int error_number() const;  // 0 if nothing has failed.
  // The most blocks that one worker should have on their way.
  int lanes_max() const;

 private:
  friend class SharedFiles;
  void NoteHelp();

  FileRef source_;
  FileRef target_;
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

// The large files of a job that workers may help with.
class SharedFiles {
 public:
  // The smallest file that is shared. With a smaller one, waiting for the helper takes as
  // long as its help saves.
  static constexpr uint64_t kBytesMin = 8 * 1024 * 1024;

  // `workers`: the number of workers. Each will call Join() in the end, or be subtracted
  // by OneWorkerLess().
  explicit SharedFiles(int workers, uint64_t bytes_min = kBytesMin)
      : bytes_min_(bytes_min), workers_busy_(workers) {}

  uint64_t bytes_min() const { return bytes_min_; }

  // For the worker that owns the file's copy. `file` must not move until Withdraw() has
  // returned true.
  void Offer(SharedFile* file);
  // For the same worker. From now on no other worker begins to help. Returns true if no
  // worker helps: the file then belongs to the caller alone again. Otherwise wakes the
  // caller's `kernel` when the helper leaves; the caller then asks again.
  bool Withdraw(Kernel* kernel, SharedFile* file);

  enum class Joined {
    kFile,        // `file` is one to help with.
    kNothingYet,  // `kernel` is woken when it is worth asking again.
    kOver,        // No worker has anything else left to do, so no file will be offered.
  };
  // For a worker with nothing else left to do. It asks until the answer is kOver.
  Joined Join(Kernel* kernel, SharedFile** file);
  // Ends the help that Join() began. REQUIRES: the caller has nothing of the file in
  // flight.
  void Leave(const SharedFile* file);

  // A worker that the constructor counted does not come.
  void OneWorkerLess();
  // The worker of `kernel` will not help any more, and its kernel is not woken either.
  // REQUIRES: the worker has nothing of a file in flight.
  void GiveUp(const Kernel* kernel);

 private:
  struct Offered {
    SharedFile* file = nullptr;
    bool open = true;  // A worker may begin to help.
    bool has_helper = false;
    Kernel* owner = nullptr;  // Is woken when the helper leaves.
  };

  void OneBusyLess() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Offered* Find(const SharedFile* file) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Offered* FindOpen() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint64_t bytes_min_;
  Mutex mutex_;
  // The kernels of workers that have called Join() and wait for a file.
  WaitingKernels waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<Offered> offered_ ABSL_GUARDED_BY(mutex_);
  int workers_busy_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_SHARED_FILE_H_

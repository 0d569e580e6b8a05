// Reads a tree's directories and yields what is in them, batch by batch, to any number
// of threads.
//
// The directories still to be read are a stack: whoever wants work takes the top one,
// reads a piece of it (one getdents64 call), puts it back if there is more, puts the
// subdirectories it found on top, and goes off with the other entries. So
//  - the tree is walked depth first: the stack grows with its depth, not its size. It is
//    also bounded for wide directories: when kPendingMax directories wait, a reader takes
//    one subdirectory at a time and rewinds the directory to just behind it;
//  - a flat directory is shared among all threads, piece by piece, and so is a deep one;
//    of a piece a thread gives half of what is left to one that waits for work (400 files
//    of 2.6 MB in one directory, warm on ext4, two threads of system calls: 0.36 s
//    before, 0.23 s);
//  - of a piece, entries come by their inodes' numbers, about the order they were made
//    in, as in GNU cp: what was made together lies together, in the copy as well. ext4
//    lists names by their hash (50,000 files in one directory, warm: 0.56 s as they are
//    listed, 0.53 s sorted; cold, on a virtual disk, there was no difference);
//  - threads keep out of each other's way: one that finds another at work among the
//    subdirectories of a directory goes on in a different one, if any waits a little
//    below the top of the stack. The kernel makes entries of a directory one after
//    another, so two threads that make sister directories wait for each other, spinning
//    (50,000 empty directories in 500, on ext4: 0.80 s of time and 1.23 s of CPU so, 0.74
//    s and 1.03 s apart);
//  - no thread is set aside for walking, and the lock is taken once per piece.
//
// What a directory lists as the type of an entry is a hint: file systems may know no
// better, and a device may be mounted over a file. So what is listed as a directory and
// can't be entered as one is looked at and yielded as what it is; what is yielded and
// turns out to be a directory is given back (AddDirectory). Each entry is looked at once,
// so that nobody who keeps exchanging it keeps a thread busy.
//
// Directories in progress are open. When more are than may be, those that only wait for
// what is below them are parked: closed, and opened again, beneath what is open above
// them or from below, when they are read on, when a child of theirs is entered, or when
// they are left. So a tree may be deeper than a process may have files open. The ordinary
// walk pays for that with a comparison.
//
// A directory is left when the last of its entries and subdirectories has been released,
// by whichever thread that is.
//
// Thread-safety: all methods may be called by any thread, except the Add* functions,
// which come before the first Next().

#ifndef RINGCP_CORE_TREE_WALK_H_
#define RINGCP_CORE_TREE_WALK_H_

#include <dirent.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/types/span.h"
#include "core/base/mutex.h"
#include "core/kernel/kernel.h"
#include "core/kernel/wake_up.h"
#include "core/tree/directory.h"

namespace ringcp {

// What kind of file a directory entry is. (Directories are not yielded.)
enum class EntryKind : uint8_t {
  kRegular,
  kSymlink,
  kSpecial,  // A pipe, device or socket, to be made anew.
  kStream,   // A pipe or device whose contents are to be copied.
};

struct WalkEntry {
  EntryKind kind = EntryKind::kRegular;
  bool follow = false;  // The name may be a symbolic link that is to be followed.
  // The kind was seen by a stat; else it is only what the directory lists.
  bool looked_at = false;
  uint64_t inode = 0;  // As the directory has it; 0 for what was named.
  // Valid as long as the batch is.
  const char* source_name = nullptr;
  const char* target_name = nullptr;
};

// What is done with directories while they are walked. Called by the threads that call
// Next() and Release(), each with its own kernel, several at a time, but never twice for
// one directory.
class WalkVisitor {
 public:
  enum class Entered {
    kToBeRead,
    kNotToBeRead,    // It is left all the same.
    kIsNoDirectory,  // Only where it has not been looked at; it is not left.
  };

  virtual ~WalkVisitor() = default;

  // Opens directory->source.fd, and whatever else the entries will need. With
  // kIsNoDirectory nothing is open; if a stat says that there is one (behind a link that
  // is to be followed), it is entered once more.
  virtual Entered Enter(Kernel* kernel, Directory* directory) = 0;

  // The directory's first piece with entries has been read, or all of it, `empty`: before
  // any of them is yielded, does what they need. False: they are dropped and no more are
  // read; the directory is left all the same.
  virtual bool MakeReady(Kernel* /*kernel*/, Directory* /*directory*/, bool /*empty*/) {
    return true;
  }

  // Everything in the directory has been released. Closes what Enter() opened. Must not
  // use the parent's descriptors, which may be parked; its own are only if Reopen()
  // failed or is not wanted.
  virtual void Leave(Kernel* kernel, Directory* directory) = 0;

  // Closes what Enter() and MakeReady() opened, for now. False: it stays open.
  virtual bool Park(Kernel* /*kernel*/, Directory* /*directory*/) { return false; }
  // Opens it again: the same directory as before, else it is false, reported. `child` is
  // one of its children that may still be open, or nullptr. No directory is parked
  // meanwhile, and none reopened by another thread.
  virtual bool Reopen(Kernel* /*kernel*/, Directory* /*directory*/,
                      const Directory* /*child*/) {
    return false;
  }
  // Whether one that is parked has to be reopened to be left.
  virtual bool LeavesByDescriptor(const Directory& /*directory*/) const { return false; }

  // The directory could not be read to its end.
  virtual void OnReadError(const Directory& directory, int error_number) = 0;

  // The entry `name` could not be looked at, to find out what it is.
  virtual void OnEntryError(const Directory& directory, const char* name,
                            int error_number) = 0;
};

// What is left of a piece of a directory.
class WalkBatch {
 public:
  // One getdents64 call's worth, as glibc's readdir() takes: some 800 entries of usual
  // length, which are sorted among themselves.
  static constexpr int kBufferBytes = 32 * 1024;
  // ... where what follows the first subdirectory is to be read again.
  static constexpr int kRereadBytes = 2 * 1024;

  // Each entry holds the directory: give each back with Walk::Release().
  Directory* directory() const { return directory_; }
  absl::Span<const WalkEntry> entries() const {
    return absl::MakeConstSpan(entries_).subspan(taken_);
  }

 private:
  friend class Walk;

  // What getdents64 filled in; names point into it.
  struct Buffer {
    alignas(8) std::array<char, kBufferBytes> bytes;
  };

  Directory* directory_ = nullptr;
  std::vector<WalkEntry> entries_;
  size_t taken_ = 0;
  bool is_shareable_ = false;  // Counted in Walk::shareable_batches_.
  std::shared_ptr<Buffer> buffer_;
  // Another batch, split off this one, has names in it: it is not to be filled again.
  bool buffer_is_shared_ = false;
};

class Walk {
 public:
  // Directories that may wait to be read. At about 200 bytes each, plus their names.
  static constexpr int kPendingMax = 4096;

  enum class Result {
    kBatch,       // The batch has entries.
    kMore,        // There is more, but this has taken long enough: ask again.
    kNothingYet,  // Other threads may find something, or have too much open.
    kFinished,    // There is nothing more, and never will be.
  };

  // `follow_links`: symbolic links below the roots are looked through. `open_max`:
  // directories that may be open at a time while any thread has other things to do, or
  // any can be parked. A thread that has nothing else to do opens another all the same,
  // so that there may be one more for each.
  // REQUIRES: `visitor` outlives the walk, and so does `kernel`, the one of the thread
  // that destroys it.
  Walk(Kernel* kernel, WalkVisitor* visitor, bool follow_links, int open_max);
  // REQUIRES: no thread waits or is in Next(); every entry yielded has been released.
  ~Walk();

  // The directory that the roots are in: an open one, not to be read itself. Owned by
  // the walk; never entered or left.
  Directory* top() { return &top_; }

  // Adds a directory to be walked; `names` is a child of top().
  void AddRoot(std::unique_ptr<Directory> root);
  // Adds an entry of top() that is no directory.
  void AddEntry(EntryKind kind, bool follow, std::string source_name,
                std::string target_name);

  // Yields a batch; what is left of the one before is forgotten. Never waits for other
  // threads. With `may_wait`, the caller has nothing else to do: after kNothingYet others
  // share entries with it, and its kernel is woken when it is worth asking again. It must
  // ask until it is told kFinished, or call Stop().
  Result Next(Kernel* kernel, bool may_wait, WalkBatch* batch);

  // Takes the next entry of a batch that has any. It is valid as long as the batch is.
  WalkEntry Take(WalkBatch* batch);

  // If a thread waits for work, gives it half of what `batch` has left. To be called now
  // and then while none are taken. Cheap where nobody waits.
  void ShareIfWanted(WalkBatch* batch) {
    if (waiting_.load(std::memory_order_relaxed) > 0) Share(batch);
  }

  // Walks the directory that the entry `name` of `directory` has turned out to be, with
  // `follow` if need be behind a symbolic link. Next() has something again, though it may
  // have said kFinished; to other threads only if they have not gone.
  // REQUIRES: the caller holds `directory`, which is not top().
  void AddDirectory(Directory* directory, const std::string& name, bool follow);

  // Gives back one hold on `directory`, for an entry that is settled.
  void Release(Kernel* kernel, Directory* directory);

  // Makes Next() return kFinished from now on; the caller is woken no more. Directories
  // in progress are left as their last entries are released.
  void Stop(Kernel* kernel);

 private:
  struct NamedEntry {
    WalkEntry entry;
    std::string source_name;
    std::string target_name;
  };

  // Notes whether the thread of `kernel` waits for what others find or share.
  void NoteWaiting(Kernel* kernel, bool waits) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Next(), the batch being an empty one.
  Result FindBatch(Kernel* kernel, bool may_wait, WalkBatch* batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Enters `directory`, whose parent is open, and reads up to its first piece with
  // entries; as ReadPiece().
  bool ReadFirstPiece(Kernel* kernel, Directory* directory, bool one_child,
                      WalkBatch* batch,
                      std::vector<std::unique_ptr<Directory>>* children);
  // Looks at what was listed as a directory and is none: enters it if it is one after
  // all, else yields it in `batch`.
  WalkVisitor::Entered LookAgain(Kernel* kernel, Directory* directory, WalkBatch* batch);
  // Reads one piece of `directory` into `batch` and its subdirectories into `children`;
  // true when there may be more.
  bool ReadPiece(Kernel* kernel, Directory* directory, bool one_child, WalkBatch* batch,
                 std::vector<std::unique_ptr<Directory>>* children);
  // The batch's buffer, to be filled anew.
  static char* PrepareBuffer(WalkBatch* batch);
  // A directory found in `parent`, not counted among what holds that.
  static std::unique_ptr<Directory> NewChild(Directory* parent, const char* name,
                                             bool follow, bool looked_at);
  // Adds what a record of the directory tells of, if that can be looked at.
  void AddFound(Kernel* kernel, Directory* directory, const struct dirent64& record,
                WalkBatch* batch, std::vector<std::unique_ptr<Directory>>* children);
  // Before `directory` is entered or read on: parks those above it, and those that once
  // were parked, until `room` more may be open, or none is left that can be.
  void MakeRoom(Kernel* kernel, const Directory& directory, int room)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ParkIfPossible(Kernel* kernel, Directory* directory)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Reopens one that is parked; true if it is open then.
  bool Unpark(Kernel* kernel, Directory* directory, const Directory* child)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sees to what is parked when a directory is left: itself, and what is above it, which
  // is reached from here by one step.
  void UnparkToLeave(Kernel* kernel, Directory* directory);
  // Puts the roots on the stack, the first of them on top.
  void PushRoots() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Puts a directory on top of the stack.
  void Push(Directory* directory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The group whose last directory is to be read next. REQUIRES: any waits.
  size_t ChooseGroup() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the last directory of a group off the stack.
  Directory* TakeFrom(size_t group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Share(WalkBatch* batch);
  // Takes a directory out of reopened_, if it is there.
  void ForgetReopened(const Directory* directory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Counts a batch among those that entries may be given away from, or does not any more.
  void NoteShareable(WalkBatch* batch, bool is_shareable)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool TakeTopEntries(WalkBatch* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Kernel* const own_kernel_;
  WalkVisitor* const visitor_;
  const bool follow_links_;
  const int open_max_;
  std::atomic<int> open_ = 0;  // Directories entered, and neither left nor parked.
  // How many threads wait for what others may still find or share: waiting_kernels_.
  std::atomic<int> waiting_ = 0;
  Directory top_;
  std::vector<NamedEntry> top_entries_;

  Mutex mutex_;
  WaitingKernels waiting_kernels_ ABSL_GUARDED_BY(mutex_);
  size_t top_entries_taken_ ABSL_GUARDED_BY(mutex_) = 0;
  // As they were added, until the first Next().
  std::vector<Directory*> roots_ ABSL_GUARDED_BY(mutex_);
  // The stack, in groups of directories that have one parent; none of them is empty.
  std::vector<std::vector<Directory*>> pending_ ABSL_GUARDED_BY(mutex_);
  size_t pending_count_ ABSL_GUARDED_BY(mutex_) = 0;  // In all groups.
  int readers_ ABSL_GUARDED_BY(mutex_) = 0;
  // Those that have been parked and are open, in the order they were reopened.
  std::vector<Directory*> reopened_ ABSL_GUARDED_BY(mutex_);
  // Batches in the threads' hands with an entry that could be given away.
  int shareable_batches_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<WalkBatch> shared_ ABSL_GUARDED_BY(mutex_);  // Given away, not taken yet.
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_WALK_H_

// Reads a tree's directories and yields their entries, batch by batch, to any number of
// threads.
//
// The directories still to be read form a stack. A thread that wants work takes the top
// directory, reads a piece of it (one getdents64 call), puts it back if there is more to
// read, pushes the subdirectories that it found, and goes off with the other entries.
// Therefore:
//  - The tree is walked depth first, and the stack grows with the tree's depth, not its
//    size. Wide directories can't make it grow without bound either: when kPendingMax
//    directories wait, a reader takes one subdirectory at a time and rewinds the
//    directory to just behind it.
//  - All threads share a flat directory piece by piece, and a deep tree as well. A thread
//    also gives half of what is left of its piece to a thread that waits for work;
//    otherwise a directory of a few hundred files would keep a single thread busy.
//  - The entries of a piece are sorted by inode number, as in GNU cp. That is roughly the
//    order in which they were created, so files that were created together lie together
//    in the copy as well; ext4 lists names by their hash.
//  - Threads keep out of each other's way. A thread that finds another at work among the
//    subdirectories of a directory takes one of a different directory, if one waits a
//    little below the top of the stack. The kernel creates the entries of a directory one
//    after another, so two threads that create sister directories would spin on one lock.
//  - No thread is set aside for walking, and the lock is taken a few times per piece,
//    never per entry.
// BENCHMARKS.md ("Walking a tree") has what these choices gain.
//
// The type that a directory lists for an entry is only a hint: some file systems don't
// know the type, and a device may be mounted over a file. So if an entry listed as a
// directory can't be entered as one, the walk looks at it with a stat and yields it as
// what it is. If a caller finds that a yielded entry is a directory, it gives the entry
// back (AddDirectory). Each entry is looked at only once, so somebody who keeps replacing
// it can't keep a thread busy.
//
// Directories in progress are open. When more than `open_max` are, the walk parks those
// that only wait for what is below them: it closes their descriptors. It opens a parked
// directory again, beneath an open directory above it or from a child below it, when the
// directory is read on, when a child of it is entered, or when leaving it needs a
// descriptor. So a tree may be deeper than the number of files a process may have open. A
// walk that never parks pays only a few comparisons for this.
//
// A directory is left when the last of its entries and subdirectories has been released,
// by whichever thread does that.
//
// What is in a directory may also be given beforehand, instead of being read: so it is in
// top(), and in the directories above a source that are copied with it (--parents). Those
// are entered, made ready, parked and left like all others.
//
// Thread-safety: all methods may be called by any thread, except those that add what is
// given, which must be called before the first Next().

#ifndef RINGCP_CORE_TREE_WALK_H_
#define RINGCP_CORE_TREE_WALK_H_

#include <dirent.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/types/span.h"
#include "core/base/mutex.h"
#include "core/kernel/kernel.h"
#include "core/kernel/wake_up.h"
#include "core/tree/directory.h"
#include "core/tree/walk_entry.h"

namespace ringcp {

// Acts on directories while they are walked. The threads that call Next() and Release()
// call these methods, each with its own kernel. Several calls may run at the same time,
// but never two for one directory, except of OnEntryError().
class WalkVisitor {
 public:
  enum class Entered {
    kToBeRead,
    kNotToBeRead,    // Leave() is still called.
    kIsNoDirectory,  // Only if it was not looked at; Leave() is not called.
  };

  virtual ~WalkVisitor() = default;

  // Opens directory->source.fd, unless the directory's entries are given, and whatever
  // else the entries will need. When it returns kIsNoDirectory, it has left nothing open.
  // If a stat then says that there is a directory after all (behind a link that is to be
  // followed), Enter() is called once more.
  virtual Entered Enter(Kernel* kernel, Directory* directory) = 0;

  // Called before any entry is yielded, when the first piece of the directory that has
  // entries has been read, or, with `empty`, when the whole directory has been read and
  // has none. Does what the entries need. If it returns false, the entries are dropped
  // and no more are read, but the directory is still left.
  virtual bool MakeReady(Kernel* /*kernel*/, Directory* /*directory*/, bool /*empty*/) {
    return true;
  }

  // Called when everything in the directory has been released. Closes what Enter() and
  // MakeReady() opened. Must not use the parent's descriptors, because the parent may be
  // parked. The directory itself is parked only if Reopen() failed or
  // LeavesByDescriptor() said no.
  virtual void Leave(Kernel* kernel, Directory* directory) = 0;

  // Closes for now what Enter() and MakeReady() opened. False: all of it stays open.
  virtual bool Park(Kernel* /*kernel*/, Directory* /*directory*/) { return false; }
  // Opens again what Park() closed. Returns false, after reporting why, unless it finds
  // the same directory as before. `child` is a child of the directory that may still be
  // open, or nullptr. Meanwhile no directory is parked, and no other thread reopens one.
  virtual bool Reopen(Kernel* /*kernel*/, Directory* /*directory*/,
                      const Directory* /*child*/) {
    return false;
  }
  // Whether Leave() needs the directory's descriptors, so that a parked one has to be
  // reopened first.
  virtual bool LeavesByDescriptor(const Directory& /*directory*/) const { return false; }

  // The directory could not be read to its end.
  virtual void OnReadError(const Directory& directory, int error_number) = 0;

  // The entry `name` could not be looked at, to find out what it is.
  virtual void OnEntryError(const Directory& directory, const char* name,
                            int error_number) = 0;
};

// The entries of a piece of a directory that have not been taken yet.
class WalkBatch {
 public:
  // The size of one getdents64 call, as in glibc's readdir(). It holds some 800 entries
  // of usual length, which are sorted together.
  static constexpr int kBufferBytes = 32 * 1024;
  // The size of a call if only one subdirectory is taken, because what follows it will be
  // read again.
  static constexpr int kRereadBytes = 2 * 1024;

  // Each entry holds the directory: give every hold back with Walk::Release().
  Directory* directory() const { return directory_; }
  absl::Span<const WalkEntry> entries() const {
    return absl::MakeConstSpan(entries_).subspan(taken_);
  }

 private:
  friend class Walk;

  // What getdents64 filled in; the entries' names point into it.
  struct Buffer {
    alignas(8) std::array<char, kBufferBytes> bytes;
  };

  Directory* directory_ = nullptr;
  std::vector<WalkEntry> entries_;
  size_t taken_ = 0;
  bool is_shareable_ = false;  // Counted in Walk::shareable_batches_.
  std::shared_ptr<Buffer> buffer_;
  // Another batch has names in the buffer, so it must not be filled again.
  bool buffer_is_shared_ = false;
};

class Walk {
 public:
  // Directories that may wait to be read. Each takes about 370 bytes, plus its name.
  static constexpr int kPendingMax = 4096;

  enum class Result {
    kBatch,       // The batch has entries.
    kMore,        // There is more, but this call has taken long enough: ask again.
    kNothingYet,  // Other threads may find something, or have too much open.
    kFinished,    // There is nothing more, and never will be.
  };

  // `follow_links`: whether symbolic links below the roots are followed. `open_max`: how
  // many directories may be open at a time while any thread has other things to do, or
  // any directory can be parked. A thread that has nothing else to do goes beyond that
  // rather than wait, by one directory, or by two if the parent is parked.
  // REQUIRES: `visitor` and `kernel` outlive the walk; `kernel` belongs to the thread
  // that destroys it.
  Walk(Kernel* kernel, WalkVisitor* visitor, bool follow_links, int open_max);
  // REQUIRES: no thread waits for the walk or is in Next(); every entry yielded has been
  // released.
  ~Walk();

  // The directory that the roots are in. It is open and not read itself. Owned by the
  // walk; never entered or left.
  Directory* top() { return &top_; }

  // These add to what is given in `parent`: top(), or a directory that AddGiven() added.
  // A source's name leads to it from top(), in whatever directory it is given.
  //
  // Adds `root`, a directory that is to be read.
  void AddRoot(Directory* parent, std::unique_ptr<Directory> root);
  void AddRoot(std::unique_ptr<Directory> root) { AddRoot(top(), std::move(root)); }
  // Adds an entry that is no directory.
  void AddEntry(Directory* parent, NamedEntry entry) {
    parent->given->entries.push_back(std::move(entry));
  }
  // What is given in a directory is yielded in the order in which it was added: a
  // directory, with all that is below it, before what follows it. Otherwise entries come
  // first, and threads share the directories.
  // REQUIRES: one thread takes entries, and takes all of a batch before it asks for the
  // next one.
  void KeepOrder() { keeps_order_ = true; }
  // Adds `directory`, whose entries are to be given. Returns it; it belongs to the walk.
  // REQUIRES: top()->source.fd is AT_FDCWD, and so becomes the directory's.
  Directory* AddGiven(Directory* parent, std::unique_ptr<Directory> directory);

  // Yields the next batch in `batch`; entries still in there are forgotten. Never waits
  // for other threads. With `may_wait`, the caller has nothing else to do: after
  // kNothingYet other threads share entries with it, and its kernel is woken when asking
  // again is worthwhile. Such a caller must keep asking until it gets kFinished, or call
  // Stop().
  Result Next(Kernel* kernel, bool may_wait, WalkBatch* batch);

  // Takes the next entry of a batch; it is valid as long as the batch is.
  // REQUIRES: the batch has one.
  WalkEntry Take(WalkBatch* batch);

  // If a thread waits for work, gives it half of what `batch` has left. A thread that
  // takes no entries for a while calls this now and then. Cheap if nobody waits.
  void ShareIfWanted(WalkBatch* batch) {
    if (waiting_.load(std::memory_order_relaxed) > 0 &&
        !has_shared_.load(std::memory_order_relaxed)) {
      Share(batch);
    }
  }

  // Walks the directory that the entry `name` of `directory` has turned out to be; with
  // `follow`, a symbolic link may lead to it. Next() then yields again, though it may
  // have returned kFinished; other threads get a share only if they still ask.
  // REQUIRES: the caller holds `directory`, which is not top().
  void AddDirectory(Directory* directory, const std::string& name, bool follow);

  // Gives back one hold on `directory`, for an entry that is done, and leaves it if that
  // was the last one.
  void Release(Kernel* kernel, Directory* directory) {
    if (GiveBack(directory)) Leave(kernel, directory);
  }
  // Release() in two parts. True: it was the last hold, and Leave() must be called.
  bool GiveBack(Directory* directory) {
    return directory->holds.fetch_sub(1, std::memory_order_acq_rel) == 1 &&
           !directory->is_top();
  }
  // Whether fewer directories are open than may be. If not, directories should be left
  // one after the other, because leaving one that was parked opens it again.
  bool has_room() const { return open_.load(std::memory_order_relaxed) < open_max_; }
  // Leaves `directory`, and each directory above it of which that was the last hold.
  void Leave(Kernel* kernel, Directory* directory);

  // How many calls of Next() may find something without waiting for another thread.
  size_t PiecesToTake();
  // Asks other threads to share entries with the thread of `kernel`, which has none left,
  // until that thread calls Next(). Its kernel is woken when calling that is worthwhile.
  // Returns true, and asks nobody, if a share is there for it to take already.
  // REQUIRES: the thread goes on to call Next().
  bool AskForShare(Kernel* kernel);

  // Makes Next() return kFinished from now on; the caller's kernel is not woken any more.
  // Calls of Next() under way make nothing ready any more and yield nothing. What nobody
  // will take is released. Directories in progress are left when their last entries are
  // released.
  void Stop(Kernel* kernel) {
    Stop(kernel, [&](Directory* directory) { Release(kernel, directory); });
  }
  // The same for a caller that releases by itself: `give_back` gets each hold that is to
  // be given back.
  void Stop(Kernel* kernel, const std::function<void(Directory*)>& give_back);

 private:
  // For flags that the lock guards and that are only compared without it.
  static constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

  // Records whether the thread of `kernel` waits for what others find or share.
  void NoteWaiting(Kernel* kernel, bool waits) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Next(), with an empty batch.
  Result FindBatch(Kernel* kernel, bool may_wait, WalkBatch* batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Enters `directory`, whose parent is open, and reads up to the first piece with
  // entries. Returns the same as ReadPiece().
  bool ReadFirstPiece(Kernel* kernel, Directory* directory, bool one_child,
                      WalkBatch* batch,
                      std::vector<std::unique_ptr<Directory>>* children);
  // Looks at `directory`, which is listed as one but could not be entered as one. Enters
  // it if it is a directory after all; otherwise yields it in `batch`.
  WalkVisitor::Entered LookAgain(Kernel* kernel, Directory* directory, WalkBatch* batch);
  // Reads one piece of `directory`: entries into `batch`, subdirectories into `children`.
  // With `one_child`, stops behind the first subdirectory. Returns true if there may be
  // more.
  bool ReadPiece(Kernel* kernel, Directory* directory, bool one_child, WalkBatch* batch,
                 std::vector<std::unique_ptr<Directory>>* children);
  // The same for what the system lists, in its order.
  bool ReadRecords(Kernel* kernel, Directory* directory, bool one_child, WalkBatch* batch,
                   std::vector<std::unique_ptr<Directory>>* children);
  // Takes a few of the first `end` entries that are given in `directory`, in order.
  static void TakeGiven(Directory* directory, size_t end, WalkBatch* batch);
  // Drops what was found in `directory`, which its reader still holds, because the walk
  // was stopped meanwhile.
  static void Drop(Directory* directory, WalkBatch* batch,
                   std::vector<std::unique_ptr<Directory>>* children);
  // The buffer that the batch's names go into; a new one if other batches use the old
  // one.
  static char* PrepareBuffer(WalkBatch* batch);
  // Makes a directory that was found in `parent`. Does not add its hold on `parent`.
  static std::unique_ptr<Directory> NewChild(Directory* parent, const char* name,
                                             bool follow, bool looked_at);
  // Adds the entry that `record` is about, unless it has to be looked at and can't be.
  void AddFound(Kernel* kernel, Directory* directory, const struct dirent64& record,
                WalkBatch* batch, std::vector<std::unique_ptr<Directory>>* children);
  // To be called before `directory` is entered or read on. Parks directories above it,
  // and reopened ones, until `room` more may be open or none is left that can be parked.
  void MakeRoom(Kernel* kernel, const Directory& directory, int room)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ParkIfPossible(Kernel* kernel, Directory* directory)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Reopens a parked directory; returns whether it is open now.
  bool Unpark(Kernel* kernel, Directory* directory, const Directory* child)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // To be called when `directory` is about to be left. Reopens it if it is parked and
  // Leave() needs it open, and reopens its parked parent if there is room, because that
  // is only one step up from here.
  void UnparkToLeave(Kernel* kernel, Directory* directory);
  // Puts the directories given in top() on the stack, the first one on top.
  void PushRoots() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PushRoot(std::unique_ptr<Directory> root) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What is given in top() and has its turn: entries into `batch`, or else a directory
  // onto the stack. Returns whether there were entries.
  bool TakeTop(WalkBatch* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Puts a directory on top of the stack.
  void Push(Directory* directory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The group whose last directory is to be read next.
  // REQUIRES: a directory waits.
  size_t ChooseGroup() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the last directory of a group off the stack.
  Directory* TakeFrom(size_t group) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Share(WalkBatch* batch);
  // Removes a directory from reopened_, if it is in there.
  void ForgetReopened(const Directory* directory) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Counts `batch` in shareable_batches_, or no longer.
  void NoteShareable(WalkBatch* batch, bool is_shareable)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool TakeTopEntries(size_t end, WalkBatch* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Kernel* const own_kernel_;
  WalkVisitor* const visitor_;
  const bool follow_links_;
  const int open_max_;
  bool keeps_order_ = false;
  std::atomic<int> open_ = 0;  // Directories entered, and neither left nor parked.
  // The size of waiting_kernels_, to be read without the lock: how many threads wait for
  // what others may still find or share.
  std::atomic<int> waiting_ = 0;
  std::atomic<bool> has_shared_ = false;  // shared_ is not empty.
  Directory top_;  // What is given in it is guarded by the lock from the first Next() on.

  Mutex mutex_;
  WaitingKernels waiting_kernels_ ABSL_GUARDED_BY(mutex_);
  // The stack, in groups of neighbours with the same parent; no group is empty.
  std::vector<std::vector<Directory*>> pending_ ABSL_GUARDED_BY(mutex_);
  size_t pending_count_ ABSL_GUARDED_BY(mutex_) = 0;  // In all groups.
  int readers_ ABSL_GUARDED_BY(mutex_) = 0;
  // Directories that were parked and are open again, in the order of their reopening.
  std::vector<Directory*> reopened_ ABSL_GUARDED_BY(mutex_);
  // Batches in the threads' hands that have entries to give away.
  int shareable_batches_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<WalkBatch> shared_ ABSL_GUARDED_BY(mutex_);  // Given away, not taken yet.
  // Written with the lock held. Without it, it is only read to save work.
  std::atomic<bool> stopped_ = false;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_WALK_H_

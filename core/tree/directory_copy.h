// Copies directories themselves: makes each one's target before anything in it is copied
// (a root's before it is read, in which it may lie; others' when it is known whether they
// are empty), and gives it its mode, owner and times when everything in it is there (what
// is put into a directory changes its times, and may need it writable).
//
// Thread-safety: all methods may be called by any thread, never twice for one directory.

#ifndef RINGCP_CORE_TREE_DIRECTORY_COPY_H_
#define RINGCP_CORE_TREE_DIRECTORY_COPY_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "core/base/mutex.h"
#include "core/file/copy_policy.h"
#include "core/file/reporter.h"
#include "core/kernel/kernel.h"
#include "core/tree/directory.h"
#include "core/tree/target_directory.h"
#include "core/tree/walk.h"

namespace ringcp {

class DirectoryCopy : public WalkVisitor {
 public:
  // REQUIRES: `reporter` outlives this.
  DirectoryCopy(const FileCopyPolicy& policy, bool one_file_system, gid_t group,
                Reporter* reporter)
      : policy_(policy),
        one_file_system_(one_file_system),
        group_(group),
        reporter_(reporter) {}

  Entered Enter(Kernel* kernel, Directory* directory) override;
  bool MakeReady(Kernel* kernel, Directory* directory, bool empty) override;
  void Leave(Kernel* kernel, Directory* directory) override;
  bool Park(Kernel* kernel, Directory* directory) override;
  bool Reopen(Kernel* kernel, Directory* directory, const Directory* child) override;
  bool LeavesByDescriptor(const Directory& directory) const override {
    return directory.target->has_to_be_finished();
  }
  void OnReadError(const Directory& directory, int error_number) override;
  void OnEntryError(const Directory& directory, const char* name,
                    int error_number) override;

  int64_t directories_done() const { return done_.load(std::memory_order_relaxed); }
  // Directories not copied whole, and entries that could not be looked at.
  int64_t failed() const { return failed_.load(std::memory_order_relaxed); }

 private:
  struct Root {
    std::string source;
    std::string target;
  };

  void Fail(const FileError& error);
  // Opens the source. kNotToBeRead: it is to be copied, but can't be read, or, reported,
  // there is nothing to copy: then *copyable is false.
  Entered OpenSource(Kernel* kernel, Directory* directory, bool* copyable);
  // `empty`: nothing will be put into it. Such a target is opened only where something
  // has to be set by descriptor.
  bool MakeTarget(Kernel* kernel, Directory* directory, bool empty);
  // Whether the mode of a target just made, without `withheld`, is what it is to be.
  bool NeedsNothing(Kernel* kernel, const Directory& directory, mode_t withheld) const;
  // Opens the target and looks at it; false, reported, if it can't be used.
  bool OpenTarget(Kernel* kernel, Directory* directory, struct statx* stat);
  // Notes what is to be done to the open target at the end, and sees to the rights that
  // it needs meanwhile; false, reported, if it can't get them.
  bool PlanAttributes(Kernel* kernel, Directory* directory, mode_t withheld,
                      const struct statx& stat);
  // The mode that a target is to have whose source's is kept.
  mode_t KeptMode(Kernel* kernel, const Directory& directory);
  // Does to the open target what was noted.
  void SetAttributes(Kernel* kernel, const Directory& directory);
  // Whether the source is a target of this very job, or one of its own parents.
  bool IsOwnTarget(const Directory& directory);
  bool IsCycle(const Directory& directory);
  void NoteRoot(const Directory& directory, dev_t device, ino_t inode);

  const FileCopyPolicy policy_;
  const bool one_file_system_;
  const gid_t group_;
  Reporter* const reporter_;
  std::atomic<int64_t> done_ = 0;
  std::atomic<int64_t> failed_ = 0;

  Mutex mutex_;
  // The targets of the roots: a source directory that is one of them lies in the job's
  // own output.
  absl::flat_hash_map<std::pair<dev_t, ino_t>, Root> roots_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_DIRECTORY_COPY_H_

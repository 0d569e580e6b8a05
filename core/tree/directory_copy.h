// Copies directories themselves. It makes each target before anything is copied into it:
// a root's before the root is read, because the target may lie in the root; a given one's
// as soon as it is entered; others when it is known whether the directory is empty. It
// sets a target's mode, owner and times when everything is in there, because putting
// things into a directory changes its times and may need a mode that permits writing.
// This class decides when; SourceTree does what concerns the source, TargetTree what
// concerns the target.
//
// Thread-safety: all methods may be called by any thread, but for one directory only by
// one thread at a time, except OnEntryError().

#ifndef RINGCP_CORE_TREE_DIRECTORY_COPY_H_
#define RINGCP_CORE_TREE_DIRECTORY_COPY_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "core/file/copy_policy.h"
#include "core/file/reporter.h"
#include "core/kernel/kernel.h"
#include "core/tree/directory.h"
#include "core/tree/directory_failures.h"
#include "core/tree/source_tree.h"
#include "core/tree/target_tree.h"
#include "core/tree/walk.h"

namespace ringcp {

class DirectoryCopy : public WalkVisitor {
 public:
  // `group`: the process's group.
  // REQUIRES: `policy` and `reporter` outlive this. The policy may change until the first
  // directory is entered.
  DirectoryCopy(const FileCopyPolicy& policy, bool one_file_system, gid_t group,
                Reporter* reporter)
      : preserve_(policy.preserve),
        failures_(reporter),
        source_(one_file_system, policy.file_systems, &failures_),
        target_(policy, group, &failures_) {}

  Entered Enter(Kernel* kernel, Directory* directory) override;
  bool MakeReady(Kernel* kernel, Directory* directory, bool empty) override;
  void Leave(Kernel* kernel, Directory* directory) override;
  bool Park(Kernel* kernel, Directory* directory) override;
  bool Reopen(Kernel* kernel, Directory* directory, const Directory* child) override;
  bool LeavesByDescriptor(const Directory& directory) const override;
  void OnReadError(const Directory& directory, int error_number) override;
  void OnEntryError(const Directory& directory, const char* name,
                    int error_number) override;

  int64_t directories_done() const { return done_.load(std::memory_order_relaxed); }
  // Directories that were not copied whole, and entries that could not be looked at.
  int64_t failed() const { return failures_.count(); }

 private:
  Reporter* reporter() const { return failures_.reporter(); }
  // Makes the target and plans what is to be done to it. Returns false, after reporting
  // why, if nothing can be put into it. `empty`: nothing will be put into it.
  bool MakeTarget(Kernel* kernel, Directory* directory, bool empty);

  const Preserve& preserve_;
  DirectoryFailures failures_;
  SourceTree source_;
  TargetTree target_;
  std::atomic<int64_t> done_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_DIRECTORY_COPY_H_

// The target's half of a DirectoryCopy: makes directories or finds that they exist, plans
// what is to be done to them at the end, and does it. All it knows about the source is a
// stat and attributes.
//
// Thread-safety: all methods may be called by any thread, but for one directory only by
// one thread at a time.

#ifndef RINGCP_CORE_TREE_TARGET_TREE_H_
#define RINGCP_CORE_TREE_TARGET_TREE_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "core/base/mutex.h"
#include "core/file/copy_policy.h"
#include "core/file/reporter.h"
#include "core/file/target_label.h"
#include "core/kernel/kernel.h"
#include "core/tree/directory.h"
#include "core/tree/directory_failures.h"
#include "core/tree/target_directory.h"

namespace ringcp {

class TargetTree {
 public:
  enum class Made {
    kFinished,  // Nothing more is to be done to it; it is not open.
    kOpen,      // Plan() comes next.
    kFailed,    // Reported.
    kSkipped,   // The source is its own target, and nothing is to be done.
  };

  // `group`: the process's group.
  // REQUIRES: `policy` and `failures` outlive this.
  TargetTree(const FileCopyPolicy& policy, gid_t group, DirectoryFailures* failures)
      : policy_(policy), group_(group), failures_(failures) {}

  // Whether the source is a target of this same job, which would be copied into itself;
  // if so, reports it.
  bool IsOwnTarget(const Directory& directory);

  // Makes the target or finds that it exists, opens it, and fills in `stat` for it.
  // `empty`: nothing will be put into it; then it is opened only if something has to be
  // set through its descriptor.
  // Sets *backup to the name that an old target has now, or to "", also if it fails.
  Made Make(Kernel* kernel, Directory* directory, bool empty, struct statx* stat,
            std::string* backup);

  // Notes what is to be done to the open target at the end, and gives it the permissions
  // that it needs meanwhile. Returns false, after reporting why, if it can't. `stat` is
  // as Make() gave it.
  bool Plan(Kernel* kernel, Directory* directory, const struct statx& stat);

  // Does to the open target what was planned.
  void Finish(Kernel* kernel, const Directory& directory);

 private:
  struct Root {
    std::string source;
    std::string target;
  };

  // The mode that counts for the target if none is kept, and the permissions of it that
  // the target is made without.
  mode_t ModeToTake(const Directory& directory) const;
  mode_t Withheld(const Directory& directory) const;
  // Whether nothing has to be set on a target that was just made without `withheld`.
  bool NeedsNothing(Kernel* kernel, const Directory& directory, mode_t withheld) const;
  void Fail(const Directory& directory, const CopyFailure& failure);
  // Opens the target and looks at it: kOpen, or kFailed or kSkipped if it is not to be
  // used.
  Made Open(Kernel* kernel, Directory* directory, struct statx* stat);
  // Which target it is, by its parent and its name.
  static FileCopyNames NamesOf(const Directory& directory);
  // Returns 0 or -errno; nothing, after reporting why, if it was not tried for want of
  // the target's label.
  std::optional<int32_t> MakeLabelled(Kernel* kernel, const Directory& directory,
                                      mode_t mode);
  // Tells of a label that the target has not got. False if it can't be used for that.
  bool TakeLabel(const Directory& directory, const TargetLabel& label,
                 const std::optional<CopyFailure>& failure);
  // What has the target's name is no directory: gives it another name (--backup), if that
  // is its fate. Returns false, after reporting why, if it can't.
  bool BackUp(Kernel* kernel, const Directory& directory, std::string* backup);
  void NoteRoot(const Directory& directory, dev_t device, ino_t inode);

  const FileCopyPolicy& policy_;
  const gid_t group_;
  DirectoryFailures* const failures_;

  Mutex mutex_;
  // The targets of the roots. If a source directory is one of them, the walk has come to
  // the job's own output.
  absl::flat_hash_map<std::pair<dev_t, ino_t>, Root> roots_ ABSL_GUARDED_BY(mutex_);
  // The sources that have been told to lead into a target.
  std::set<std::string> told_of_ ABSL_GUARDED_BY(mutex_);
};

// Gives `backup` in the target of `parent` the name `target` again, because the copy that
// was to take its place has failed, and tells that, or why it can't. May be called by any
// thread.
void EndBackup(Kernel* kernel, const Directory& parent, const std::string& target,
               const std::string& backup, Reporter* reporter);

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_TARGET_TREE_H_

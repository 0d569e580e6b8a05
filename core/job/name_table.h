// Sorts the sources of a command out by the names that they come to in the target
// directory, and tells which must not be copied at the same time.
//
// Thread-safety: belongs to one thread.

#ifndef RINGCP_CORE_JOB_NAME_TABLE_H_
#define RINGCP_CORE_JOB_NAME_TABLE_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "core/base/copy_options.h"
#include "core/file/reporter.h"
#include "core/job/top_level_source.h"
#include "core/kernel/kernel.h"

namespace ringcp {

class NameTable {
 public:
  // `target_fd`: the directory that they are names in.
  NameTable(Kernel* kernel, int target_fd, const CopyRequest& request);

  // Whether `source` is to be copied; says why not, and marks collisions.
  bool Admit(TopLevelSource* source, const struct statx& stat, Reporter* reporter);

  // Whether one of the admitted sources may be read while another one is copied over it:
  // it is what that one's target is by now, or lies below it. Then they are copied one
  // after another. (What leads from elsewhere into a directory that is merged into, a
  // hard link say, is not looked for.)
  bool MayReadTargets(const std::vector<TopLevelSource>& sources);

 private:
  struct Seen {
    dev_t device;
    ino_t inode;
    bool is_directory;
    std::string source;
  };

  // Whether one with a new name may come to where an earlier one does.
  bool MayMeet(const TopLevelSource& source);
  // Different names may lead to one directory that is there, by mounts.
  bool HasKnownDirectory(const std::string& name);
  // ... or to one file, by hard or symbolic links.
  bool HasKnownFile(const std::string& name);
  // Whether a directory, or one above it, is a target that is there.
  bool IsBelowTarget(const std::string& directory);

  Kernel* const kernel_;
  const int target_fd_;
  const bool has_several_;  // More than one source will be admitted.
  const bool no_clobber_;
  const bool preserves_links_;
  absl::flat_hash_map<std::string, Seen> names_;
  absl::flat_hash_set<std::string> lower_names_;
  absl::flat_hash_set<std::pair<dev_t, ino_t>> sources_;  // Of several.
  absl::flat_hash_set<std::pair<dev_t, ino_t>> targets_;  // That are there.
  bool has_directory_ = false;                            // Among them.
  bool merged_ = false;  // All that follow may come to where an earlier one does.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_NAME_TABLE_H_

// Sorts out the sources of a command by the names that they get in the target directory,
// and finds out which of them must not be copied at the same time.
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
#include "core/job/parent_table.h"
#include "core/job/top_level_source.h"
#include "core/kernel/kernel.h"

namespace ringcp {

class NameTable {
 public:
  // `target_fd`: the target directory, in which the sources get their names. `parents`
  // knows what is there of their parents.
  // REQUIRES: `parents` outlives this.
  NameTable(Kernel* kernel, int target_fd, const CopyRequest& request,
            ParentTable* parents);

  // Whether `source` is to be copied. If not, reports why; if so, marks whether it
  // collides with an earlier source.
  bool Admit(TopLevelSource* source, const struct statx& stat, Reporter* reporter);

  // Marks whether the parents of a source, in which it is to be copied, may be reached in
  // another way, too, in which something else is to be copied.
  void AdmitParents(TopLevelSource* source);

  // Whether an admitted source may be read while another one is copied over it: it is the
  // existing target of that other source, or lies below it. Then the sources have to be
  // copied one after another. (Other ways into a directory that is merged into, such as a
  // hard link from elsewhere, are not looked for.)
  bool MayReadTargets(const std::vector<TopLevelSource>& sources);

 private:
  struct Seen {
    dev_t device;
    ino_t inode;
    bool is_directory;
    std::string source;
  };

  // Whether the same directory entry was named as a source before, under any name.
  bool IsNamedAgain(const TopLevelSource& source, const struct statx& stat);
  // Whether a parent that is new by its name may be an earlier parent or target.
  bool MayMeetAsParent(const std::string& path, const std::string& as_typed);
  // Whether a source with a new name may be copied to the same place as an earlier one.
  bool MayMeet(const TopLevelSource& source);
  // Whether `name` leads to an existing directory that another name leads to as well, by
  // a mount. Adds the directory to targets_.
  bool HasKnownDirectory(const std::string& name);
  // The same for a file, to which several hard or symbolic links may lead.
  bool HasKnownFile(const std::string& name);
  // Whether `directory`, or one above it, is an existing target.
  bool IsBelowTarget(const std::string& directory);

  Kernel* const kernel_;
  const int target_fd_;
  ParentTable* const parents_;
  const bool has_parents_;  // --parents
  const bool has_several_;  // The command has more than one source.
  const bool keeps_existing_;
  const bool backs_up_;
  // Whether a source need not be refused for a name that an earlier one got: nothing is
  // replaced, or what is replaced stays under another name.
  const bool need_not_refuse_;
  const bool preserves_links_;
  // By what is left of their paths without "." parts.
  absl::flat_hash_map<std::string, Seen> names_;
  absl::flat_hash_map<std::string, std::string> parent_names_;  // As typed.
  absl::flat_hash_set<std::string> lower_names_;
  absl::flat_hash_set<std::pair<dev_t, ino_t>> sources_;  // Filled if has_several_.
  absl::flat_hash_set<std::pair<dev_t, ino_t>> targets_;  // Existing ones.
  bool has_directory_ = false;                            // In targets_.
  absl::flat_hash_set<std::pair<dev_t, ino_t>> parent_directories_;  // Existing ones.
  // With --parents: the files that were named as sources.
  absl::flat_hash_map<std::pair<dev_t, ino_t>, std::vector<std::string>> files_;
  bool merged_ = false;  // Any further source may meet an earlier one.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_NAME_TABLE_H_

// The directories above the sources of a command that are copied with them (--parents):
// what is there in the target already, and which of them can't be had.
//
// As in GNU cp a source whose parents all exist in the target leaves them as they are;
// else those that are missing are made, and all of them get the attributes that are kept.
// They are made when the sources are copied, as directories of the walk (Walk::AddGiven).
// This table only decides before that, because GNU cp's messages are about one source
// after another, and what they say depends on both sides.
//
// Thread-safety: belongs to one thread.

#ifndef RINGCP_CORE_JOB_PARENT_TABLE_H_
#define RINGCP_CORE_JOB_PARENT_TABLE_H_

#include <sys/types.h>

#include <set>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "core/base/copy_options.h"
#include "core/file/reporter.h"
#include "core/job/top_level_source.h"
#include "core/kernel/kernel.h"

namespace ringcp {

class ParentTable {
 public:
  enum class Kind { kMissing, kDirectory, kLinkToNowhere, kOther };
  struct Parent {
    Kind kind = Kind::kMissing;
    dev_t device = 0;  // Of a directory.
    ino_t inode = 0;
  };

  // `target_fd`: the target directory; `target`: its name as a user would write it.
  ParentTable(Kernel* kernel, int target_fd, std::string target,
              const CopyOptions& options)
      : kernel_(kernel),
        target_fd_(target_fd),
        target_(std::move(target)),
        keeps_attributes_(options.preserve.any_attribute()) {}

  // Finds out which parents `source` has. Returns whether the source itself may be
  // copied. If not, it has reported why, and source->parents says how many of the parents
  // are to be made all the same. `is_there`: the source itself was looked at.
  bool Admit(TopLevelSource* source, bool is_there, Reporter* reporter);

  // What `path` leads to in the target directory, before anything is copied.
  const Parent& Find(const std::string& path);

 private:
  Kernel* const kernel_;
  const int target_fd_;
  const std::string target_;
  const bool keeps_attributes_;
  absl::flat_hash_map<std::string, Parent> found_;
  std::set<std::string> made_;  // Paths of parents that the sources so far make.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_PARENT_TABLE_H_

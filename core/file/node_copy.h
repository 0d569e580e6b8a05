// Copies what is neither a regular file nor a directory: symbolic links, pipes, devices
// and sockets, each as what it is. The calls are made one after the other by the thread
// that asks for them, because each depends on what the one before has told.
//
// Thread-safety: the function may be called by any thread, for different targets.

#ifndef RINGCP_CORE_FILE_NODE_COPY_H_
#define RINGCP_CORE_FILE_NODE_COPY_H_

#include <sys/stat.h>

#include <string>
#include <vector>

#include "core/file/copy_policy.h"
#include "core/kernel/kernel.h"

namespace ringcp {

enum class NodeOutcome {
  kCopied,
  kSkipped,
  kAsks,  // The user has to say whether the target may be replaced.
  kKeptNewer,
  kFailed,
};

// A source that is opened only to be looked at (O_PATH). Its type, its identity and its
// attributes are those of one file, whatever happens to the file's name.
//
// Thread-safety: belongs to one thread.
class NodeSource {
 public:
  explicit NodeSource(Kernel* kernel) : kernel_(kernel) {}
  ~NodeSource();
  NodeSource(const NodeSource&) = delete;
  NodeSource& operator=(const NodeSource&) = delete;

  // Opens names.source and looks at it. Returns 0 or an errno. REQUIRES: called once.
  int Open(const FileCopyNames& names);

  int fd() const { return fd_; }
  const struct statx& stat() const { return stat_; }

 private:
  Kernel* const kernel_;
  int fd_ = -1;
  struct statx stat_ = {};
};

struct NodeResult {
  NodeOutcome outcome = NodeOutcome::kFailed;
  CopyFailure failure;                      // The reason for kFailed.
  mode_t target_mode = 0;                   // With kAsks: the target's st_mode.
  std::vector<CopyFailure> xattr_failures;  // See AttributePlan.
  OldTarget old_target = OldTarget::kKept;
  bool is_made = false;  // The target is there, even if its attributes could not be set.
  std::string backup;    // The name that an old target got, if it is kBackedUp.
  // A temporary name that could not be removed, and why; 0: none is left.
  std::string left_behind;
  int left_behind_error = 0;
};

// Makes names.target a symbolic link with the text `path` (-s), by which the user knows
// `source`. A relative path leads to the source only from the current directory, so
// elsewhere it is refused, as in GNU cp.
NodeResult MakeLinkToSource(const FileCopyPolicy& policy, const FileCopyNames& names,
                            const NodeSource& source, const std::string& path);

// Copies the symbolic link, pipe, device or socket `source` to names.target. GNU cp's
// rules decide whether it replaces an old target. A target stays even if its attributes
// could not be set: placed_target.h says why.
NodeResult CopyNode(const FileCopyPolicy& policy, const FileCopyNames& names,
                    const NodeSource& source);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_NODE_COPY_H_

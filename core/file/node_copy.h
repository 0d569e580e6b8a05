// Copies what is neither a regular file nor a directory: symbolic links as links, pipes,
// devices and sockets as such. By ops at once: there is nothing to overlap in them.
//
// Thread-safety: the function may be called by any thread, for different targets.

#ifndef RINGCP_CORE_FILE_NODE_COPY_H_
#define RINGCP_CORE_FILE_NODE_COPY_H_

#include <sys/stat.h>

#include <string>

#include "core/file/copy_policy.h"
#include "core/kernel/kernel.h"

namespace ringcp {

enum class NodeOutcome { kCopied, kSkipped, kFailed };

// A source, opened for nothing but to be looked at (O_PATH): its type, which file it is
// and what it says are those of one file, whatever happens to its name.
//
// Thread-safety: belongs to one thread.
class NodeSource {
 public:
  explicit NodeSource(Kernel* kernel) : kernel_(kernel) {}
  ~NodeSource();
  NodeSource(const NodeSource&) = delete;
  NodeSource& operator=(const NodeSource&) = delete;

  // Opens names.source: 0 or an errno. REQUIRES: called once.
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
  CopyFailure failure;  // Of kFailed.
  // The source has an access control list, which the copy lacks.
  bool access_left_out = false;
  OldTarget old_target = OldTarget::kKept;
};

// Copies the symbolic link, pipe, device or socket `source` to names.target. What is in
// the way is replaced or not by GNU cp's rules. A target that lacks only attributes is
// left: placed_target.h says why.
NodeResult CopyNode(const FileCopyPolicy& policy, const FileCopyNames& names,
                    const NodeSource& source);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_NODE_COPY_H_

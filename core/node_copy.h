// Copies what is neither a regular file nor a directory: symbolic links as links, pipes,
// devices and sockets as such, and further names of files as hard links. By system calls:
// there is nothing to overlap in them.
//
// Thread-safety: the functions may be called by any thread, for different targets.

#ifndef RINGCP_CORE_NODE_COPY_H_
#define RINGCP_CORE_NODE_COPY_H_

#include <sys/stat.h>

#include <string>

#include "core/copy_policy.h"

namespace ringcp {

enum class NodeOutcome { kCopied, kSkipped, kFailed };

// Copies the symbolic link, pipe, device or socket names.source, whose lstat is `stat`.
// On kFailed, `failure` says why; a target that lacks only attributes is left.
NodeOutcome CopyNode(const FileCopyPolicy& policy, const FileCopyNames& names,
                     const struct stat& stat, CopyFailure* failure);

// Makes `name` in `directory` a hard link to `existing_name` in `existing_directory`,
// replacing what is there (unless no_clobber). On kFailed, `failure` says why.
NodeOutcome MakeHardLink(const FileCopyPolicy& policy, int existing_directory,
                         const char* existing_name, int directory, const char* name,
                         CopyFailure* failure);

// Opens the directory that the last part of `path` is in, step by step beneath `top` and
// without following links: an O_PATH descriptor, or -errno. `path` may be longer than
// PATH_MAX.
int OpenParentBeneath(int top, const std::string& path);

}  // namespace ringcp

#endif  // RINGCP_CORE_NODE_COPY_H_

// Finds out how an existing target is related to the source, if a decision needs more
// than the two stats tell: whether both names are the same entry, and where symbolic
// links lead.
//
// Thread-safety: the functions may be called by any thread.

#ifndef RINGCP_CORE_FILE_TARGET_RELATION_H_
#define RINGCP_CORE_FILE_TARGET_RELATION_H_

#include <sys/stat.h>

#include "core/file/copy_policy.h"
#include "core/file/target_decision.h"
#include "core/kernel/kernel.h"

namespace ringcp {

// How names.target, whose stat is `existing`, is related to a source of contents.
// `source` is the stat of the open source, so it followed symbolic links if the copy
// does. `existing` followed none, because the target is to be replaced by its name; so a
// target that is a symbolic link to the source counts as another file.
Relation RelationOfContents(Kernel* kernel, const FileCopyNames& names,
                            const struct statx& source, const struct statx& existing);

// The same for a source that is a symbolic link, a pipe, a device or a socket.
Relation RelationOfNode(Kernel* kernel, const FileCopyNames& names,
                        const struct statx& source, const struct statx& existing);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_RELATION_H_

// What a target that is in the way is to the source, where a decision asks for more than
// the two stats tell: whether both names are one, and what links lead to.
//
// Thread-safety: the functions may be called by any thread.

#ifndef RINGCP_CORE_FILE_TARGET_RELATION_H_
#define RINGCP_CORE_FILE_TARGET_RELATION_H_

#include <sys/stat.h>

#include "core/file/copy_policy.h"
#include "core/file/target_decision.h"
#include "core/kernel/kernel.h"

namespace ringcp {

// What names.target is to a source of contents. Links are followed in `source` as they
// are where it was found, but not in the target's stat, `existing`: it is to be replaced
// by its name. A link to the source is another file then.
Relation RelationOfContents(Kernel* kernel, const FileCopyNames& names,
                            const struct statx& source, const struct statx& existing);

// The same of a source that is a link, a pipe, a device or a socket.
Relation RelationOfNode(Kernel* kernel, const FileCopyNames& names,
                        const struct statx& source, const struct statx& existing);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_RELATION_H_

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

// What names.target, whose stat `existing` is, is to the source, a link, a pipe, a device
// or a socket. Links are followed in neither stat, but in `source` as they are where it
// was found.
Relation RelationOfNode(Kernel* kernel, const FileCopyNames& names,
                        const struct statx& source, const struct statx& existing);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_RELATION_H_

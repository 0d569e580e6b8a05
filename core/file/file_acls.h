// The access control lists (ACLs) that new files inherit from their directories.
//
// Thread-safety: the functions may be called by any thread.

#ifndef RINGCP_CORE_FILE_FILE_ACLS_H_
#define RINGCP_CORE_FILE_FILE_ACLS_H_

#include <sys/types.h>

#include <optional>

#include "core/kernel/kernel.h"

namespace ringcp {

// The most permissions (of 0777) that a new entry of the directory `fd` gets from the
// directory's default ACL: none if that ACL can't be understood. Absent if there is no
// default ACL.
std::optional<mode_t> GrantsOfDefaultAcl(Kernel* kernel, int fd);

// Replaces the access ACL of the directory `fd` by the permissions (0777) of `mode`, and
// removes its default ACL. The directory was just made, and has inherited both from its
// parent. False if it may still have one of them: the group bits of its mode may then be
// an ACL's mask.
bool ReplaceInheritedAcls(Kernel* kernel, int fd, mode_t mode);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_FILE_ACLS_H_

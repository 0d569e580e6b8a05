// The access control lists (ACLs) of files that are open, as far as a copy that leaves
// them out has to know: what their loss means for the mode, and how to be rid of those
// that a new file has inherited.
//
// Thread-safety: the functions may be called by any thread.

#ifndef RINGCP_CORE_FILE_FILE_ACLS_H_
#define RINGCP_CORE_FILE_FILE_ACLS_H_

#include <sys/types.h>

#include <optional>

#include "core/kernel/kernel.h"

namespace ringcp {

// What a copy that keeps the mode of its source is to know.
struct SourceAccess {
  // The mode for a copy without ACLs: st_mode, unless the source has an access ACL, whose
  // mask the group's bits of st_mode are (posix_acl.h).
  mode_t mode = 0;
  // The source has ACLs or capabilities, which the copy will not have.
  bool is_more_than_mode = false;
};

// Looks at a source whose st_mode is `mode`. One op if there is nothing. Any
// descriptor will do; for one of a pipe, device or socket that was opened with O_PATH it
// takes /proc. Where it can't be looked at, nobody but the owner is known to get in.
SourceAccess LookAtAccess(Kernel* kernel, int fd, mode_t mode);

// What the default ACL of the directory `fd` grants, of 0777, to what is made in it;
// nothing at all if it can't be understood. Absent if there is none.
std::optional<mode_t> GrantsOfDefaultAcl(Kernel* kernel, int fd);

// Makes the permissions (0777) of `mode` all that is granted on the directory `fd`, which
// was just made in one with a default ACL, and takes its own default ACL away. False if
// it may still have one of the two: then the group's bits of its mode may be an ACL's
// mask.
bool ReplaceInheritedAcls(Kernel* kernel, int fd, mode_t mode);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_FILE_ACLS_H_

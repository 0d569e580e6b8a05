// The access control lists (ACLs) of open files. A copy leaves its source's ACLs out, so
// it has to know what their loss means for the mode, and how to get rid of ACLs that a
// new target has inherited.
//
// Thread-safety: the functions may be called by any thread.

#ifndef RINGCP_CORE_FILE_FILE_ACLS_H_
#define RINGCP_CORE_FILE_FILE_ACLS_H_

#include <sys/types.h>

#include <optional>

#include "core/kernel/kernel.h"

namespace ringcp {

// Who has access to a source, for a copy that keeps the source's mode.
struct SourceAccess {
  // The mode for a copy without ACLs: st_mode, unless the source has an access ACL. The
  // group bits of st_mode are then that ACL's mask (posix_acl.h), so they are not copied.
  mode_t mode = 0;
  // The source has ACLs or capabilities, which its copy will lack.
  bool is_more_than_mode = false;
};

// Looks at a source whose st_mode is `mode`. If the source has neither ACLs nor
// capabilities, this takes one op. Any descriptor will do; for a pipe, device or socket
// that was opened with O_PATH, /proc is needed, and without /proc only `mode` counts. If
// the ACLs can't be read for another reason, the result gives access to the owner only,
// because nobody else is known to have any.
SourceAccess LookAtAccess(Kernel* kernel, int fd, mode_t mode);

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

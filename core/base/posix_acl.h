// Reads POSIX access control lists (ACLs) as the kernel returns them: the bytes of the
// extended attributes system.posix_acl_access and system.posix_acl_default. libacl is no
// replacement, because it can't read the default ACL of an open directory: acl_get_fd()
// returns the access ACL only, and acl_get_file() takes a name, which may lead to another
// directory by now.
//
// Thread-safety: pure functions.

#ifndef RINGCP_CORE_BASE_POSIX_ACL_H_
#define RINGCP_CORE_BASE_POSIX_ACL_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace ringcp {

inline constexpr char kAccessAclName[] = "system.posix_acl_access";
inline constexpr char kDefaultAclName[] = "system.posix_acl_default";

// The permissions (of 0777) for a copy that gets no ACL, of a source with the access ACL
// `acl`: nobody gets access to the copy who had none to the source. The source's own mode
// would be too wide, because its group bits are the ACL's mask: the most that any named
// user or group has. The owning group keeps its rights within the mask; the group and
// others lose what any named user is denied, and others also lose what any named group is
// denied. Absent if `acl` is malformed.
std::optional<mode_t> PermissionsWithoutAcl(std::string_view acl);

// The most permissions (of 0777) that a new file or directory gets in a directory with
// the default ACL `acl`; the kernel ignores the umask there. Absent if `acl` is
// malformed.
std::optional<mode_t> PermissionsGrantedByDefault(std::string_view acl);

// Whether `error_number` means that there was no ACL to read or set, or that the file
// system does not support ACLs.
bool SaysNoAcl(int error_number);

// Which ACLs a file has.
struct AccessAttributes {
  bool access_acl = false;
  bool default_acl = false;
};

// The ones among `names`: the names of a file's extended attributes, each followed by a
// NUL byte.
AccessAttributes FindAccessAttributes(std::string_view names);

// The access ACL that grants the permissions (of 0777) in `mode` and nothing else.
std::string AclOfMode(mode_t mode);

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_POSIX_ACL_H_

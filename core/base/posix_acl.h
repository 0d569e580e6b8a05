// Reads POSIX access control lists (ACLs) in the form in which the kernel gives them
// away: the bytes of the extended attributes system.posix_acl_access and
// system.posix_acl_default. Written here because libacl can't read the default ACL of an
// open directory: acl_get_fd() gets the access ACL only, and acl_get_file() takes a name,
// which may lead elsewhere by now.
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
inline constexpr char kCapabilityName[] = "security.capability";

// The permissions (of 0777) that a copy without the ACL may have, so that nobody gets in
// who could not get to the source of the access ACL `acl`. They are not the source's own
// mode: the group's bits of that one are the ACL's mask, the most that any named user or
// group has. The owning group gets what it has under the mask; neither it nor others get
// what a user who is named is denied, nor others what a group that is named is denied.
// Absent if `acl` is malformed.
std::optional<mode_t> PermissionsWithoutAcl(std::string_view acl);

// The permissions (of 0777) that a file or directory made in a directory with the default
// ACL `acl` has at most; the kernel does not look at the umask there. Absent if `acl` is
// malformed.
std::optional<mode_t> PermissionsGrantedByDefault(std::string_view acl);

// Whether reading or setting an ACL failed with `error_number` because there is none, or
// the file system has no such lists.
bool SaysNoAcl(int error_number);

// Which of a file's extended attributes bear on who gets in, or on what it may do.
struct AccessAttributes {
  bool access_acl = false;
  bool default_acl = false;
  bool capability = false;
};

// Those that are in `names`, the names of a file's extended attributes, each with a 0
// behind it.
AccessAttributes FindAccessAttributes(std::string_view names);

// The access ACL that grants the permissions (0777) of `mode` and nothing else.
std::string AclOfMode(mode_t mode);

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_POSIX_ACL_H_

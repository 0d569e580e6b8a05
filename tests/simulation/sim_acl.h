// What Linux does with POSIX access control lists: how a new file inherits one, and how
// lists and modes change each other (fs/posix_acl.c). A list is the bytes of its extended
// attribute; "" means that there is none.
//
// Thread-safety: pure functions.

#ifndef RINGCP_TESTS_SIMULATION_SIM_ACL_H_
#define RINGCP_TESTS_SIMULATION_SIM_ACL_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace ringcp {

// Returns 0 if `acl` has the form of a list, or -errno.
int32_t CheckAclForm(std::string_view acl);
// Whether `acl` has no entries; setting such a list removes it. REQUIRES:
// CheckAclForm(acl) == 0.
bool IsEmptyAcl(std::string_view acl);
// Returns 0 if `acl` may be set, or -errno. REQUIRES: CheckAclForm(acl) == 0.
int32_t CheckAcl(std::string_view acl);

// Returns the access list that a file gets if it is made with `mode` (type and
// permissions) in a directory with `default_acl`, and changes `mode` to what the file
// gets.
std::string InheritedAcl(std::string_view default_acl, mode_t* mode);

// The list after the file's mode was set to `mode`.
std::string AclAfterChmod(std::string_view acl, mode_t mode);

// What is stored when `acl` is set as access list: "" if the mode can express it. *mode
// becomes what the list says.
std::string AclAsSet(std::string_view acl, mode_t* mode);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_ACL_H_

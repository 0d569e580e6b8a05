// What Linux makes of POSIX access control lists: how a new file inherits one, and how
// lists and modes change each other (fs/posix_acl.c). Lists are the bytes of the extended
// attributes; "" stands for none.
//
// Thread-safety: pure functions.

#ifndef RINGCP_TESTS_SIMULATION_SIM_ACL_H_
#define RINGCP_TESTS_SIMULATION_SIM_ACL_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace ringcp {

// 0 if `acl` has the form of a list, or -errno.
int32_t CheckAclForm(std::string_view acl);
// Whether `acl`, which has it, has no entry: to set that is to remove the list.
bool IsEmptyAcl(std::string_view acl);
// 0 if `acl`, which has it, may be set.
int32_t CheckAcl(std::string_view acl);

// What a file gets that is made with `mode` (type and permissions) where the directory
// has `default_acl`: its access list is returned, its mode changed.
std::string InheritedAcl(std::string_view default_acl, mode_t* mode);

// The list after the file's mode was set to `mode`.
std::string AclAfterChmod(std::string_view acl, mode_t mode);

// What stays of `acl` once it is set as access list, as some are the mode only; *mode
// becomes what it says.
std::string AclAsSet(std::string_view acl, mode_t* mode);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_ACL_H_

// File systems of a test's own, in images on loop devices.
//
// Thread-safety: none.

#ifndef RINGCP_TESTS_OWN_MOUNTS_H_
#define RINGCP_TESTS_OWN_MOUNTS_H_

#include <string>

namespace ringcp {

// Whether this process has mounts of its own, which vanish with it however it ends. Only
// root may have that.
bool HasOwnMounts();

// Makes a file system of `kind` ("xfs"), as large as the file `image`, and mounts it at
// `place`, by the type `mount_type`. Returns why that can't be, or "". REQUIRES:
// HasOwnMounts().
std::string MountNewFileSystem(const std::string& kind, const std::string& mount_type,
                               const std::string& image, const std::string& place);

}  // namespace ringcp

#endif  // RINGCP_TESTS_OWN_MOUNTS_H_

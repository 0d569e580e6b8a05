// Changes a file through a descriptor that need not be open for reading or writing
// (O_PATH): of a pipe or a device, which to open could mean to wait or to set something
// going, of a symbolic link, of a directory that may not be read. fchmod(), futimens()
// and fchown() refuse such descriptors, and the way by /proc/self/fd ends where /proc is
// not mounted, as in the roots that images are built in. Every call here takes any
// descriptor.
//
// Thread-safety: the functions may be called by any thread.

#ifndef RINGCP_CORE_KERNEL_PATH_DESCRIPTOR_H_
#define RINGCP_CORE_KERNEL_PATH_DESCRIPTOR_H_

#include <sys/types.h>
#include <time.h>

#include <string>

namespace ringcp {

// Each returns 0 or an errno.

// Linux before 6.6 needs /proc for this where `fd` was opened with O_PATH.
int ChangeMode(int fd, mode_t mode);

int ChangeOwner(int fd, uid_t user, gid_t group);

// Linux before 5.8 needs /proc for this where `fd` was opened with O_PATH.
int ChangeTimes(int fd, const timespec times[2]);

// The name by which calls that take no descriptor reach the file of `fd`, if /proc is
// mounted.
std::string ProcPath(int fd);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_PATH_DESCRIPTOR_H_

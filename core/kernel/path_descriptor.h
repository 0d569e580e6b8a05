// Reads and changes the attributes of a file through any descriptor, even one that is
// open neither for reading nor for writing (O_PATH). The engine has only such a
// descriptor of a pipe or a device, because opening it could block or set something
// going; of a symbolic link; and of a directory that may not be read. fchmod(),
// futimens(), fchown() and fgetxattr() refuse such descriptors, and the detour through
// /proc (proc_path.h) needs it mounted, or the right to mount it.
//
// Thread-safety: the functions may be called by any thread.

#ifndef RINGCP_CORE_KERNEL_PATH_DESCRIPTOR_H_
#define RINGCP_CORE_KERNEL_PATH_DESCRIPTOR_H_

#include <sys/types.h>
#include <time.h>

#include <cstddef>
#include <cstdint>

namespace ringcp {

// Each function returns what the system call does (0, or a number of bytes), or -errno.

// Linux before 6.6 needs /proc for this if `fd` was opened with O_PATH, and so does any
// Linux if libraries are preloaded.
int32_t ChangeMode(int fd, mode_t mode);

int32_t ChangeOwner(int fd, uid_t user, gid_t group);

// Linux before 5.8 needs /proc for this if `fd` was opened with O_PATH.
int32_t ChangeTimes(int fd, const timespec times[2]);

// Extended attributes. If `fd` was opened with O_PATH, these need /proc, unless it is a
// directory that may be read.
int32_t ReadXattr(int fd, const char* name, void* value, size_t size);
int32_t ReadXattrNames(int fd, void* names, size_t size);
int32_t WriteXattr(int fd, const char* name, const void* value, size_t size);
int32_t TakeXattrAway(int fd, const char* name);

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_PATH_DESCRIPTOR_H_

// Operations on one file of a simulated file system, whatever its name: on its contents
// and its attributes. Results are those of the system calls: a value or -errno.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_FILE_H_
#define RINGCP_TESTS_SIMULATION_SIM_FILE_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_inode.h"

namespace ringcp {

// --- Contents; REQUIRES: of a regular file ---

int32_t ReadContents(SimFileSystem* files, SimInode* inode, uint64_t offset,
                     uint32_t length, char* buffer);
int32_t WriteContents(SimFileSystem* files, SimInode* inode, uint64_t offset,
                      std::string_view bytes);
int32_t SetContentsSize(SimFileSystem* files, SimInode* inode, uint64_t size);
int32_t SetRoomAside(SimFileSystem* files, SimInode* inode, uint64_t size);
int32_t CloneContents(SimFileSystem* files, const SimInode& source, SimInode* target);
int32_t FindData(const SimInode& inode, uint64_t offset, uint64_t* position);
int32_t FindHole(const SimInode& inode, uint64_t offset, uint64_t* position);

// --- Attributes ---

// `number`: the inode number to report.
void TellStat(const SimInode& inode, uint64_t number, struct statx* stat);
int32_t SetModeOf(SimFileSystem* files, SimInode* inode, mode_t mode);
int32_t SetOwnerOf(SimFileSystem* files, SimInode* inode, uid_t user, gid_t group);
// `times` are access and modification, as for utimensat(2).
int32_t SetTimesOf(SimFileSystem* files, SimInode* inode,
                   const std::array<timespec, 2>& times);

int32_t GetXattrOf(const SimInode& inode, std::string_view name, std::string* value);
int32_t ListXattrsOf(const SimInode& inode, std::string* names);
int32_t SetXattrOf(SimFileSystem* files, SimInode* inode, std::string_view name,
                   std::string_view value);
int32_t RemoveXattrOf(SimFileSystem* files, SimInode* inode, std::string_view name);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_FILE_H_

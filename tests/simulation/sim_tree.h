// Makes trees in a simulated file system, and describes one as text. Neither faults, nor
// others, nor a log see what is done here, and the description is the truth even if the
// mount lies.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_TREE_H_
#define RINGCP_TESTS_SIMULATION_SIM_TREE_H_

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_inode.h"

namespace ringcp {

// Each makes something at `path`, whose directory must exist, in the name of the file
// system's actor. A failure ends the test.
InodePtr MakeSimDirectory(SimFileSystem* files, std::string_view path,
                          mode_t mode = 0755);
InodePtr MakeSimFile(SimFileSystem* files, std::string_view path,
                     std::string_view contents, mode_t mode = 0644);
// A file of `size` bytes: a hole, with `data` at its end.
InodePtr MakeSimSparseFile(SimFileSystem* files, std::string_view path, uint64_t size,
                           std::string_view data = "");
InodePtr MakeSimLink(SimFileSystem* files, std::string_view path, std::string_view text);
InodePtr MakeSimHardLink(SimFileSystem* files, std::string_view existing,
                         std::string_view path);
// A pipe, device or socket; `mode` includes the type.
InodePtr MakeSimNode(SimFileSystem* files, std::string_view path, mode_t mode,
                     dev_t device = 0);

// What is at `path`; null if nothing is. A link is not followed.
InodePtr FindSim(const SimFileSystem& files, std::string_view path);

struct SimTreeOptions {
  bool times = false;  // Whether modification times are listed.
  bool owners = true;
  bool blocks = false;  // Whether the space that files take is listed.
};

// One line for each file at or below `path`, sorted by name: its name, kind, mode, owner,
// size, extended attributes, the first name that it is a hard link of, and its contents.
std::vector<std::string> ListSimTree(const SimFileSystem& files, std::string_view path,
                                     const SimTreeOptions& options = {});

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_TREE_H_

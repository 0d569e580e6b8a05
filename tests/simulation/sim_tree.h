// Makes trees in a simulated file system, and tells what is in one, as text. Nothing here
// is seen by faults, by others, or in a log; what a mount lies about is told as it is.
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

// Each makes something at `path`, whose directory is there, as whom the file system acts;
// what goes wrong ends the test.
InodePtr MakeSimDirectory(SimFileSystem* files, std::string_view path,
                          mode_t mode = 0755);
InodePtr MakeSimFile(SimFileSystem* files, std::string_view path,
                     std::string_view contents, mode_t mode = 0644);
// A file of `size` bytes that is a hole but for `data` at its end.
InodePtr MakeSimSparseFile(SimFileSystem* files, std::string_view path, uint64_t size,
                           std::string_view data = "");
InodePtr MakeSimLink(SimFileSystem* files, std::string_view path, std::string_view text);
InodePtr MakeSimHardLink(SimFileSystem* files, std::string_view existing,
                         std::string_view path);
// A pipe, device or socket: `mode` with the type.
InodePtr MakeSimNode(SimFileSystem* files, std::string_view path, mode_t mode,
                     dev_t device = 0);

// What is at `path`; null if nothing is. Links are not followed.
InodePtr FindSim(const SimFileSystem& files, std::string_view path);

struct SimTreeOptions {
  bool times = false;  // Modification times as well.
  bool owners = true;
  bool blocks = false;  // How much room files take.
};

// One line for each file at or below `path`, sorted by name: its name, kind, mode, owner,
// size, extended attributes, the first name of what it is a hard link of, and contents.
std::vector<std::string> ListSimTree(const SimFileSystem& files, std::string_view path,
                                     const SimTreeOptions& options = {});

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_TREE_H_

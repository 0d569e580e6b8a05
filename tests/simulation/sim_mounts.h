// What real file systems are like, as far as a copy can tell them apart.
//
// Thread-safety: pure functions.

#ifndef RINGCP_TESTS_SIMULATION_SIM_MOUNTS_H_
#define RINGCP_TESTS_SIMULATION_SIM_MOUNTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/sim_inode.h"

namespace ringcp {

struct SimCharacter {
  const char* name;
  SimMountTraits traits;
};

// Known and local ones first: tmpfs, ext4, Btrfs; then NFS, overlayfs, CIFS, FUSE of
// several kinds, /proc and FAT.
const std::vector<SimCharacter>& SimCharacters();

// One of them, by chance; now and then with something else odd besides.
SimCharacter RandomCharacter(uint64_t seed);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_MOUNTS_H_

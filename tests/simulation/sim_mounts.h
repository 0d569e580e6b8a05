// How real file systems behave, as far as it matters to a copy.
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

// Known local file systems come first: tmpfs, ext4, Btrfs. NFS, overlayfs, CIFS, several
// kinds of FUSE, /proc and FAT follow.
const std::vector<SimCharacter>& SimCharacters();

// A random one of them, sometimes with a further oddity.
SimCharacter RandomCharacter(uint64_t seed);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_MOUNTS_H_

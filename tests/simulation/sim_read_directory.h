// Reads a simulated directory like getdents64(2).
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_READ_DIRECTORY_H_
#define RINGCP_TESTS_SIMULATION_SIM_READ_DIRECTORY_H_

#include <cstdint>

#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_process.h"

namespace ringcp {

// Fills `buffer`, which has `length` bytes, with the entries after the position of
// `file`, which must be open for reading. Returns the number of bytes filled, 0 at the
// end, or -errno. If entries come and go meanwhile, no other entry is left out or
// returned twice.
int32_t ReadSimDirectory(const SimFileSystem& files, uint32_t length, SimOpenFile* file,
                         char* buffer);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_READ_DIRECTORY_H_

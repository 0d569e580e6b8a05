// Reads a simulated directory, as getdents64(2) does.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_READ_DIRECTORY_H_
#define RINGCP_TESTS_SIMULATION_SIM_READ_DIRECTORY_H_

#include <cstdint>

#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_process.h"

namespace ringcp {

// Fills `buffer`, of `length` bytes, with the entries behind the position of `file`,
// which is open for reading. The bytes filled, 0 at the end, or -errno. Entries that come
// and go meanwhile do not make another one be left out or come twice.
int32_t ReadSimDirectory(const SimFileSystem& files, uint32_t length, SimOpenFile* file,
                         char* buffer);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_READ_DIRECTORY_H_

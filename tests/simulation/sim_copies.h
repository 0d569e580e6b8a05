// The calls that copy from one open file of a simulated process to another, without
// handing the contents to the process: clones and ranges.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_COPIES_H_
#define RINGCP_TESTS_SIMULATION_SIM_COPIES_H_

#include <cstdint>

#include "core/kernel/op.h"
#include "tests/simulation/sim_process.h"

namespace ringcp {

// Each carries out `op`, whose file is `target`, and returns its result.
int32_t CloneSimulated(SimProcess* process, const Op& op, const SimOpenFile& target);
int32_t CopyRangeSimulated(SimProcess* process, const Op& op, const SimOpenFile& target);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_COPIES_H_

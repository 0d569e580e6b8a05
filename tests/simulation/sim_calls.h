// Ops by the calls of a simulated process: what system_calls.h is on the real system.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_CALLS_H_
#define RINGCP_TESTS_SIMULATION_SIM_CALLS_H_

#include <cstdint>

#include "core/kernel/op.h"
#include "tests/simulation/sim_process.h"

namespace ringcp {

// Carries out one op, and never waits: what would have to gets -EAGAIN, and kPoll tells
// what is so now. `file`: what op.file leads to, null if nothing; what has to do with
// descriptors and slots themselves (opening, closing, installing) is the caller's.
// `is_queued`: by a ring, and not by a call.
int32_t CallSimulated(SimProcess* process, const Op& op, const OpenFilePtr& file,
                      bool is_queued);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_CALLS_H_

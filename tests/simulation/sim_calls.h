// Carries out ops as calls of a simulated process. This is to a simulation what
// system_calls.h is to the real system.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_CALLS_H_
#define RINGCP_TESTS_SIMULATION_SIM_CALLS_H_

#include <cstdint>

#include "core/kernel/op.h"
#include "tests/simulation/sim_process.h"

namespace ringcp {

// Carries out one op and never waits: a call that would have to wait returns -EAGAIN, and
// kPoll returns what is ready now. `file` is what op.file refers to, or null if that is
// nothing. The caller itself opens, closes and installs descriptors and slots.
// `is_queued`: the op is carried out by a ring and not by a call.
int32_t CallSimulated(SimProcess* process, const Op& op, const OpenFilePtr& file,
                      bool is_queued);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_CALLS_H_

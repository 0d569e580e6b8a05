// Makes things go wrong in a scenario: ops fail, do only a part, or do not run, once or
// from then on, and others change files in between.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_FAULTS_H_
#define RINGCP_TESTS_SIMULATION_SIM_FAULTS_H_

#include "tests/simulation/sim_scenario.h"

namespace ringcp {

// Sets the faults of `scenario` in its world. Each is one that the file system concerned
// may have: a known local one never reports an error when a file is closed. REQUIRES: the
// scenario outlives its world's run.
void SetFaults(SimScenario* scenario);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_FAULTS_H_

// What goes wrong in a scenario: ops that fail, do a part, or do not run, once or from
// then on, and what others do in between.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_FAULTS_H_
#define RINGCP_TESTS_SIMULATION_SIM_FAULTS_H_

#include "tests/simulation/sim_scenario.h"

namespace ringcp {

// Has all that `scenario` says go wrong in its world. Only what file systems of the kinds
// concerned may answer: one that is known and local never tells an error when a file is
// closed. REQUIRES: the scenario outlives its world's run.
void SetFaults(SimScenario* scenario);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_FAULTS_H_

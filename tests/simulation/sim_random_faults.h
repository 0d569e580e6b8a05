// Random faults of a simulation. A seed decides which op fails, and how. A fault is
// transient, or lasts: from then on the same kind of op on the same file fails in the
// same way.
//
//   SimRandomFaults faults(seed, {.one_in = 50});
//   world.SetFaults(faults.function());
//
// Thread-safety: none; a simulation has one thread.
// Ownership: outlives the run of the world in which it is set.

#ifndef RINGCP_TESTS_SIMULATION_SIM_RANDOM_FAULTS_H_
#define RINGCP_TESTS_SIMULATION_SIM_RANDOM_FAULTS_H_

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/kernel/op.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {

struct SimRandomFaultOptions {
  // One op in so many has a fault; 0: none has.
  int one_in = 100;
  // The most ops that get a fault, besides those that a lasting one makes fail again.
  int most = 4;
  // The kinds of faults that may occur.
  std::set<SimFault::Kind> kinds = {
      SimFault::Kind::kFails, SimFault::Kind::kTransfersLess, SimFault::Kind::kDoesNotRun,
      SimFault::Kind::kTailDoesNotRun, SimFault::Kind::kStoresPartAndFails};
  // One failure in so many lasts; 0: none does.
  int lasting_one_in = 3;
  // If not empty, only ops of these kinds get faults.
  std::set<OpKind> only = {};
};

class SimRandomFaults {
 public:
  // A fault that was injected.
  struct Injected {
    int64_t op = 0;  // SimOpContext::number.
    OpKind kind = OpKind::kClose;
    uint64_t inode = 0;  // The file or name; 0 if there is none.
    SimFault fault;
    bool lasts = false;
  };

  SimRandomFaults(uint64_t seed, const SimRandomFaultOptions& options);

  SimFaultFunction function() {
    return [this](const SimOpContext& context) { return Decide(context); };
  }
  const std::vector<Injected>& injected() const { return injected_; }
  // The injected faults, one a line.
  std::string Story() const;

 private:
  using Key = std::pair<uint64_t, OpKind>;

  SimFault Decide(const SimOpContext& context);
  // A random fault that may happen to this op; kNone if none of the kinds may.
  SimFault Choose(const SimOpContext& context);
  uint64_t Below(uint64_t end) { return random_() % end; }

  std::mt19937_64 random_;
  const SimRandomFaultOptions options_;
  std::map<Key, SimFault> lasting_;
  std::vector<Injected> injected_;
  int chosen_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_RANDOM_FAULTS_H_

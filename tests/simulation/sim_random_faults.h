// Faults of a simulation, from a seed: which op fails, and how. A fault is transient, or
// stays: the same kind of op on the same file fails in the same way from then on.
//
//   SimRandomFaults faults(seed, {.one_in = 50});
//   world.SetFaults(faults.function());
//
// Thread-safety: none; a simulation has one thread.
// Ownership: outlives the run of the world that it is set in.

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
  // Ops that have one at most, besides those that a lasting one makes fail again.
  int most = 4;
  // Kinds of faults that there are.
  std::set<SimFault::Kind> kinds = {
      SimFault::Kind::kFails, SimFault::Kind::kTransfersLess, SimFault::Kind::kDoesNotRun,
      SimFault::Kind::kTailDoesNotRun, SimFault::Kind::kStoresPartAndFails};
  // One failure in so many stays; 0: none does.
  int lasting_one_in = 3;
  // Only ops of these kinds, if there are any.
  std::set<OpKind> only = {};
};

class SimRandomFaults {
 public:
  // A fault that was injected.
  struct Injected {
    int64_t op = 0;  // SimOpContext::number.
    OpKind kind = OpKind::kClose;
    uint64_t inode = 0;  // Of its file or name; 0 if there is none.
    SimFault fault;
    bool lasts = false;
  };

  SimRandomFaults(uint64_t seed, const SimRandomFaultOptions& options);

  SimFaultFunction function() {
    return [this](const SimOpContext& context) { return Decide(context); };
  }
  const std::vector<Injected>& injected() const { return injected_; }
  // One line for each.
  std::string Story() const;

 private:
  using Key = std::pair<uint64_t, OpKind>;

  SimFault Decide(const SimOpContext& context);
  // A fault that may happen to this op; kNone if it can't have any of the kinds.
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

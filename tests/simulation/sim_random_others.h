// Somebody else who changes files while the engine works on them, from a seed: right
// before an op runs, something in one of the trees is renamed, replaced, removed, made,
// truncated or added to. What he makes is marked (SimInode::made_by), and what he does is
// among the effects of the file system.
//
//   SimRandomOthers others(seed, &files, {.trees = {"/source", "/target"}});
//   world.SetInterference(others.function());
//
// Thread-safety: none; a simulation has one thread.
// Ownership: outlives the run of the world that it is set in.

#ifndef RINGCP_TESTS_SIMULATION_SIM_RANDOM_OTHERS_H_
#define RINGCP_TESTS_SIMULATION_SIM_RANDOM_OTHERS_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_inode.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {

struct SimRandomOthersOptions {
  // Directories beneath which things are done. Names that are made are those that are in
  // any of the trees, so that they collide with what the engine makes.
  std::vector<std::string> trees;
  // Something is done before one op in so many; 0: nothing.
  int one_in = 100;
  int most = 4;  // Things done at most.
};

class SimRandomOthers {
 public:
  SimRandomOthers(uint64_t seed, SimFileSystem* files,
                  const SimRandomOthersOptions& options);

  SimInterference function() {
    return [this](const SimOpContext&) { Interfere(); };
  }
  int done() const { return done_; }

 private:
  // A name in one of the trees.
  struct Found {
    InodePtr directory;
    std::string name;
    InodePtr inode;
  };

  void Interfere();
  bool Act();
  // All that there is beneath the trees.
  std::vector<Found> List() const;
  InodePtr MakeSomething(const InodePtr& directory, const std::string& name);
  void ChangeContents(const InodePtr& inode);
  uint64_t Below(uint64_t end) { return random_() % end; }

  std::mt19937_64 random_;
  SimFileSystem* const files_;
  const SimRandomOthersOptions options_;
  int done_ = 0;
  int names_ = 0;
};

// What the engine did to files that others had made, besides making names of its own.
std::vector<SimEffect> TouchedOfOthers(const SimFileSystem& files);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_RANDOM_OTHERS_H_

// Somebody else who changes files while the engine works on them. Right before an op
// runs, something random in one of the trees is renamed, replaced, removed, made,
// truncated or extended. Files made this way are marked (SimInode::made_by), and the
// changes are among the effects of the file system.
//
//   SimRandomOthers others(seed, &files, {.trees = {"/source", "/target"}});
//   world.SetInterference(others.function());
//
// Thread-safety: none; a simulation has one thread.
// Ownership: outlives the run of the world in which it is set.

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
  // The directories below which things change. New names are ones that already exist in
  // any of the trees, so that they collide with what the engine makes.
  std::vector<std::string> trees;
  // Something changes before one op in so many; 0: nothing does.
  int one_in = 100;
  int most = 4;  // The most changes.
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
  // Everything below the trees.
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

// What the engine did to files that others had made, except giving them names of its own.
std::vector<SimEffect> TouchedOfOthers(const SimFileSystem& files);

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_RANDOM_OTHERS_H_

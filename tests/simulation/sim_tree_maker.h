// Makes random trees to copy from, and what is in the target before.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_TREE_MAKER_H_
#define RINGCP_TESTS_SIMULATION_SIM_TREE_MAKER_H_

#include <sys/types.h>

#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_inode.h"

namespace ringcp {

// What a number decides on.
class SimChance {
 public:
  explicit SimChance(uint64_t seed) : random_(seed) {}
  uint64_t Below(uint64_t end) { return random_() % end; }
  bool OneIn(uint64_t count) { return Below(count) == 0; }
  template <typename Range>
  auto Of(const Range& choices) {
    return choices[Below(std::size(choices))];
  }

 private:
  std::mt19937_64 random_;
};

class SimTreeMaker {
 public:
  // `gives_acls`: in the target. `differs_in_case`: names in the source may.
  SimTreeMaker(SimFileSystem* files, SimChance* chance, bool gives_acls,
               bool differs_in_case)
      : files_(files),
        chance_(chance),
        gives_acls_(gives_acls),
        differs_in_case_(differs_in_case) {}

  // Source and target are made together, so that they often have equal names.
  void MakeTrees(const std::string& source, const std::string& target, bool fills_target);
  // Besides directories: where trees become one, files would go through links that came
  // with another tree, or wait for somebody who reads its pipes.
  void MakeFilesOnly() { files_only_ = true; }
  // Links to directories above. Where inode numbers are made up nobody notices them.
  void MakeCycles() { makes_cycles_ = true; }
  bool has_default_acls() const { return has_default_acls_; }

  void MakeFile(const std::string& path);
  // A file, and now and then what is in its target's place.
  void MakeNamedFile(const std::string& source, const std::string& target);

 private:
  mode_t AnyMode();
  std::string AnyContents();
  // To a user or a group besides the owner's, less what its mask denies.
  void GiveAcl(SimInode* inode, const char* name);
  std::string AnyText();
  // Now and then one that differs from the last one's in case only. What is there before
  // is made where case counts, so there are none besides it.
  std::string Name(int number, bool has_target);
  void FillDirectory(const std::string& source, const std::string& target, int depth,
                     bool has_target);
  void MakeTargetDirectory(const std::string& path);
  void MakeObstacle(const std::string& directory, const std::string& path);

  SimFileSystem* const files_;
  SimChance* const chance_;
  const bool gives_acls_;
  const bool differs_in_case_;
  bool makes_cycles_ = false;
  bool files_only_ = false;
  bool has_default_acls_ = false;
  std::vector<std::string> files_made_;
  std::vector<std::string> obstacles_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_TREE_MAKER_H_

// A random job in a random world: file systems, a source tree, what the target holds
// before, options, limits, and what goes wrong. All of it follows from one number.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_SCENARIO_H_
#define RINGCP_TESTS_SIMULATION_SIM_SCENARIO_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/copy_options.h"
#include "tests/simulation/sim_inode.h"
#include "tests/simulation/sim_job.h"
#include "tests/simulation/sim_tree_maker.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {

// The source is the tree kSimSource + "/tree", or files beside it. The target has the
// same name in kSimTarget.
inline constexpr char kSimSource[] = "/source";
inline constexpr char kSimTarget[] = "/target";

// What --context says where there is SELinux.
inline constexpr char kSimNamedLabel[] = "user:role:named_t:s0";

// What others do while the job runs.
enum class SimOthers : uint8_t {
  kNothing,
  kReplaceTargets,  // Put their own files in the place of new targets.
  kChangeSources,   // Shorten and extend sources.
  kAnything,        // Rename, replace, remove, make and change anything.
};

struct SimScenario {
  explicit SimScenario(uint64_t seed);
  SimScenario(const SimScenario&) = delete;
  SimScenario& operator=(const SimScenario&) = delete;

  // A description of the scenario, to be shown to people.
  std::string Describe() const;
  // Whether the copy follows symbolic links, wherever it finds them.
  bool follows_links() const;

  uint64_t seed;
  std::unique_ptr<SimWorld> world;
  CopyRequest request;
  // The paths of the sources, each with its target's, in the order of the request.
  std::vector<std::pair<std::string, std::string>> copies;
  SimJobOptions job;
  std::string letters;  // The options' letters.
  std::string source_kind;
  std::string target_kind;
  bool source_size_lies = false;
  bool has_default_acls = false;  // In the target.
  bool source_inodes_change = false;
  bool has_selinux = false;
  bool has_few_descriptors = false;
  int fault_one_in = 0;  // Counts ops; 0: nothing goes wrong.
  int faults_max = 0;
  SimOthers others = SimOthers::kNothing;

 private:
  bool MakeCopies(uint64_t choice, SimChance* chance, SimTreeMaker* maker);
  // Adds those of `rare` that go with the other options.
  void AddRareOptions(const CopyOptions& rare);
  // Adds options about SELinux's labels, and makes what says that there is SELinux.
  void AddLabels();
  void AddPipe(SimChance* chance);
  void LeavePipe(const InodePtr& pipe);
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_SCENARIO_H_

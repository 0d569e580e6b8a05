// What a copy must be like besides its contents: who may get at it, while it is made and
// afterwards, its times and owner, and how much room it takes.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_ACCESS_H_
#define RINGCP_TESTS_SIMULATION_SIM_ACCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/sim_inode.h"
#include "tests/simulation/sim_scenario.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {

// What a copy of `source` may grant by its mode: what its mode does and, where the mode
// is kept, its access control list does not deny. (Else a list's mask counts as the
// group's rights, as with GNU cp.)
mode_t AllowedMode(const SimInode& source, bool keeps_mode);

// What is wrong with the mode, or the list, of `target`, a whole copy of `source`; "" if
// nothing is. `is_warned`: it was told that some access was left out.
std::string WrongMode(const SimScenario& scenario, const SimInode& source,
                      const SimInode& target, bool is_warned);

// What of the times and the owner of `target` is not as in `source`, and was to be kept.
std::vector<const char*> WrongAttributes(const SimScenario& scenario,
                                         const SimInode& source, const SimInode& target);

// Whether `target`, a whole copy of `source` that nothing went wrong with, takes more
// room than it does, though its file system tells of its holes.
bool HasLostHoles(const SimScenario& scenario, const SimInode& source,
                  const SimInode& target);

// Looks at each file that the engine has made whenever something is asked of it:
//  - while it does not have its source's owner (who is to be kept) nobody else gets in;
//  - at no time it grants others more than its source does.
// What was there before and is given to another owner grants nobody more than its source.
class SimAccessWatch {
 public:
  // REQUIRES: `scenario` outlives this.
  explicit SimAccessWatch(const SimScenario* scenario);

  // Right before an op runs.
  void Look(const SimOpContext& context);

  // What was wrong, one a line; "" if nothing was.
  const std::string& violations() const { return violations_; }

 private:
  void AddSources(const std::string& source, const std::string& target);
  void TakeInEffects();

  const SimScenario* const scenario_;
  std::map<std::string, InodePtr> source_of_;  // By the target's path; null: of several.
  std::map<uint64_t, InodePtr> made_from_;     // By the target's inode.
  std::set<uint64_t> told_;
  size_t effects_seen_ = 0;
  int depth_ = 0;
  std::string violations_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_ACCESS_H_

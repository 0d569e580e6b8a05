// Checks what a copy must be like besides its contents: who has access to it while it is
// made and afterwards, its times and owner, and how much space it takes.
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

// What a copy of `source` may grant by its mode: what the source's mode grants, but if
// the mode is kept nothing that the source's access control list denies. (If the mode is
// not kept, the list's mask counts as the group's permissions, as in GNU cp.)
mode_t AllowedMode(const SimInode& source, bool keeps_mode);

// What is wrong with the mode, or the access control list, of `target`, a complete copy
// of `source`; "" if nothing is. `is_stream`: what was copied came from a pipe.
std::string WrongMode(const SimScenario& scenario, const SimInode& source,
                      const SimInode& target, bool is_stream);

// Which of the times and the owner should have been preserved in `target` but were not.
std::vector<const char*> WrongAttributes(const SimScenario& scenario,
                                         const SimInode& source, const SimInode& target);

// What is wrong with the label of `made`, which the engine has made for `source`, from
// the beginning; "" if nothing is.
std::string WrongLabel(const SimScenario& scenario, const SimInode& source,
                       const SimInode& made);

// Whether `target`, a complete copy of `source` in which nothing went wrong, takes more
// space than `source`, although the source's file system tells where its holes are.
bool HasLostHoles(const SimScenario& scenario, const SimInode& source,
                  const SimInode& target);

// Whether a page of `target` takes no room.
bool HasHoles(const SimInode& target);

// Whether `target`, a copy of `source` with --sparse=always in which nothing went wrong,
// has a page full of zeros that takes room. A clone has the pages of its source, and
// where nobody knows the source's end its last zeros are written.
bool StoresZeros(const SimScenario& scenario, const SimInode& source,
                 const SimInode& target);

// Looks at each file that the engine has made, whenever an op is about to use it, and
// checks:
//   - if the owner is to be preserved, nobody else has access before it is set;
//   - the file never grants others more than its source does;
//   - it has the SELinux label that the options ask for.
class SimAccessWatch {
 public:
  // REQUIRES: `scenario` outlives this.
  explicit SimAccessWatch(const SimScenario* scenario);

  // To be called right before an op runs.
  void Look(const SimOpContext& context);

  // The violations found, one a line; "" if there were none.
  const std::string& violations() const { return violations_; }

 private:
  void AddSources(const std::string& source, const std::string& target);
  void TakeInEffects();

  const SimScenario* const scenario_;
  std::map<std::string, InodePtr> source_of_;  // By target path; null if ambiguous.
  std::map<uint64_t, InodePtr> made_from_;     // By the target's inode.
  std::set<uint64_t> told_;
  size_t effects_seen_ = 0;
  int depth_ = 0;
  std::string violations_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_ACCESS_H_

// What must be true of a simulated job when it has ended, whatever went wrong:
//  - each target is complete, or it is absent, or it is what it was before; one that was
//    there before and could not be written again may be empty. All but the first, and
//    what could not be cleaned up, is told;
//  - nothing of anybody else was touched;
//  - the source is as it was;
//  - what was counted is what was copied;
//  - nothing is left open.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_CHECK_H_
#define RINGCP_TESTS_SIMULATION_SIM_CHECK_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/sim_job.h"
#include "tests/simulation/sim_scenario.h"

namespace ringcp {

class SimCheck {
 public:
  // Takes note of what is there. REQUIRES: the job has not run yet; `scenario` outlives
  // this.
  explicit SimCheck(const SimScenario* scenario);

  // What is wrong, one a line; "" if nothing is.
  std::string Violations(const SimJobResult& result);

 private:
  // What is to be copied: a file, link or other node, or a directory.
  struct Entry {
    std::string name;  // Below the tree; "" for the tree itself.
    InodePtr source;   // Links followed where the options say so; null if that fails.
    InodePtr old;      // What was in its place before; as the copy would find it.
    std::string old_contents;
    bool is_name_taken = false;  // By a link to nowhere, too.
  };

  void AddEntries(const std::string& name);
  InodePtr Source(const std::string& name) const;
  // What is in the place of an entry whose source is that: a regular file's contents may
  // go through a link.
  InodePtr Target(const std::string& name, const InodePtr& source) const;
  // Whether what is there is a symbolic link with several names. Where links are not
  // followed, and a file was written through one that was there before, the file's
  // further names become names of that link, as in GNU cp.
  bool IsNameOfALink(const std::string& name) const;
  bool IsCopiedIntoTwice(const SimInode& target) const;
  bool IsTold(const std::string& name) const;
  bool RemovalIsTold(const std::string& name) const;

  void CheckEntry(const Entry& entry);
  void CheckWhole(const Entry& entry, const InodePtr& target);
  void CheckFailed(const Entry& entry, const InodePtr& target);
  void CheckLinks();
  void CheckOthers();
  void CheckCounts();
  void Violate(const std::string& name, const std::string& what);

  const SimScenario* const scenario_;
  const SimFileSystem& files_;
  std::vector<Entry> entries_;
  std::vector<std::string> source_before_;
  // How many regular files are copied to what was there before, by inode: which of them
  // is the last one is not said.
  std::map<uint64_t, int> copied_into_;
  const SimJobResult* result_ = nullptr;
  std::string violations_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_CHECK_H_

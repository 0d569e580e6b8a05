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

#include <sys/stat.h>

#include <cstdint>
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
    std::string source_path;
    std::string name;  // Its target's path.
    InodePtr source;   // Links followed where the options say so; null if that fails.
    InodePtr old;      // What was in its place before; as the copy would find it.
    std::string old_contents;
    bool is_cycle = false;   // A directory that is one above it (-L).
    bool is_source = false;  // Named as one.
    bool has_zeros = false;  // In a regular file's contents.
    // A pipe whose contents are copied, and those.
    bool is_stream = false;
    std::string stream;

    mode_t type() const { return is_stream ? S_IFREG : source->type(); }
    bool is_regular() const { return source != nullptr && type() == S_IFREG; }
  };

  void AddEntries(const std::string& source_path, const std::string& name,
                  bool is_source);
  InodePtr Source(const std::string& path) const;
  // What is in the place of an entry whose source is that: a regular file's contents may
  // go through a link.
  InodePtr Target(const std::string& name, bool is_regular) const;
  void NoteOldNames(const std::string& path);
  // By which names are one where a name of the target's is looked up.
  std::string KeyOf(const std::string& name) const;
  // Whether another one has come to its name that has to be refused: both are named as
  // sources, or come from one directory to a new one.
  bool IsLostToAnother(const Entry& entry) const;
  // Whether what is there is a symbolic link with several names. Where links are not
  // followed, and a file was written through one that was there before, the file's
  // further names become names of that link, as in GNU cp.
  bool IsNameOfALink(const std::string& name) const;
  bool IsCopiedIntoTwice(const SimInode& target) const;
  static bool HasContentsOf(const Entry& entry, const SimInode& target);
  // ... or of another that comes to its name, or to the file that was there.
  bool HasContentsOfAny(const Entry& entry, const SimInode& target) const;
  bool IsTold(const Entry& entry) const;
  bool RemovalIsTold(const std::string& name) const;

  void CheckEntry(const Entry& entry);
  void CheckWhole(const Entry& entry, const InodePtr& target);
  void CheckFailed(const Entry& entry, const InodePtr& target);
  void CheckContents(const Entry& entry, const SimInode& target);
  void CheckLinks();
  // Nothing is in the target that was neither there nor in the source.
  void CheckNothingElse(const std::string& path);
  void CheckOthers();
  void CheckCounts();
  void Violate(const std::string& name, const std::string& what);

  const SimScenario* const scenario_;
  const SimFileSystem& files_;
  std::vector<Entry> entries_;
  std::vector<std::string> source_before_;
  // The regular files that are copied to what was there before, by its inode: which of
  // them is the last one is not said.
  std::map<uint64_t, std::vector<size_t>> copied_into_;
  std::map<std::string, std::vector<size_t>> to_name_;  // Entries that come to a name.
  std::vector<InodePtr> above_;  // Directories, while entries are added.
  std::set<std::string> old_names_;
  const SimJobResult* result_ = nullptr;
  std::string violations_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_CHECK_H_

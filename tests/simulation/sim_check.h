// Checks what must be true of a simulated job when it has ended, whatever went wrong:
//   - each target is complete, absent, or what it was before; one that existed before and
//     could not be written again may be empty. Unless the target is complete, and also if
//     something could not be cleaned up, an error says so;
//   - no file of anybody else was touched;
//   - the source has not changed;
//   - the counters agree with what was copied;
//   - nothing is left open.
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
  // Notes what exists. REQUIRES: the job has not run yet; `scenario` outlives this.
  explicit SimCheck(const SimScenario* scenario);

  // The violations, one a line; "" if there are none.
  std::string Violations(const SimJobResult& result);

 private:
  // Something that is to be copied: a file, link or other node, or a directory.
  struct Entry {
    std::string source_path;
    std::string name;  // The target's path.
    InodePtr source;   // Links followed where the options say so; null if that fails.
    InodePtr old;      // What was in the target's place, as the copy would find it.
    std::string old_contents;
    bool is_cycle = false;   // Whether this directory is also above itself (-L).
    bool is_source = false;  // Whether the user named it as a source.
    bool has_zeros = false;  // Whether a regular file's contents have any.
    // For a pipe whose contents are copied: true, and its contents.
    bool is_stream = false;
    std::string stream;

    mode_t type() const { return is_stream ? S_IFREG : source->type(); }
    bool is_regular() const { return source != nullptr && type() == S_IFREG; }
  };

  // Adds the directories above a source that are copied with it (--parents).
  void AddParents(const std::string& source_path);
  // Adds a source and all that is below it.
  void AddEntries(const std::string& source_path, const std::string& name,
                  bool is_source);
  // Adds one entry; returns its source.
  InodePtr AddEntry(const std::string& source_path, const std::string& name,
                    bool is_source);
  InodePtr Source(const std::string& path) const;
  // What has the name of a target. The contents of a regular file may go through a link,
  // so that is followed.
  InodePtr Target(const std::string& name, bool is_regular) const;
  void NoteOldNames(const std::string& path);
  // Names with the same key are the same on the target's file system.
  std::string KeyOf(const std::string& name) const;
  // Whether another entry has come to the same name, so that this one must be refused.
  // This is so if both are named as sources, or if both come from one directory to a new
  // one.
  bool IsLostToAnother(const Entry& entry) const;
  // Whether the target is a symbolic link with several names. If links are not followed,
  // and a file was written through an existing link, the file's further names become
  // names of that link, as in GNU cp.
  bool IsNameOfALink(const std::string& name) const;
  bool IsCopiedIntoTwice(const SimInode& target) const;
  static bool HasContentsOf(const Entry& entry, const SimInode& target);
  // Like HasContentsOf(), but the contents may also be those of another entry that comes
  // to the same name, or to the same old file.
  bool HasContentsOfAny(const Entry& entry, const SimInode& target) const;
  bool IsTold(const Entry& entry) const;
  bool RemovalIsTold(const std::string& name) const;

  void CheckEntry(const Entry& entry);
  void CheckWhole(const Entry& entry, const InodePtr& target);
  void CheckFailed(const Entry& entry, const InodePtr& target);
  void CheckContents(const Entry& entry, const SimInode& target);
  void CheckLinks();
  // Checks that everything in the target was there before or is in the source.
  void CheckNothingElse(const std::string& path);
  void CheckOthers();
  void CheckCounts();
  void Violate(const std::string& name, const std::string& what);

  const SimScenario* const scenario_;
  const SimFileSystem& files_;
  std::vector<Entry> entries_;
  std::vector<std::string> source_before_;
  // The regular files that are copied over a file that existed, by its inode. Nobody
  // promises which of them is copied last.
  std::map<uint64_t, std::vector<size_t>> copied_into_;
  std::map<std::string, std::vector<size_t>> to_name_;  // The entries with that name.
  std::vector<InodePtr> above_;  // The directories above, while entries are added.
  std::set<std::string> old_names_;
  const SimJobResult* result_ = nullptr;
  std::string violations_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_CHECK_H_

// Checks what must be true of a simulated job when it has ended, whatever went wrong:
//   - each target is complete, absent, or what it was before; one that existed before and
//     could not be written again may be empty. Unless the target is complete, and also if
//     something could not be cleaned up, an error says so;
//   - no file of anybody else was touched;
//   - what was in the target and is no entry's target is still there as it was;
//   - the source has not changed;
//   - the counters agree with what was copied;
//   - nothing is left open.
// And, with these options:
//   -n, --update=none-fail   what was there stays as it was; none-fail: and that is told;
//   -u        what is not older stays as it was, what is older is replaced;
//   -i        what was there stays as it was, unless the user was asked and said yes;
//   --backup  what was there is under its own name or under a backup's, or is an older
//             simple backup that another one replaced as in GNU cp. Under its own name if
//             nothing was copied there, unless an error says that it has not got it back;
//             numbered backups hold all copies that came to one name;
//   -l, -s    the target is a name of the source, or a symbolic link to its path;
//   --attributes-only   what was there keeps its contents, what is new is empty;
//   --sparse  always: no page full of zeros takes room; never: each page takes room;
//   --keep-directory-symlink   a copy goes through such a link, and the link stays.
//
// What is not checked:
//   - with SimOthers::kAnything: only that the job ends and gives back what it had;
//   - with kReplaceTargets and kChangeSources: hard links, counters, what else is in the
//     target, and whether the source has changed; with kChangeSources neither which
//     contents a target has (only that they hold no zeros that the source never had) nor
//     what -u leaves as it was;
//   - if several entries come to one name: attributes, and with -u, -i and simple backups
//     which of them has the name in the end. The same goes for several that come to one
//     old file, by its hard links or through symbolic ones;
//   - the attributes of what -s makes, and of a target with several names, unless links
//     are kept and there is one source;
//   - holes and zeros in a target if anything is made to fail, except with
//     --sparse=never;
//   - -i with answers that take time: the simulated user answers at once.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_CHECK_H_
#define RINGCP_TESTS_SIMULATION_SIM_CHECK_H_

#include <sys/stat.h>

#include <cstdint>
#include <ctime>
#include <map>
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
    timespec old_time = {};  // Of its modification.
    bool is_cycle = false;   // Whether this directory is also above itself (-L).
    bool is_source = false;  // Whether the user named it as a source.
    bool has_zeros = false;  // Whether a regular file's contents have any.
    // For a pipe whose contents are copied: true, and its contents.
    bool is_stream = false;
    std::string stream;

    mode_t type() const { return is_stream ? S_IFREG : source->type(); }
    bool is_regular() const { return source != nullptr && type() == S_IFREG; }
  };

  // What was in the target.
  struct Old {
    InodePtr inode;
    std::string contents;  // Of a regular file.
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
  // What has the name of a target. A link is followed if the copy would go through it.
  InodePtr Target(const Entry& entry) const;
  void NoteOld(const std::string& path);
  // Notes a link that leads from a target directory's name to a directory.
  void NoteDirectoryLink(const std::string& name);
  // Names with the same key are the same on the target's file system, or lead to the same
  // place through links to directories.
  std::string KeyOf(const std::string& name) const;
  const std::vector<size_t>& EntriesTo(const std::string& name) const {
    return to_name_.at(KeyOf(name));
  }
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

  // --- Options that leave old targets as they are ---
  // Whether the user was asked about the target, and never said yes.
  bool IsDeclined(const Entry& entry) const;
  // Whether nothing need have been copied, because the old target is not older (-u) and
  // still there, or because it can't be said which of several copies was made.
  bool MayBeKept(const Entry& entry, const InodePtr& target) const;
  bool IsUnchanged(const Entry& entry, const InodePtr& target) const;
  // Whether another entry comes to the same old file by another name.
  bool IsCopiedIntoByAnother(const Entry& entry, const SimInode& target) const;
  // Checks that what had to be asked about was asked about.
  void CheckQuestions(const Entry& entry, const InodePtr& target);

  // --- What was in the target before ---
  // Whether `path` was a link to nowhere, which a further name takes the place of.
  bool MayTakePlaceOfLink(const std::string& path) const;
  bool MayBeWritten(const SimInode& old) const;
  // Whether `name` is a backup's of the file `of` in the same directory.
  bool IsBackupName(const std::string& name, const std::string& of) const;
  // What is called `path` now, and its backups.
  std::vector<InodePtr> WithBackups(const std::string& path) const;
  // Whether the job may have lost an old backup `path`: by another one, as GNU cp does.
  bool MayBeReplacedByBackup(const std::string& path) const;
  // Whether the entry is one of several trees that are merged, and what it becomes may be
  // replaced by a backup that another tree's file makes.
  bool IsOfMergedTree(const Entry& entry) const {
    return scenario_->copies.size() > 1 && MayBeReplacedByBackup(entry.name);
  }
  void CheckOld();
  void CheckBackedUp(const std::string& path, const InodePtr& old);
  // Checks that numbered backups hold all copies that came to one name.
  void CheckNumbered(const std::vector<size_t>& entries);
  bool TakingBackIsTold(const std::string& name) const;

  void CheckEntry(const Entry& entry);
  void CheckWhole(const Entry& entry, const InodePtr& target);
  void CheckFailed(const Entry& entry, const InodePtr& target);
  void CheckContents(const Entry& entry, const SimInode& target);
  void CheckRoom(const Entry& entry, const SimInode& target);
  void CheckMadeLink(const Entry& entry, const InodePtr& target);
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
  std::vector<InodePtr> above_;     // The directories above, while entries are added.
  std::map<std::string, Old> old_;  // By path.
  // Links that lead to directories, which the copy follows: by name, the directories.
  std::map<std::string, std::string> directory_links_;
  const SimJobResult* result_ = nullptr;
  std::string violations_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_CHECK_H_

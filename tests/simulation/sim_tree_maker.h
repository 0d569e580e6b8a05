// Makes random trees to copy from, and what the target holds before.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_TREE_MAKER_H_
#define RINGCP_TESTS_SIMULATION_SIM_TREE_MAKER_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/simulation/sim_file_system.h"
#include "tests/simulation/sim_inode.h"

namespace ringcp {

// Random choices that follow from a seed.
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

// An extended attribute that some files have.
inline constexpr char kSimXattrName[] = "user.sim";

class SimTreeMaker {
 public:
  // `gives_acls`: files in the target get ACLs. `differs_in_case`: names in the source
  // may differ only in case.
  SimTreeMaker(SimFileSystem* files, SimChance* chance, bool gives_acls,
               bool differs_in_case)
      : files_(files),
        chance_(chance),
        gives_acls_(gives_acls),
        differs_in_case_(differs_in_case) {}

  // Makes source and target together, so that names often occur in both.
  void MakeTrees(const std::string& source, const std::string& target, bool fills_target);
  // From now on makes only files and directories. Trees that are merged would otherwise
  // write files through links that came from another tree, or wait for somebody to read a
  // pipe.
  void MakeFilesOnly() { files_only_ = true; }
  // From now on makes no pipes. Where case is ignored, a file would be written into the
  // copy of a pipe, and wait for somebody to read it.
  void MakeNoPipes() { pipe_type_ = S_IFSOCK; }
  // From now on makes links to directories above, too. Not to be used if inode numbers
  // are made up, because then nobody can notice the cycle.
  void MakeCycles() { makes_cycles_ = true; }
  // From now on what the target holds may be older than the source.
  void AgeTargets() { ages_targets_ = true; }
  // From now on there are names of backups, in the source and in the target.
  void MakeBackups() { makes_backups_ = true; }
  // From now on directories in the target may be reached through symbolic links.
  void MakeDirectoryLinks() { makes_directory_links_ = true; }
  bool has_default_acls() const { return has_default_acls_; }

  void MakeFile(const std::string& path);
  // Makes a file, and sometimes something in its target's place.
  void MakeNamedFile(const std::string& source, const std::string& target);

 private:
  mode_t AnyMode();
  std::string AnyContents();
  // Grants something to a user or group other than the owner's, limited by a mask.
  void GiveAcl(SimInode* inode, const char* name);
  std::string AnyText();
  // A name that sometimes differs from the last one only in case. Not if the target may
  // hold it already: what is there before is made while case still counts.
  std::string Name(int number, bool has_target);
  void FillDirectory(const std::string& source, const std::string& target, int depth,
                     bool has_target);
  void MakeTargetDirectory(const std::string& path);
  // Makes something in a target's place, unless something is there.
  void MakeObstacle(const std::string& directory, const std::string& path);
  void MakeAnyObstacle(const std::string& directory, const std::string& path);
  void Age(const std::string& path);

  SimFileSystem* const files_;
  SimChance* const chance_;
  const bool gives_acls_;
  const bool differs_in_case_;
  bool makes_cycles_ = false;
  bool files_only_ = false;
  mode_t pipe_type_ = S_IFIFO;
  bool ages_targets_ = false;
  bool makes_backups_ = false;
  bool makes_directory_links_ = false;
  bool has_default_acls_ = false;
  timespec source_time_ = {};  // Of the last file made in the source.
  std::vector<std::string> files_made_;
  std::vector<std::string> obstacles_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_TREE_MAKER_H_

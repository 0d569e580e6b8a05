// A deterministic POSIX file system in memory: how names are made, moved and removed, as
// Linux does it. Nothing here knows of descriptors (sim_process.h) or of what can be done
// to a file whatever its name (sim_file.h).
//
// Whatever is done to it is written down with who did it and to whose file, so that a
// test can tell whether something of somebody else was touched.
//
// Permissions are not checked: who asks is root. Functions return 0 or -errno.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_FILE_SYSTEM_H_
#define RINGCP_TESTS_SIMULATION_SIM_FILE_SYSTEM_H_

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/sim_inode.h"
#include "tests/simulation/sim_paths.h"

namespace ringcp {

// What was done to a file: the log that a checker reads.
struct SimEffect {
  enum class Kind : uint8_t {
    kMade,
    kNamed,     // Got another name: by link or rename.
    kLostName,  // By unlink or rmdir.
    kReplaced,  // Lost its name to another file that was renamed to it.
    kMoved,     // Lost its name by being renamed.
    kWritten,
    kTruncated,  // Or made longer, or given room.
    kAttributes,
  };

  SimActor actor = SimActor::kBefore;
  Kind kind = Kind::kMade;
  uint64_t inode = 0;
  SimActor made_by = SimActor::kBefore;  // Who had made the file.
  std::string path;                      // By which it was reached, as far as known.
};

std::string ToString(const SimEffect& effect);

class SimFileSystem : public SimPaths {
 public:
  // `now` tells the time of day. `seed` decides the order of directories' entries.
  SimFileSystem(uint64_t seed, std::function<timespec()> now);

  void set_umask(mode_t umask) { umask_ = umask; }

  // Counts the looks at anything, for inode numbers that are made up anew.
  uint64_t NextLook() { return ++looks_; }

  const std::vector<SimEffect>& effects() const { return effects_; }
  void ClearEffects() { effects_.clear(); }
  void Note(SimEffect::Kind kind, const SimInode& inode, std::string path = "");

  // What all calls that make a name begin with. *place is where it goes.
  int32_t FindNewPlace(const InodePtr& start, std::string_view path, bool is_directory,
                       Place* place) const;
  // Makes a file of any type there. REQUIRES: nothing has that name there.
  int32_t Make(const Place& place, mode_t mode, InodePtr* made);
  int32_t MakeDirectory(const InodePtr& start, std::string_view path, mode_t mode);
  int32_t MakeNode(const InodePtr& start, std::string_view path, mode_t mode,
                   dev_t device);
  int32_t MakeSymlink(std::string_view text, const InodePtr& start,
                      std::string_view path);
  // `follow`: if the old name is a symbolic link, what it leads to gets the new one.
  int32_t MakeLink(const InodePtr& old_start, std::string_view old_path,
                   const InodePtr& start, std::string_view path, bool follow);
  int32_t Unlink(const InodePtr& start, std::string_view path);
  int32_t RemoveDirectory(const InodePtr& start, std::string_view path);
  int32_t Rename(const InodePtr& old_start, std::string_view old_path,
                 const InodePtr& start, std::string_view path);

 private:
  // Both change the times of the directory, and of the file.
  void AddEntry(const InodePtr& directory, const std::string& name,
                const InodePtr& inode);
  void RemoveEntry(const InodePtr& directory, const std::string& name);
  int32_t CheckRename(const Place& from, const InodePtr& old_inode, const Place& to,
                      const InodePtr& replaced) const;

  const uint64_t seed_;
  uint64_t looks_ = 0;
  mode_t umask_ = 022;
  std::vector<SimEffect> effects_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_FILE_SYSTEM_H_

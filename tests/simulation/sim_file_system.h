// A deterministic POSIX file system in memory. It makes, moves and removes names as Linux
// does. It knows nothing about descriptors (sim_process.h), nor about operations on a
// file that do not depend on its name (sim_file.h).
//
// It logs everything that is done to it, who did it, and to whose file, so that a test
// can tell whether a file of somebody else was touched.
//
// Permissions are not checked: every caller is root. Functions return 0 or -errno.
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

// What was done to a file. These form the log that a checker reads.
struct SimEffect {
  enum class Kind : uint8_t {
    kMade,
    kNamed,     // Got another name by a link or rename.
    kLostName,  // By unlink or rmdir.
    kReplaced,  // Lost its name to another file that was renamed to it.
    kMoved,     // Lost its name when it was renamed.
    kWritten,
    kTruncated,  // Or made longer, or got blocks allocated.
    kAttributes,
  };

  SimActor actor = SimActor::kBefore;
  Kind kind = Kind::kMade;
  uint64_t inode = 0;
  SimActor made_by = SimActor::kBefore;  // Who had made the file.
  std::string path;                      // By which it was reached, if that is known.
};

std::string ToString(const SimEffect& effect);

// The label that the system gives to the engine's files.
inline constexpr char kSimLabel[] = "user:role:made_t:s0";

class SimFileSystem : public SimPaths {
 public:
  // `now` returns the time of day. `seed` decides the order of directories' entries.
  SimFileSystem(uint64_t seed, std::function<timespec()> now);

  void set_umask(mode_t umask) { umask_ = umask; }

  // Whether files have SELinux's labels. Those of the engine's files are kSimLabel,
  // unless it says which label they are to have.
  void set_has_selinux(bool has_selinux) { has_selinux_ = has_selinux; }
  // The label of what is made from now on; "": the system's choice.
  void set_label_of_made(std::string label) { label_of_made_ = std::move(label); }

  // Counts all looks at files, for file systems that report a new inode number each time.
  uint64_t NextLook() { return ++looks_; }

  const std::vector<SimEffect>& effects() const { return effects_; }
  void ClearEffects() { effects_.clear(); }
  void Note(SimEffect::Kind kind, const SimInode& inode, std::string path = "");

  // The first step of every call that makes a name. *place becomes the place for it.
  int32_t FindNewPlace(const InodePtr& start, std::string_view path, bool is_directory,
                       Place* place) const;
  // Makes a file of any type at `place`. REQUIRES: the name is free.
  int32_t Make(const Place& place, mode_t mode, InodePtr* made);
  int32_t MakeDirectory(const InodePtr& start, std::string_view path, mode_t mode);
  int32_t MakeNode(const InodePtr& start, std::string_view path, mode_t mode,
                   dev_t device);
  int32_t MakeSymlink(std::string_view text, const InodePtr& start,
                      std::string_view path);
  // `follow`: whether a symbolic link as the old name is followed.
  int32_t MakeLink(const InodePtr& old_start, std::string_view old_path,
                   const InodePtr& start, std::string_view path, bool follow);
  int32_t Unlink(const InodePtr& start, std::string_view path);
  int32_t RemoveDirectory(const InodePtr& start, std::string_view path);
  // `replaces`: whether another file may have the new name already; if not, this is
  // RENAME_NOREPLACE.
  int32_t Rename(const InodePtr& old_start, std::string_view old_path,
                 const InodePtr& start, std::string_view path, bool replaces = true);

 private:
  std::string LabelFor(const SimInode& made) const;
  // Both also change the times of the directory and of the file.
  void AddEntry(const InodePtr& directory, const std::string& name,
                const InodePtr& inode);
  void RemoveEntry(const InodePtr& directory, const std::string& name);
  int32_t CheckRename(const Place& from, const InodePtr& old_inode, const Place& to,
                      const InodePtr& replaced) const;

  const uint64_t seed_;
  uint64_t looks_ = 0;
  mode_t umask_ = 022;
  bool has_selinux_ = false;
  std::string label_of_made_;
  std::vector<SimEffect> effects_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_FILE_SYSTEM_H_

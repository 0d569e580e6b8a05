// The tree of mounts, directories and names of a simulated file system, and how a path is
// walked through it, as Linux does.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_PATHS_H_
#define RINGCP_TESTS_SIMULATION_SIM_PATHS_H_

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/sim_inode.h"

namespace ringcp {

// Functions return 0 or -errno.
class SimPaths {
 public:
  // `now` tells the time of day.
  explicit SimPaths(std::function<timespec()> now);
  ~SimPaths();
  SimPaths(const SimPaths&) = delete;
  SimPaths& operator=(const SimPaths&) = delete;

  const InodePtr& root() const { return root_; }
  timespec now() const { return now_(); }

  // Mounts an empty file system on the directory at `path`, which exists, and returns it.
  SimMount* Mount(std::string_view path, const SimMountTraits& traits);
  // Of the file system that the root is on.
  SimMountTraits* root_traits() { return &mounts_.front()->traits; }

  // Who does what comes next, and as whom new files are made.
  SimActor actor() const { return actor_; }
  void set_actor(SimActor actor) { actor_ = actor; }
  void SetUser(uid_t user, gid_t group) { user_ = user, group_ = group; }

  // Where the last component of a path is, before that is looked up.
  struct Place {
    InodePtr directory;
    std::string name;        // May be "." or ".."; "" for the root.
    bool has_slash = false;  // Behind it.

    bool is_plain() const { return !name.empty() && name != "." && name != ".."; }
  };
  // `start`: where a path begins that is not absolute; -EBADF where one is needed and it
  // is null. Links on the way are followed; `links` counts them.
  int32_t WalkToLast(const InodePtr& start, std::string_view path, int* links,
                     Place* place) const;
  // What a path leads to. `follow`: the last component as well, if it is a link. `place`
  // (may be null) is where that was found; if the result is -ENOENT and its name is
  // plain, where it would have been.
  int32_t Find(const InodePtr& start, std::string_view path, bool follow, InodePtr* found,
               Place* place = nullptr) const;
  // The entry `name` of `directory`, what is mounted there included; null if there is
  // none.
  InodePtr Lookup(const InodePtr& directory, std::string_view name) const;
  // As Lookup() of the last component; -ENOENT or -ENAMETOOLONG where that gives nothing.
  int32_t LookupLast(const Place& place, InodePtr* found) const;
  // The directory above `directory`.
  InodePtr Above(const InodePtr& directory) const;
  // The path of a name in a directory, for a person.
  std::string PathOf(const InodePtr& directory, std::string_view name = "") const;
  // The name under which a directory knows what is asked for as `name`.
  std::string NameIn(const SimInode& directory, std::string_view name) const;

 protected:
  InodePtr NewInode(SimMount* mount, mode_t mode);

 private:
  const std::function<timespec()> now_;
  std::vector<std::unique_ptr<SimMount>> mounts_;
  InodePtr root_;
  uint64_t next_number_ = 1;
  SimActor actor_ = SimActor::kBefore;
  uid_t user_ = 0;
  gid_t group_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_PATHS_H_

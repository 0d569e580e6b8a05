// The tree of mounts, directories and names of a simulated file system. Paths are looked
// up in it as in Linux.
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
  // `now` returns the time of day.
  explicit SimPaths(std::function<timespec()> now);
  ~SimPaths();
  SimPaths(const SimPaths&) = delete;
  SimPaths& operator=(const SimPaths&) = delete;

  const InodePtr& root() const { return root_; }
  timespec now() const { return now_(); }

  // Mounts an empty file system on the existing directory at `path`, and returns it.
  SimMount* Mount(std::string_view path, const SimMountTraits& traits);
  // The traits of the file system that the root is on.
  SimMountTraits* root_traits() { return &mounts_.front()->traits; }

  // Who does what comes next, and the user and group to whom new files will belong.
  SimActor actor() const { return actor_; }
  void set_actor(SimActor actor) { actor_ = actor; }
  void SetUser(uid_t user, gid_t group) { user_ = user, group_ = group; }

  // The place of a path's last component, which has not been looked up yet.
  struct Place {
    InodePtr directory;
    std::string name;        // May be "." or ".."; "" for the root.
    bool has_slash = false;  // Whether a slash follows the name.

    bool is_plain() const { return !name.empty() && name != "." && name != ".."; }
  };
  // Finds the place of the last component. A relative path begins at `start`; -EBADF if
  // it is needed and null. Links on the way are followed and counted in `links`.
  int32_t WalkToLast(const InodePtr& start, std::string_view path, int* links,
                     Place* place) const;
  // Finds what a path leads to. `follow`: if that is a link, follows it as well. `place`
  // (may be null) becomes the place where it was found. If the result is -ENOENT and the
  // place's name is plain, it is the place where it would have been.
  int32_t Find(const InodePtr& start, std::string_view path, bool follow, InodePtr* found,
               Place* place = nullptr) const;
  // The entry `name` of `directory`, or what is mounted on it; null if there is none.
  InodePtr Lookup(const InodePtr& directory, std::string_view name) const;
  // Like Lookup() for the last component, but -ENOENT or -ENAMETOOLONG if there is none.
  int32_t LookupLast(const Place& place, InodePtr* found) const;
  // The directory above `directory`.
  InodePtr Above(const InodePtr& directory) const;
  // The path of a name in a directory, to be shown to people.
  std::string PathOf(const InodePtr& directory, std::string_view name = "") const;
  // The name that the entry `name` has in the directory; they may differ in case.
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

// Where a job writes, so that two jobs never write to the same place at the same time:
// the places that it makes or overwrites, and the ways (directories and links) that lead
// to them. Two footprints overlap if a place of one is, or lies above, a place of the
// other.
//
// A place is identified by what is there (device and inode), and also by its name in its
// parent directory, because the job itself may make the file or replace it. A place whose
// parents are missing, too, is identified by the nearest directory that exists and all
// the remaining names.
//
// Thread-safety: plain values; const member functions may be called by several threads.

#ifndef RINGCP_AGENT_TARGET_FOOTPRINT_H_
#define RINGCP_AGENT_TARGET_FOOTPRINT_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace ringcp {

// A file, whatever its names are.
struct PathIdentity {
  dev_t device = 0;
  ino_t inode = 0;

  friend bool operator==(const PathIdentity&, const PathIdentity&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const PathIdentity& id) {
    return H::combine(std::move(h), id.device, id.inode);
  }
};

// One step on the way from the root directory to a place, without symbolic links.
struct PathStep {
  // The name as its directory compares it: two names that the directory may take for the
  // same file are equal here. "" for the root directory.
  std::string name;
  std::string exact_name;  // The name as it was given.
  // Nothing if there is no such file; then no later step has an identity either.
  std::optional<PathIdentity> identity;
};

// From the root directory, which is the first step, to a place, which is the last.
using PathSteps = std::vector<PathStep>;

class TargetFootprint {
 public:
  // Of a job that writes nothing; overlaps with nothing.
  TargetFootprint() = default;

  // Of a job for which nobody could find out where it writes; overlaps with everything,
  // except a job that writes nothing.
  static TargetFootprint Everywhere();

  // The last of `steps` is made or overwritten. The first `known` steps were already
  // added with another place that they lead to.
  // REQUIRES: `known` < steps.size(), and the first step has an identity.
  void AddPlace(const PathSteps& steps, size_t known = 0);

  // The job's way leads through all of `steps`, which end with a link, or with the
  // directory copied into.
  // REQUIRES: the first step has an identity.
  void AddWay(const PathSteps& steps);

  bool Overlaps(const TargetFootprint& other) const;

 private:
  friend class TakenPlaces;

  // A file by its identity (then `names` is empty), or by the names that lead to it from
  // the directory `identity`.
  struct Key {
    PathIdentity identity;
    std::string names;

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& key) {
      return H::combine(std::move(h), key.identity, key.names);
    }
  };
  using Keys = absl::flat_hash_set<Key>;

  // The key of steps[to], by the names that lead to it from steps[from], which has an
  // identity.
  static Key KeyOf(const PathSteps& steps, size_t from, size_t to,
                   std::string PathStep::*name);
  static void AddStep(const PathSteps& steps, size_t index, Keys* keys);
  // Whether a place of this footprint is a place of `other`, or on the way to one.
  bool IsAbove(const TargetFootprint& other) const;
  bool empty() const { return !everywhere_ && places_.empty(); }

  bool everywhere_ = false;
  Keys places_;
  Keys ways_;
};

// The footprints of many jobs. FindOverlap() takes time in proportion to the footprint it
// is given, however many jobs there are.
class TakenPlaces {
 public:
  void Add(int64_t job, const TargetFootprint& footprint);
  void Clear() { *this = TakenPlaces(); }

  // One of the jobs whose footprint overlaps with `footprint`.
  std::optional<int64_t> FindOverlap(const TargetFootprint& footprint) const;

 private:
  using Jobs = absl::flat_hash_map<TargetFootprint::Key, int64_t>;

  Jobs places_;
  Jobs ways_;
  // A job that writes anything at all, and a job that writes everywhere.
  std::optional<int64_t> anybody_;
  std::optional<int64_t> everywhere_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_TARGET_FOOTPRINT_H_

// Records where files with several links have been copied to, so that their copies become
// hard links of each other as well (--preserve=links).
//
// The first worker that meets such a file copies it. If another name of the file is met
// meanwhile, its entry waits here until that copy has ended; then the worker that has
// ended it makes the hard link.
//
// Memory: one entry for each file with several links, until all of its links have been
// met. If it is unknown how many will be met, the entry stays until the job ends. This is
// the one part of the engine that has to grow with the tree.
//
// Thread-safety: all methods may be called by any thread.

#ifndef RINGCP_CORE_TREE_LINK_TABLE_H_
#define RINGCP_CORE_TREE_LINK_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "core/base/file_identity.h"
#include "core/base/mutex.h"
#include "core/tree/directory.h"
#include "core/tree/walk.h"

namespace ringcp {

// A directory entry whose copy has to wait; it keeps its hold on the directory.
struct WaitingEntry {
  // The order of an entry that asks, if at all, when it comes to that.
  static constexpr uint64_t kOutOfTurn = ~uint64_t{0};

  Directory* directory = nullptr;
  EntryKind kind = EntryKind::kRegular;
  bool follow = false;
  bool looked_at = false;    // See WalkEntry.
  bool may_replace = false;  // See FileCopyNames.
  uint64_t order = 0;        // Its place among those that may ask (-i).
  std::string source_name;
  std::string target_name;
  // The file that this entry has claimed, to copy it for all of its names; absent if it
  // has no claim.
  std::optional<FileIdentity> claimed;
};

class LinkTable {
 public:
  enum class Claim {
    kCopy,  // The caller copies the file, and then calls EndClaim().
    kLink,  // It has been copied: the caller makes a hard link to the copy.
    kWait,  // It is being copied: the entry waits here, and the caller drops it.
    // The same. What copies the file comes after the entry (WaitingEntry::order), so the
    // entry must not be waited for, and waits out of turn.
    kWaitForLater,
  };

  // The number of links if the file may be met more often than it has links, because
  // symbolic links to it are followed, or a directory is copied twice, by its own name
  // and in another directory.
  static constexpr uint32_t kAnyNumber = ~uint32_t{0};

  // Claims the file `id`, which has `links` links (or kAnyNumber), for `entry`. With
  // kLink, `copied_as` becomes the path of its copy, relative to the top of the target.
  Claim ClaimFile(const FileIdentity& id, uint32_t links, const WaitingEntry& entry,
                  std::string* copied_as);

  // Ends the claim by which the caller copied `id`: to `copied_as`, or not at all if that
  // is empty. Returns the entries that have waited for it. After a failure it returns
  // only the first of them, by their order, which then has the claim and is to be copied;
  // the others go on waiting.
  std::vector<WaitingEntry> EndClaim(const FileIdentity& id, std::string copied_as);

  // Gives up all waiting entries, for a job that stops.
  std::vector<WaitingEntry> TakeAllWaiting();

 private:
  struct File {
    bool copied = false;
    uint64_t order = 0;          // Of the entry that has the claim.
    uint32_t links_to_meet = 0;  // 0: nobody will ask again.
    uint32_t released = 0;       // So many at the front of `waiting` are gone.
    std::string copied_as;
    std::vector<WaitingEntry> waiting;
  };

  Mutex mutex_;
  absl::flat_hash_map<FileIdentity, File> files_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_LINK_TABLE_H_

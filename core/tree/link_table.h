// Which files with several links have been copied where, so that the copies are links of
// each other as well (--preserve=links).
//
// The first worker to meet such a file copies it; a link met meanwhile waits here until
// that copy has ended, and is then made by the worker that ended it.
//
// Memory: one entry for each file with several links, until all of them have been met (or
// to the end, where that can't be told):
// the one part of the engine that grows with the tree, as it must.
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
  Directory* directory = nullptr;
  EntryKind kind = EntryKind::kRegular;
  bool follow = false;
  bool looked_at = false;  // Its kind; see WalkEntry.
  std::string source_name;
  std::string target_name;
  // The file that this entry is to copy for all of its names; none: it has not claimed
  // any.
  std::optional<FileIdentity> claimed;
};

class LinkTable {
 public:
  enum class Claim {
    kCopy,  // The caller copies the file, and then calls Settle().
    kLink,  // It has been copied: the caller links to it.
    kWait,  // It is being copied: the entry waits, the caller forgets it.
  };

  // A file may be met more often than it has links: symbolic links to it are followed, or
  // a directory is copied twice, by its own name and in another one.
  static constexpr uint32_t kAnyNumber = ~uint32_t{0};

  // Claims the file `id`, which has `links` links (or kAnyNumber), for `entry`. With
  // kLink, `copied_as` is the path of its copy, relative to the top of the target.
  Claim ClaimFile(const FileIdentity& id, uint32_t links, const WaitingEntry& entry,
                  std::string* copied_as);

  // Ends the claim that made the caller copy `id`: it was copied to `copied_as`, or, if
  // that is empty, was not. Returns who has waited for it; after a failure the first of
  // them is to be copied (it now has the claim), the others go on waiting.
  std::vector<WaitingEntry> Settle(const FileIdentity& id, std::string copied_as);

  // Gives up all waiting entries, for a job that stops.
  std::vector<WaitingEntry> TakeAllWaiting();

 private:
  struct File {
    bool copied = false;
    uint32_t links_to_meet = 0;  // 0: nobody will ask again.
    uint32_t released = 0;       // Of `waiting`, the first so many are no more.
    std::string copied_as;
    std::vector<WaitingEntry> waiting;
  };

  Mutex mutex_;
  absl::flat_hash_map<FileIdentity, File> files_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_LINK_TABLE_H_

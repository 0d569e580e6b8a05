// One entry that a walk yields.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_TREE_WALK_ENTRY_H_
#define RINGCP_CORE_TREE_WALK_ENTRY_H_

#include <cstdint>
#include <string>

namespace ringcp {

// The kind of file that an entry is. (Directories are not yielded.)
enum class EntryKind : uint8_t {
  kRegular,
  kSymlink,
  kSpecial,  // A pipe, device or socket; its copy is a new node.
  kStream,   // A pipe or device whose contents are to be copied.
};

struct WalkEntry {
  EntryKind kind = EntryKind::kRegular;
  bool follow = false;  // If the name is a symbolic link, follow it.
  // True if `kind` was seen by a stat; otherwise it is only what the directory lists.
  bool looked_at = false;
  uint64_t inode = 0;  // As listed or seen by a stat; 0 for given entries.
  // Both are valid until the entry is released, and no longer than the batch.
  const char* source_name = nullptr;
  const char* target_name = nullptr;
};

// An entry that was named on the command line.
struct NamedEntry {
  EntryKind kind = EntryKind::kRegular;
  bool follow = false;
  std::string source_name;
  std::string target_name;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_TREE_WALK_ENTRY_H_

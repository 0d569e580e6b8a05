// What is in a simulated file system: files of all kinds, and the file systems that are
// mounted, each with a character of its own.
//
// Thread-safety: none; a simulation has one thread.
// Ownership: directories and open files share what they lead to, so that a file without a
// name lives until it is closed. SimFileSystem breaks the cycles when it goes.

#ifndef RINGCP_TESTS_SIMULATION_SIM_INODE_H_
#define RINGCP_TESTS_SIMULATION_SIM_INODE_H_

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "tests/simulation/sparse_bytes.h"

namespace ringcp {

// Who does something, or has made something.
enum class SimActor : uint8_t {
  kBefore,  // The test, before the engine runs.
  kEngine,  // What is under test.
  kOther,   // Somebody else, meanwhile.
};

// What a file system is like. The default is one that is known and local: tmpfs.
struct SimMountTraits {
  enum class ListedTypes : uint8_t { kTrue, kUnknown, kWrong };

  uint64_t magic = TMPFS_MAGIC;
  // Pages of contents that it has room for.
  uint64_t pages_max = std::numeric_limits<uint32_t>::max();
  // Bytes that a file can have: what would go beyond gets EFBIG.
  uint64_t file_size_max = std::numeric_limits<int64_t>::max();
  // A write that there is no room for succeeds, and closing the file tells ENOSPC, once.
  // (NFS, FUSE)
  bool tells_errors_at_close = false;
  bool refuses_mode = false;   // chmod: EPERM.
  bool refuses_owner = false;  // chown: EPERM.
  std::optional<mode_t> fixed_mode =
      std::nullopt;  // All files are told to have it, as on FAT.
  std::optional<uint64_t> size_told_max =
      std::nullopt;                               // A stat tells no more; /proc: 0.
  bool tells_no_blocks = false;                   // A stat says that files take no room.
  ListedTypes listed_types = ListedTypes::kTrue;  // What a directory says.
  uint32_t list_max = 0;                          // Entries at a time; 0: no limit.
  bool inodes_change = false;                     // Each look tells another inode number.
  bool names_have_inodes = false;                 // Each name has another one.
  // A file that is opened for writing, or linked, gets another one by that. (overlayfs)
  bool copies_up = false;
  uint32_t read_max = 0;   // A read gets no more; 0: no limit.
  uint32_t write_max = 0;  // A write stores no more; 0: no limit.
  // An open file takes what is written in order, from its beginning and without a gap:
  // any other write gets EINVAL, and all that follow EIO.
  bool takes_writes_in_order = false;
  bool caches = true;             // What is read or written is in the page cache.
  bool knows_holes = true;        // SEEK_DATA and SEEK_HOLE find holes.
  uint32_t direct_alignment = 1;  // Of what O_DIRECT takes; 0: it is refused.
  bool takes_uncached = false;    // RWF_DONTCACHE.
  bool can_clone = false;
  bool ignores_case = false;
  bool has_links = true;   // Symbolic and hard ones, and nodes; else EPERM.
  bool has_xattrs = true;  // ACLs among them.
};

struct SimInode;
using InodePtr = std::shared_ptr<SimInode>;

struct SimMount {
  SimMountTraits traits;
  uint32_t device_minor = 0;
  uint64_t pages = 0;  // In use.
  InodePtr root;
  InodePtr mount_point;  // What `root` covers; null for the root of all.

  uint64_t pages_free() const {
    return traits.pages_max > pages ? traits.pages_max - pages : 0;
  }
};

struct SimEntry {
  InodePtr inode;
  uint64_t cookie = 0;  // Where it is in the order of the directory.
};

struct SimInode {
  SimInode() = default;
  ~SimInode() {
    if (mount != nullptr) mount->pages -= contents.pages();
  }
  SimInode(const SimInode&) = delete;
  SimInode& operator=(const SimInode&) = delete;

  uint64_t number = 0;  // Never used again.
  SimMount* mount = nullptr;
  SimActor made_by = SimActor::kBefore;
  mode_t mode = 0;  // With the type.
  uid_t user = 0;
  gid_t group = 0;
  dev_t device = 0;    // Of a device.
  uint32_t links = 0;  // Names; of a directory as Linux counts them.
  timespec access = {};
  timespec modification = {};
  timespec change = {};
  timespec birth = {};
  std::map<std::string, std::string> xattrs;
  bool is_copied_up = false;

  // Of a regular file.
  SparseBytes contents;
  int error_at_close = 0;  // What the next close of a file open for writing tells.

  std::string text;  // Of a symbolic link.

  // Of a pipe.
  std::string pipe;  // What was written and not read yet.
  int readers = 0;
  int writers = 0;
  int64_t writers_ever = 0;

  // Of a directory. A removed one has no entries, no links, and still a parent.
  std::map<std::string, SimEntry> entries;
  std::map<uint64_t, std::string> order;  // Names by cookie.
  std::string name;                       // By which it is in its parent.
  InodePtr parent;                        // Of a mount's root: itself.
  InodePtr covered_by;  // The root of what is mounted here, if anything.

  mode_t type() const { return mode & S_IFMT; }
  bool is_directory() const { return S_ISDIR(mode); }
  bool is_link() const { return S_ISLNK(mode); }
  bool is_regular() const { return S_ISREG(mode); }
  bool is_dead_directory() const { return is_directory() && links == 0; }
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_INODE_H_

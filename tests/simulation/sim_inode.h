// The contents of a simulated file system: files of all kinds, and the mounted file
// systems, each with its own behaviour.
//
// Thread-safety: none; a simulation has one thread.
// Ownership: directories and open files share ownership of what they refer to, so that a
// file without a name lives until it is closed. SimFileSystem breaks the cycles when it
// is destroyed.

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
  kEngine,  // The code under test.
  kOther,   // Somebody else, while the engine runs.
};

// How a file system behaves. The default is one that is known and local: tmpfs.
struct SimMountTraits {
  enum class ListedTypes : uint8_t { kTrue, kUnknown, kWrong };

  uint64_t magic = TMPFS_MAGIC;
  // How many pages of contents it has room for.
  uint64_t pages_max = std::numeric_limits<uint32_t>::max();
  // The size limit of a file, in bytes: a write beyond it fails with EFBIG.
  uint64_t file_size_max = std::numeric_limits<int64_t>::max();
  // A write for which there is no room succeeds, and closing the file reports ENOSPC,
  // once. (NFS, FUSE)
  bool tells_errors_at_close = false;
  bool refuses_mode = false;   // chmod: EPERM.
  bool refuses_owner = false;  // chown: EPERM.
  std::optional<mode_t> fixed_mode =
      std::nullopt;  // All files are reported with it, as on FAT.
  std::optional<uint64_t> size_told_max = std::nullopt;  // Reported at most; /proc: 0.
  bool tells_no_blocks = false;                   // Files are reported to take none.
  ListedTypes listed_types = ListedTypes::kTrue;  // By directories.
  uint32_t list_max = 0;                          // Entries at a time; 0: no limit.
  bool inodes_change = false;                     // Each look reports another number.
  bool names_have_inodes = false;                 // Each name has another number.
  // Opening a file for writing, or linking it, changes its inode number. (overlayfs)
  bool copies_up = false;
  uint32_t read_max = 0;   // A read returns no more; 0: no limit.
  uint32_t write_max = 0;  // A write stores no more; 0: no limit.
  // An open file must be written from its beginning without a gap. Any other write fails
  // with EINVAL, and all later ones with EIO.
  bool takes_writes_in_order = false;
  bool caches = true;             // What is read or written is in the page cache.
  bool knows_holes = true;        // SEEK_DATA and SEEK_HOLE find holes.
  uint32_t direct_alignment = 1;  // What O_DIRECT requires; 0: it is refused.
  bool takes_uncached = false;    // Whether it accepts RWF_DONTCACHE.
  bool can_clone = false;
  int copy_range_error = 0;     // What copying a range fails with; 0: it does not.
  uint64_t copy_range_max = 0;  // It copies no more at a time; 0: no limit.
  bool ignores_case = false;
  bool renames_to_new_names = true;  // RENAME_NOREPLACE; if not, EINVAL.
  bool has_links = true;             // Symbolic and hard ones, and nodes; if not, EPERM.
  bool has_xattrs = true;            // Including ACLs.
};

struct SimInode;
using InodePtr = std::shared_ptr<SimInode>;

struct SimMount {
  SimMountTraits traits;
  uint32_t device_minor = 0;
  uint64_t pages = 0;  // Pages in use.
  InodePtr root;
  InodePtr mount_point;  // What `root` covers; null for the topmost file system.

  uint64_t pages_free() const {
    return traits.pages_max > pages ? traits.pages_max - pages : 0;
  }
};

struct SimEntry {
  InodePtr inode;
  uint64_t cookie = 0;  // Its position in the directory's order.
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
  mode_t mode = 0;  // Including the type.
  uid_t user = 0;
  gid_t group = 0;
  dev_t device = 0;    // Of a device node.
  uint32_t links = 0;  // Names; a directory's are counted as Linux does.
  timespec access = {};
  timespec modification = {};
  timespec change = {};
  timespec birth = {};
  std::map<std::string, std::string> xattrs;
  bool is_copied_up = false;

  // For a regular file.
  SparseBytes contents;
  int error_at_close = 0;  // Reported by the next close of a file open for writing.

  std::string text;  // For a symbolic link.

  // For a pipe.
  std::string pipe;  // Written and not read yet.
  int readers = 0;
  int writers = 0;
  int64_t writers_ever = 0;

  // For a directory. A removed one has no entries and no links, but still a parent.
  std::map<std::string, SimEntry> entries;
  std::map<uint64_t, std::string> order;  // Names by cookie.
  std::string name;                       // Its name in its parent.
  InodePtr parent;                        // A mount's root is its own parent.
  InodePtr covered_by;  // The root of what is mounted here, if anything.

  mode_t type() const { return mode & S_IFMT; }
  bool is_directory() const { return S_ISDIR(mode); }
  bool is_link() const { return S_ISLNK(mode); }
  bool is_regular() const { return S_ISREG(mode); }
  bool is_dead_directory() const { return is_directory() && links == 0; }
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_INODE_H_

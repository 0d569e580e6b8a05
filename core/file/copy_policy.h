// What all copies of a job have in common (FileCopyPolicy), which entry one copy is about
// (FileCopyNames), and why a copy has failed (CopyFailure). All kinds of copies share
// these, and with them the rules about modes and owners.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_FILE_COPY_POLICY_H_
#define RINGCP_CORE_FILE_COPY_POLICY_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "core/base/copy_options.h"
#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/file/known_directories.h"
#include "core/file/shared_file.h"
#include "core/file/target_claims.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"
#include "core/kernel/op.h"

namespace ringcp {

// Groups of mode bits for which the kernel's headers have no names.
inline constexpr mode_t kPermissions = 0777;
inline constexpr mode_t kAllModeBits = 07777;
inline constexpr mode_t kOwnerPermissions = 0700;
inline constexpr mode_t kSetIdBits = S_ISUID | S_ISGID;
inline constexpr mode_t kSpecialBits = kSetIdBits | S_ISVTX;

struct FileCopyPolicy {
  Preserve preserve;
  bool default_mode = false;
  bool force = false;
  Makes makes = Makes::kCopies;
  bool attributes_only = false;
  Update update = Update::kAll;
  // The user is asked before something that exists is replaced (-i).
  bool interactive = false;
  Backup backup = Backup::kNone;
  const std::string* backup_suffix = nullptr;  // Set if `backup` is not kNone.
  // The names that the sources get in the job's target, or in directories of it. Set if
  // `backup` is not kNone.
  const std::set<std::string>* named_targets = nullptr;
  bool remove_destination = false;
  bool writes_through_dangling_links = false;
  Sparse sparse = Sparse::kAuto;
  bool copy_contents = false;
  // The label of new targets (--context); nullptr: what the system's policy says (-Z).
  // Means something if preserve.context is kReplaced.
  const char* label = nullptr;
  bool keep_directory_symlink = false;
  // With --parents: the targets of the directories above sources, which may be reached
  // through symbolic links that were there before.
  KnownDirectories* known_parents = nullptr;
  Reflink reflink = Reflink::kNever;
  // What is known about file systems. REQUIRES: set if contents are copied.
  FileSystemTable* file_systems = nullptr;
  // Whether the copy follows symbolic links that are named as sources, and those that it
  // finds below them.
  bool follows_named_links = false;
  bool follows_links = false;
  PageCache page_cache = PageCache::kKeep;
  // Whether large files that are not in the page cache are read past it (O_DIRECT). That
  // pays if several reads are in flight at the same time; for single reads the kernel's
  // read-ahead is better.
  bool direct_reads = false;
  // Whether reads and writes with O_DIRECT are polled, if both devices support that.
  bool polls = false;
  mode_t umask = 022;
  // The process's effective user, who owns the files that the process creates.
  uid_t user = 0;
  // Whether every file is offered to the link table (FileCopy's kMultiplyLinked), even
  // one with a single hard link: if symbolic links are followed, several names may lead
  // to it. Or whether only those files are offered that the user has named.
  bool offer_all_links = false;
  bool offer_named_links = false;
  // The user has named several sources. One of them may lie inside another, so the walk
  // may meet a file more often than it has names.
  bool may_meet_names_again = false;
  // Whether owners and modes that are kept are set even if they look right, as GNU cp
  // does. A preloaded library may show what it has not been told yet: to fakeroot,
  // whatever nobody has given away is root's, and only a mode that is set leaves the user
  // able to write.
  bool always_sets_attributes = false;
  // Whether new targets may be made in slots. A target can be looked at and emptied only
  // by an ordinary descriptor, so the ring must be able to install one for a slot.
  bool use_slots = true;
  // Whether every op that can be queued is (--engine=uring). Otherwise an op that takes
  // no longer than queueing it would is carried out at once.
  bool queues_all = false;
  // Whether ops that set a file's size are queued as well: not every ring can do that.
  bool queues_truncate = false;
  // Whether blocks may be larger than the pool's: the user has not said how large.
  bool may_enlarge_blocks = true;
  // Where large files are offered to other workers; nullptr: they are not offered.
  SharedFiles* shared_files = nullptr;
  // Where targets are claimed; nullptr: no other copy writes to any target.
  TargetClaims::Desk* claims = nullptr;

  // Carries out single ops that are in no chain, for the thread that asks for them.
  Kernel* kernel = nullptr;

  // Returns `op`, marked to be carried out at once, unless such ops are slow. It stays
  // unmarked if all ops are to be queued, or if it can't be queued anyway. REQUIRES: `op`
  // names no slot, and is to be alone in its chain.
  Op CallUnlessQueued(const Op& op) const {
    return queues_all || !CanBeQueued(op.kind) ? op : AtOnceUnlessSlow(op);
  }
  // Whether the copy is to leave nothing of its files in the page cache.
  bool leaves_cache() const { return page_cache != PageCache::kKeep; }
  // The op that sets the size of the open `file`.
  Op Resize(FileRef file, uint64_t size) const {
    return queues_truncate ? SetSize(file, size) : AtOnce(SetSize(file, size));
  }

  // Whether a file on `source` may be cloned to `target`. `source` is nullptr if the
  // source's file system is not known yet.
  bool MayClone(const FileSystem* source, const FileSystem& target) const;
  // The mode for creating a copy of an entry that has `source_mode`. The kernel takes the
  // umask off it, and the caller takes off WithheldMode().
  mode_t NewMode(mode_t source_mode) const;
  // The permissions of NewMode() that a copy is created without, so that nobody else
  //  - gets in before the copy has its owner,
  //  - writes into a directory while it is filled, or
  //  - gets in by name, if the source's mode is kept and the copy inherits an ACL
  //    (`inherits_acl`: its directory has a default ACL).
  // The copy gets them at its end, as far as the umask permits.
  mode_t WithheldMode(mode_t source_mode, bool inherits_acl) const;
  // Whether failing to set an owner with `error_number` is no error, as in GNU cp.
  bool MayFailToSetOwner(int error_number) const;
  // Whether failing to set a mode with `error_number` is no error, because nobody has
  // asked for the mode and the file system has its own modes (exFAT, CIFS) or permits no
  // changes.
  bool MayFailToSetMode(int error_number) const;
};

// Whether a copy has removed an old target, and when. --verbose reports the removal at
// the same point as GNU cp.
enum class OldTarget {
  kKept,                // Or there was none.
  kRemovedBeforehand,   // Before the copy began: it was clear that it had to go.
  kBackedUp,            // It has got another name, also before the copy began.
  kRemovedAfterFailing  // After opening it, or making a hard link over it, had failed.
};

// Which entry is copied, and to which name.
struct FileCopyNames {
  int source_directory = AT_FDCWD;
  const char* source = nullptr;
  bool follow_source = false;  // If the source is a symbolic link.
  // Whether symbolic links are followed in the place where the source was found. The
  // source need not be one.
  bool follows_links_here = false;
  int target_directory = AT_FDCWD;
  const char* target = nullptr;
  // This job made the target directory (TargetDirectory::is_created), so nothing is in it
  // except what the job has put there.
  bool target_directory_created = false;
  uint64_t target_key = 0;  // TargetDirectory::key.
  // The most that the target directory's default ACL grants; absent if it has none
  // (TargetDirectory::default_acl).
  std::optional<mode_t> target_default_acl;
  // The group that a file created in the target directory gets.
  gid_t target_group = 0;
  // The file systems of the two directories. The source's is nullptr if the user named
  // the source, because its file system is not known before it is open.
  FileSystem* source_file_system = nullptr;
  FileSystem* target_file_system = nullptr;
  // The source is offered to the link table even if it has one hard link only.
  bool offers_links = false;
  // With -i: the user has said that the target may be replaced.
  bool may_replace = false;

  TargetClaims::Place target_place() const {
    return {.directory = target_directory,
            .name = target,
            .file_system = target_file_system,
            .directory_key = target_key};
  }
};

// Why a copy was refused although no op has failed.
enum class Refusal {
  kNone,
  kUnknownType,     // The source is of a type that no op can make.
  kSourceReplaced,  // The source is no longer the file that was looked at.
  kSameFile,        // Source and target are one file.
  kTargetIsDirectory,
  kTargetIsNotDirectory,
  kTargetDangling,  // A symbolic link to nowhere.
  kTargetReplaced,  // The target is no longer the file that this job made or opened.
  kSourceIsBackup,  // The source is the old backup that a new one would replace.
  kTargetKept,      // The target exists, and --update=none-fail.
  kLinkElsewhere,   // A relative symbolic link to it would lead elsewhere (-s).
  kParentIsNotDirectory,  // What is there in place of a directory above the target.
};

// Why a copy has failed.
struct CopyFailure {
  Operation operation = Operation::kRefuse;
  int error_number = 0;  // 0 if refused.
  Refusal refusal = Refusal::kNone;
  bool on_target = false;      // Otherwise the source is at fault.
  std::string attribute = {};  // Which one, if the operation is about one of several.
};

// Whether the target has not got its SELinux label, which is a warning if the copy has
// not failed.
bool IsAboutLabel(const CopyFailure& failure);

// Whether opening a target failed with `error_number` because of the target itself, so
// that removing it helps (-f). After other errors (no room, no descriptors, a server that
// does not answer) a new target could not be made either, and the old one would be lost.
bool RemovingMayHelp(int error_number);

// Opening an existing target, or emptying it once it was open, has failed with
// `error_number`. Returns whether that may be because its file system lets files be
// opened for writing only with O_TRUNC (FileSystem::may_open_truncating_only()).
bool MayNeedTruncating(int error_number);

// Whether an existing target has to be opened with O_TRUNC. Without it, opening or
// emptying the target has failed with `error_number`, or has not been tried yet (0).
// `has_one_name`: the target has only the name that it is opened by.
bool NeedsTruncating(const FileSystem& file_system, int error_number, bool has_one_name);

CopyFailure TargetFailure(Operation operation, int error_number);
CopyFailure RefusedTarget(Refusal refusal);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_COPY_POLICY_H_

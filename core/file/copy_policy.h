// What is the same for all files of a job, the rules about modes and owners that follow
// from it, and what may be wrong with the copy of one: shared by all that copy something.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_FILE_COPY_POLICY_H_
#define RINGCP_CORE_FILE_COPY_POLICY_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "core/base/copy_options.h"
#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/file/shared_file.h"
#include "core/file/target_claims.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"
#include "core/kernel/op.h"

namespace ringcp {

// Parts of a mode; the kernel's headers have no names for these groups.
inline constexpr mode_t kPermissions = 0777;
inline constexpr mode_t kAllModeBits = 07777;
inline constexpr mode_t kOwnerPermissions = 0700;
inline constexpr mode_t kSetIdBits = S_ISUID | S_ISGID;

struct FileCopyPolicy {
  Preserve preserve;
  bool default_mode = false;
  bool force = false;
  bool no_clobber = false;
  bool remove_destination = false;
  bool writes_through_dangling_links = false;
  Reflink reflink = Reflink::kNever;
  // What is known of file systems. REQUIRES: set where contents are copied.
  FileSystemTable* file_systems = nullptr;
  // Whether symbolic links named as sources, and those below them, are followed.
  bool follows_named_links = false;
  bool follows_links = false;
  PageCache page_cache = PageCache::kKeep;
  // Whether large files that are not there are read past it. It pays where several reads
  // are on their way at a time; a single one has the kernel read ahead.
  bool direct_reads = false;
  // Whether what is copied with O_DIRECT is polled, where both devices can be.
  bool polls = false;
  mode_t umask = 022;
  // The process's effective user, whom the files it creates belong to.
  uid_t user = 0;
  // Every file is offered to the link table, also one with a single link: with links
  // followed, several names may lead to it (kMultiplyLinked). Or only those that are
  // named.
  bool offer_all_links = false;
  bool offer_named_links = false;
  // Several sources are named: one of them may lie in another, so that a file is met more
  // often than it has names.
  bool may_meet_names_again = false;
  // Whether sources' capabilities are looked for, to tell that they are left out.
  bool notes_capabilities = false;
  // Whether new targets may be made in slots. Without an ordinary descriptor a target can
  // be neither looked at nor emptied, so this takes a ring that can install one.
  bool use_slots = true;
  // Whether every op that io_uring has is queued (--engine=uring); else what takes no
  // longer than queueing it would is called at once.
  bool queues_all = false;
  // Whether setting a file's size is queued as well: not every ring can.
  bool queues_truncate = false;
  // Where large files are offered to other workers; nullptr: they are not.
  SharedFiles* shared_files = nullptr;
  // Where targets are claimed; nullptr: nobody else writes to any.
  TargetClaims::Desk* claims = nullptr;

  // What the copy's own thread asks of the world without a chain.
  Kernel* kernel = nullptr;

  // `op`, to be called at once unless all are to be queued. REQUIRES: it names no slot.
  Op CallUnlessQueued(const Op& op) const {
    return queues_all || !CanBeQueued(op.kind) ? op : AtOnce(op);
  }
  // Whether what is copied is to leave the page cache.
  bool leaves_cache() const { return page_cache != PageCache::kKeep; }
  // Sets the size of the open file `fd`.
  Op Resize(int fd, uint64_t size) const {
    return queues_truncate ? SetSize(fd, size) : AtOnce(SetSize(fd, size));
  }

  // Whether a file may be cloned from `source`, nullptr where it is not known yet, to
  // `target`.
  bool MayClone(const FileSystem* source, const FileSystem& target) const;
  // The mode to create a copy of something of `source_mode` with; the kernel takes the
  // umask off it. Where an owner is yet to be set, nobody else should get in before:
  // see kOwnerPermissions.
  mode_t NewMode(mode_t source_mode) const;
  // What NewMode() is to be created without, because nobody else should get in before the
  // copy has its owner, write into a directory while it is filled, or use what
  // `inherits_acl` (its directory has a default ACL) grants to people by name where the
  // source's mode is kept. It is given back at the end, as far as the umask permits.
  mode_t WithheldMode(mode_t source_mode, bool inherits_acl) const;
  // Whether it is no error, as in GNU cp, that an owner could not be set.
  bool MayFailToSetOwner(int error_number) const;
  // Whether it is no error that a mode could not be set: nobody has asked for it, and the
  // file system has modes of its own (exFAT, CIFS) or permits no changes.
  bool MayFailToSetMode(int error_number) const;
};

// Whether a copy has removed what was in its target's way, and when: in the order in
// which GNU cp tells of it.
enum class OldTarget {
  kKept,                // Or there was none.
  kRemovedBeforehand,   // Before the copy began: it was clear that it had to go.
  kRemovedAfterFailing  // It could not be opened, or no link made over it.
};

// Which file is copied to where.
struct FileCopyNames {
  int source_directory = AT_FDCWD;
  const char* source = nullptr;
  bool follow_source = false;  // If the source is a symbolic link.
  // Whether links are followed where the source is found, be it one or not.
  bool follows_links_here = false;
  int target_directory = AT_FDCWD;
  const char* target = nullptr;
  // This job made the target directory (TargetDirectory::is_created): nothing is there
  // but what the job has put there.
  bool target_directory_created = false;
  uint64_t target_key = 0;  // TargetDirectory::key.
  // What the target directory's default ACL grants (TargetDirectory::default_acl).
  std::optional<mode_t> target_default_acl;
  // The group that a file created in the target directory gets.
  gid_t target_group = 0;
  // What the two directories are on. The source's is nullptr for one that is named by the
  // user, whose own is not known before it is open.
  FileSystem* source_file_system = nullptr;
  FileSystem* target_file_system = nullptr;
  // The source is one to be offered to the link table whatever its number of links.
  bool offers_links = false;

  TargetClaims::Place target_place() const {
    return {.directory = target_directory,
            .name = target,
            .file_system = target_file_system,
            .directory_key = target_key};
  }
};

// Why a copy was refused without any operation failing.
enum class Refusal {
  kNone,
  kUnknownType,     // Nothing that could be made anew.
  kSourceReplaced,  // No longer what it was when it was looked at.
  kSameFile,        // Source and target are one file.
  kTargetIsDirectory,
  kTargetIsNotDirectory,
  kTargetDangling,  // A symbolic link to nowhere.
  kTargetReplaced,  // No longer what this job has just made.
};

// What is wrong with a copy that failed.
struct CopyFailure {
  Operation operation = Operation::kRefuse;
  int error_number = 0;  // 0 when refused.
  Refusal refusal = Refusal::kNone;
  bool on_target = false;  // Else on the source.
};

// Whether a target that could not be opened because of `error_number` could not be opened
// for what it is, so that removing it helps (-f). Else (no room, no descriptors, a server
// that does not answer) a new one could not be made either, and the old one would be
// gone.
bool RemovingMayHelp(int error_number);

// Whether an existing target on a file system that may_open_truncating_only(), which
// could not be opened, or emptied once it was open, because of `error_number`, may be one
// that takes no other opening.
bool MayNeedTruncating(int error_number);

// Whether an existing target is to be opened with O_TRUNC after all, if opening it, or
// emptying it, failed with `error_number`; 0: if it has not been tried. `has_one_name`:
// it has no other name than the one it is opened by.
bool NeedsTruncating(const FileSystem& file_system, int error_number, bool has_one_name);

// Failures of the target.
CopyFailure TargetFailure(Operation operation, int error_number);
CopyFailure RefusedTarget(Refusal refusal);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_COPY_POLICY_H_

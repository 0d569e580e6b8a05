// Old targets that a copy can't write to: they are removed, or, with --backup, get other
// names, as GNU cp names them. If nothing takes a backup's place because the copy fails,
// the backup gets its own name back.
//
// Thread-safety: the functions may be called by any thread, for different targets.

#ifndef RINGCP_CORE_FILE_OLD_TARGET_H_
#define RINGCP_CORE_FILE_OLD_TARGET_H_

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/file/copy_policy.h"

namespace ringcp {

// What has become of an old target.
struct MadeWay {
  std::optional<CopyFailure> failure;  // Nothing was done.
  // kKept if another file has the target's name by now, or none.
  OldTarget old_target = OldTarget::kKept;
  std::string backup;  // Its name, if it is kBackedUp.
};

// Makes way for a copy under the name names.target, which the file `existing` has: backs
// it up in the same directory if `how` is kBackedUp, otherwise removes it, which is then
// reported as `how` says. Another file that has the name by now stays. An older backup of
// the same name is lost, as in GNU cp, but a numbered one gets a number that is free, and
// so does one whose name the job copies something else to. If the older
// backup that would be lost is the source itself, the failure says so.
MadeWay MakeWay(const FileCopyPolicy& policy, const FileCopyNames& names,
                const struct statx& existing, OldTarget how);

struct BackupName {
  std::string name;
  // A backup that has the name may be lost. Not if it is numbered, and not if the name
  // had to be shortened, because it may be another file's then.
  bool may_replace = false;
};

// Finds the name that a backup of `name` in `directory` would get now. Returns 0 or
// -errno, -EOVERFLOW if there is no higher number. REQUIRES: `kind` is not kNone.
int32_t FindBackupName(Kernel* kernel, int directory, const std::string& name,
                       Backup kind, const std::string& suffix, BackupName* backup);

// Gives the backup `name` in `directory` the name `target` again. Returns 0 or an errno.
// If something has that name, the backup stays.
int TakeBack(Kernel* kernel, int directory, const char* target, const std::string& name);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_OLD_TARGET_H_

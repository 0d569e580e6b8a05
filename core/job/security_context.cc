#include "core/job/security_context.h"

#include <fcntl.h>
#include <linux/magic.h>

#include "core/kernel/file_systems.h"

namespace ringcp {
namespace {

// Where libselinux, too, looks for SELinux first. That library is not used, because it
// looks at several files whenever a program is started.
constexpr char kSelinuxMount[] = "/sys/fs/selinux";

bool HasSelinux(Kernel* kernel) {
  FileSystemStat stat;
  return StatFileSystemAt(kernel, AT_FDCWD, kSelinuxMount, /*follow=*/true, &stat) == 0 &&
         stat.magic == SELINUX_MAGIC;
}

}  // namespace

absl::Status CheckSecurityContext(Kernel* kernel, const CopyOptions& options,
                                  Reporter* reporter) {
  const bool keeps = options.preserve.context;
  const bool sets = options.default_context || !options.context.empty();
  if (!keeps && !sets) return absl::OkStatus();
  const bool has_selinux = HasSelinux(kernel);
  if (!options.context.empty() && !has_selinux) {
    reporter->Warn("warning: ignoring --context; it requires an SELinux-enabled kernel");
  }
  if (keeps && !has_selinux) {
    return absl::FailedPreconditionError(
        "cannot preserve security context without an SELinux-enabled kernel");
  }
  if (keeps && sets) {
    return absl::FailedPreconditionError("cannot set target context and preserve it");
  }
  if (sets && has_selinux) {
    return absl::FailedPreconditionError(
        "-Z and --context can't set SELinux contexts yet: use cp for it");
  }
  return absl::OkStatus();
}

}  // namespace ringcp

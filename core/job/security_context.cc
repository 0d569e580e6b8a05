#include "core/job/security_context.h"

#include <fcntl.h>
#include <linux/magic.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "core/kernel/file_systems.h"
#include "core/kernel/op.h"
#include "core/kernel/security_labels.h"

namespace ringcp {
namespace {

// Where libselinux, too, looks for SELinux: a system without the second of these has it
// turned off.
constexpr char kSelinuxMount[] = "/sys/fs/selinux";
constexpr char kSelinuxConfiguration[] = "/etc/selinux/config";

// `is_required`: otherwise a system that does not let itself be asked has none.
absl::StatusOr<bool> HasSelinux(Kernel* kernel, bool is_required) {
  FileSystemStat stat;
  int32_t result =
      StatFileSystemAt(kernel, AT_FDCWD, kSelinuxMount, /*follow=*/true, &stat);
  const char* path = kSelinuxMount;
  // A container is told so that it has none of its own.
  if (result == 0 && (stat.magic != SELINUX_MAGIC || stat.is_read_only)) return false;
  if (result == 0) {
    struct statx configuration;
    path = kSelinuxConfiguration;
    result = kernel->Stat(AT_FDCWD, path, 0, &configuration);
  }
  if (result == 0) return true;
  if (result == -ENOENT || result == -ENOTDIR) return false;
  if (!is_required && (result == -EACCES || result == -EPERM)) return false;
  return absl::FailedPreconditionError(
      MakeFileError(Operation::kStat, path, -result).message);
}

// Tries to set the label that was named, which nothing is made with yet.
absl::Status TryLabel(Kernel* kernel, const std::string& label) {
  const int32_t result = kernel->Do(LabelNext(label.c_str()));
  if (result < 0) {
    return absl::FailedPreconditionError(
        MakeFileError(Operation::kLabelNext, /*path=*/"", -result, label).message);
  }
  kernel->Do(LabelNext(""));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Context> ChooseLabels(Kernel* kernel, const CopyOptions& options,
                                     Reporter* reporter) {
  const Context kept = options.preserve.context;
  const bool sets = options.default_context || !options.context.empty();
  if (kept == Context::kNone && !sets) return Context::kNone;
  const bool is_required = kept == Context::kRequired;
  const absl::StatusOr<bool> has_selinux = HasSelinux(kernel, is_required || sets);
  if (!has_selinux.ok()) return has_selinux.status();
  if (!*has_selinux) {
    if (!options.context.empty()) {
      reporter->Warn(
          "warning: ignoring --context; it requires an SELinux-enabled kernel");
    }
    if (!is_required) return Context::kNone;
    return absl::FailedPreconditionError(
        "cannot preserve security context without an SELinux-enabled kernel");
  }
  if (!sets) return kept;
  if (is_required) {
    return absl::FailedPreconditionError("cannot set target context and preserve it");
  }
  if (!options.context.empty()) {
    const absl::Status status = TryLabel(kernel, options.context);
    if (!status.ok()) return status;
    return Context::kReplaced;
  }
  if (const int32_t result = LoadLabelPolicy(); result != 0) {
    reporter->Warn(absl::StrCat("warning: ignoring --context: ", std::strerror(-result)));
    return kept;
  }
  return Context::kReplaced;
}

}  // namespace ringcp

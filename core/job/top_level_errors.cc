#include "core/job/top_level_errors.h"

#include <cerrno>

#include "core/base/file_age.h"
#include "core/job/path_parts.h"

namespace ringcp {
namespace {

// What the kernel says of making a link, pipe or device under a name with a slash.
int ErrorOfMaking(Operation operation, bool is_dangling, bool force) {
  if (!is_dangling) return ENOENT;
  // With -f GNU cp makes a link under another name, and renames that one.
  const bool renames = operation == Operation::kMakeHardLink ||
                       operation == Operation::kMakeSymlink ||
                       operation == Operation::kMakeSymlinkTo;
  return force && renames ? ENOTDIR : EEXIST;
}

}  // namespace

Operation MakingOperation(mode_t mode, const CopyOptions& options) {
  if (S_ISDIR(mode)) return Operation::kMakeDirectory;
  if (options.makes == Makes::kHardLinks) return Operation::kMakeHardLink;
  if (options.makes == Makes::kSymbolicLinks) return Operation::kMakeSymlinkTo;
  if (S_ISLNK(mode)) return Operation::kMakeSymlink;
  if (S_ISREG(mode) || !options.recursive) return Operation::kCreate;
  return S_ISFIFO(mode) ? Operation::kMakeFifo : Operation::kMakeSpecial;
}

void ReportNamedAsDirectory(const CopyRequest& request, const std::string& source,
                            const struct statx& stat, const NamedAsDirectory& target,
                            Reporter* reporter) {
  const std::string& shown = request.target;
  const CopyOptions& options = request.options;
  const struct statx* const existing = target.existing;
  if (existing != nullptr && options.update == Update::kNoneFail) {
    return reporter->Report(RefusedTarget(Refusal::kTargetKept), source, shown);
  }
  if (existing != nullptr && KeepsExisting(options.update)) return;
  const bool is_newer = existing != nullptr && options.update == Update::kOlder &&
                        !IsOlder(*existing, stat, options.preserve.timestamps);
  if (is_newer) return;
  const Operation operation = MakingOperation(stat.stx_mode, options);
  if (existing != nullptr && S_ISDIR(existing->stx_mode)) {
    return reporter->Report(RefusedTarget(Refusal::kTargetIsDirectory), source, shown);
  }
  // GNU cp finds out only when it makes the copy.
  if (reporter->wants_copied() && !S_ISDIR(stat.stx_mode)) {
    reporter->Begun(source, shown, /*backup=*/"");
  }
  if (operation == Operation::kMakeSymlinkTo && !source.starts_with('/') &&
      !DirectoryPart(shown).empty()) {
    reporter->Report(RefusedTarget(Refusal::kLinkElsewhere), source, shown);
  } else if (existing == nullptr && operation != Operation::kCreate) {
    const int error_number = ErrorOfMaking(operation, target.is_dangling, options.force);
    reporter->Report(MakeFileError(operation, shown, error_number, source));
  } else {
    reporter->Report(MakeFileError(Operation::kCreate, shown, ENOTDIR));
  }
}

}  // namespace ringcp

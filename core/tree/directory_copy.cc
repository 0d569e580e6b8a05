#include "core/tree/directory_copy.h"

#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "core/kernel/call_side.h"
#include "core/tree/directory_parking.h"
#include "core/tree/target_directory.h"

namespace ringcp {

WalkVisitor::Entered DirectoryCopy::Enter(Kernel* kernel, Directory* directory) {
  if (directory->given != nullptr) {
    return source_.LookAtGiven(kernel, directory) &&
                   MakeTarget(kernel, directory, /*empty=*/false)
               ? Entered::kToBeRead
               : Entered::kNotToBeRead;
  }
  // There is a target already for a root, whose target has a name of its own, and for a
  // directory that is entered once more.
  if (directory->target == nullptr) {
    directory->target = std::make_unique<TargetDirectory>();
    directory->target->name = directory->source.name;
  }
  const SourceTree::Opened opened = source_.Open(kernel, directory);
  if (opened == SourceTree::Opened::kIsNoDirectory) return Entered::kIsNoDirectory;
  if (opened == SourceTree::Opened::kFailed || target_.IsOwnTarget(*directory) ||
      (directory->source.through_link && source_.IsCycle(*directory))) {
    return Entered::kNotToBeRead;
  }
  const bool to_be_read =
      opened == SourceTree::Opened::kToBeRead && !source_.IsLeftOut(*directory);
  // A root's target is made before the root is read, because it may lie in the root.
  if ((directory->is_root || !to_be_read) &&
      !MakeTarget(kernel, directory, /*empty=*/!to_be_read)) {
    return Entered::kNotToBeRead;
  }
  return to_be_read ? Entered::kToBeRead : Entered::kNotToBeRead;
}

bool DirectoryCopy::MakeReady(Kernel* kernel, Directory* directory, bool empty) {
  return directory->target->is_made || MakeTarget(kernel, directory, empty);
}

bool DirectoryCopy::MakeTarget(Kernel* kernel, Directory* directory, bool empty) {
  TargetDirectory& target = *directory->target;
  target.attributes = source_.LookAtAttributes(kernel, preserve_, directory);
  const OnSide on_side(Side::kTarget);
  struct statx stat;
  std::string backup;
  const TargetTree::Made made = target_.Make(kernel, directory, empty, &stat, &backup);
  if (made == TargetTree::Made::kSkipped) return false;
  if (made == TargetTree::Made::kFailed ||
      (made == TargetTree::Made::kOpen && !target_.Plan(kernel, directory, stat))) {
    if (!backup.empty()) {
      EndBackup(kernel, *directory->parent, target.name, backup, reporter());
    }
    return false;
  }
  target.is_made = true;
  if (target.is_created && reporter()->wants_copied()) {
    const std::string source = SourcePath(*directory);
    const std::string made_as = TargetPath(*directory);
    if (directory->given != nullptr) {
      reporter()->MadeParent(source, made_as);
    } else {
      reporter()->Copied(source, made_as,
                         backup.empty() ? "" : TargetPath(*directory->parent, backup));
    }
  }
  return true;
}

void DirectoryCopy::Leave(Kernel* kernel, Directory* directory) {
  const OnSide on_side(Side::kTarget);
  TargetDirectory& target = *directory->target;
  if (target.fd >= 0 && target.has_to_be_finished()) target_.Finish(kernel, *directory);
  if (target.is_made) done_.fetch_add(1, std::memory_order_relaxed);
  kernel->CloseIfOpen(&directory->source.fd);
  kernel->CloseIfOpen(&target.fd);
}

bool DirectoryCopy::LeavesByDescriptor(const Directory& directory) const {
  return directory.target->has_to_be_finished();
}

bool DirectoryCopy::Park(Kernel* kernel, Directory* directory) {
  return ParkDirectory(kernel, directory);
}

bool DirectoryCopy::Reopen(Kernel* kernel, Directory* directory, const Directory* child) {
  ReopenFailure failure;
  if (ReopenDirectory(kernel, directory, child, &failure)) return true;
  const std::string path =
      failure.on_target ? TargetPath(*directory) : SourcePath(*directory);
  if (failure.error_number != 0) {
    failures_.Add(MakeFileError(Operation::kAccessDirectory, path, failure.error_number));
  } else {
    failures_.Add(
        MakeRefusal(path, absl::StrCat("directory ", Quote(path),
                                       " was replaced while it was being copied")));
  }
  // A directory that is gone does not come back, but descriptors may become free again.
  directory->is_lost = failure.error_number != EMFILE && failure.error_number != ENFILE;
  return false;
}

void DirectoryCopy::OnReadError(const Directory& directory, int error_number) {
  failures_.Add(
      MakeFileError(Operation::kReadDirectory, SourcePath(directory), error_number));
}

void DirectoryCopy::OnEntryError(const Directory& directory, const char* name,
                                 int error_number) {
  failures_.Add(
      MakeFileError(Operation::kStat, SourcePath(directory, name), error_number));
}

}  // namespace ringcp

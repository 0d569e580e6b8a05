#include "core/tree/directory_copy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "core/base/enum_set.h"
#include "core/base/file_identity.h"
#include "core/base/mutex.h"
#include "core/file/attribute_plan.h"
#include "core/file/file_acls.h"
#include "core/file/target_decision.h"
#include "core/kernel/file_systems.h"
#include "core/kernel/op.h"
#include "core/tree/directory_parking.h"

namespace ringcp {
namespace {

// What the open directory `fd` is on; `parents` is what the one above it is on.
FileSystem* FileSystemOf(Kernel* kernel, FileSystemTable* table, int fd, dev_t device,
                         FileSystem* parents) {
  const bool is_same = parents != nullptr && parents->device() == device;
  return is_same ? parents : table->Find(kernel, fd, device);
}

// Of a target whose file system is known.
uint64_t TargetKey(const Directory& directory) {
  const uint64_t above = directory.parent->target_key;
  // Elsewhere nobody asks for it.
  const bool names_count =
      !directory.target_file_system->has_true_inodes() && directory.target_name != ".";
  return names_count ? absl::HashOf(above, FoldedName(directory.target_name)) : above;
}

// Whether what is in the way of a new directory in `parent` may be one to copy into.
bool MayUseTarget(const Directory& parent) {
  TargetQuestion question = {.kind = CopyKind::kDirectory};
  if (parent.target_created) question.conditions.Add(Condition::kInNewDirectory);
  question.NoteThatItExists();
  return DecideTarget(question).fate != Fate::kFailToMake;
}

// What an open that takes nothing but a directory tells by its `result`.
EnumSet<There> ThereByOpening(int32_t result) {
  if (result == 0) return There::kDirectory;
  if (result != -ENOTDIR && result != -ELOOP) return There::kUnknown;
  return {There::kRegular, There::kLink, There::kSocket, There::kSpecial};
}

}  // namespace

void DirectoryCopy::Fail(const FileError& error) {
  failed_.fetch_add(1, std::memory_order_relaxed);
  reporter_->Report(error);
}

WalkVisitor::Entered DirectoryCopy::Enter(Kernel* kernel, Directory* directory) {
  bool copyable = true;
  Entered entered = OpenSource(kernel, directory, &copyable);
  if (!copyable || entered == Entered::kIsNoDirectory) return entered;
  if (directory->is_root) directory->root_device = DeviceOf(directory->source_stat);
  if (IsOwnTarget(*directory) || (directory->through_link && IsCycle(*directory))) {
    return Entered::kNotToBeRead;
  }
  const bool elsewhere = DeviceOf(directory->source_stat) != directory->root_device;
  if (one_file_system_ && elsewhere) entered = Entered::kNotToBeRead;
  const bool to_be_read = entered == Entered::kToBeRead;
  // A root's target is made before the root is read: it may lie in it.
  if ((directory->is_root || !to_be_read) &&
      !MakeTarget(kernel, directory, /*empty=*/!to_be_read)) {
    return Entered::kNotToBeRead;
  }
  return entered;
}

bool DirectoryCopy::MakeReady(Kernel* kernel, Directory* directory, bool empty) {
  return directory->is_root || MakeTarget(kernel, directory, empty);
}

WalkVisitor::Entered DirectoryCopy::OpenSource(Kernel* kernel, Directory* directory,
                                               bool* copyable) {
  const int at = directory->parent->source_fd;
  const char* name = directory->source_name.c_str();
  const int no_follow = directory->follow ? 0 : O_NOFOLLOW;
  const int fd = kernel->Open(at, name, O_RDONLY | O_DIRECTORY | O_NONBLOCK | no_follow);
  if (fd >= 0) {
    directory->source_fd = fd;
    const int32_t result = kernel->Stat(fd, &directory->source_stat);
    if (result == 0) {
      directory->source_file_system =
          FileSystemOf(kernel, policy_.file_systems, fd, DeviceOf(directory->source_stat),
                       directory->parent->source_file_system);
      return Entered::kToBeRead;
    }
    Fail(MakeFileError(Operation::kStat, SourcePath(*directory), -result));
    *copyable = false;
    return Entered::kNotToBeRead;
  }
  const int open_error = -fd;
  if ((open_error == ENOTDIR || open_error == ELOOP) && !directory->looked_at) {
    return Entered::kIsNoDirectory;
  }
  *copyable = false;
  const int flags = directory->follow ? 0 : AT_SYMLINK_NOFOLLOW;
  if (const int32_t result = kernel->Stat(at, name, flags, &directory->source_stat);
      result != 0) {
    Fail(MakeFileError(Operation::kStat, SourcePath(*directory), -result));
    return Entered::kNotToBeRead;
  }
  Fail(MakeFileError(Operation::kAccessDirectory, SourcePath(*directory), open_error));
  // As GNU cp: the directory is there, so its copy is made, though empty.
  *copyable = S_ISDIR(directory->source_stat.stx_mode);
  return Entered::kNotToBeRead;
}

bool DirectoryCopy::IsOwnTarget(const Directory& directory) {
  std::string message;
  {
    MutexLock lock(&mutex_);
    const auto it =
        roots_.find({DeviceOf(directory.source_stat), directory.source_stat.stx_ino});
    if (it != roots_.end() && directory.is_root &&
        it->second.target == TargetPath(directory)) {
      message = absl::StrCat(Quote(SourcePath(directory)), " and ",
                             Quote(it->second.target), " are the same file");
    } else if (it != roots_.end()) {
      message = absl::StrCat("cannot copy a directory, ", Quote(it->second.source),
                             ", into itself, ", Quote(it->second.target));
    }
  }
  if (message.empty()) return false;
  Fail(MakeRefusal(SourcePath(directory), std::move(message)));
  return true;
}

bool DirectoryCopy::IsCycle(const Directory& directory) {
  for (const Directory* above = directory.parent; !above->is_top();
       above = above->parent) {
    if (!SameFile(above->source_stat, directory.source_stat)) continue;
    const std::string path = SourcePath(directory);
    Fail(MakeRefusal(path,
                     absl::StrCat("cannot copy cyclic symbolic link ", Quote(path))));
    return true;
  }
  return false;
}

void DirectoryCopy::NoteRoot(const Directory& directory, dev_t device, ino_t inode) {
  Root root = {SourcePath(directory), TargetPath(directory)};
  MutexLock lock(&mutex_);
  roots_.try_emplace({device, inode}, std::move(root));
}

bool DirectoryCopy::MakeTarget(Kernel* kernel, Directory* directory, bool empty) {
  const Directory& parent = *directory->parent;
  const mode_t source_mode = directory->source_stat.stx_mode;
  const mode_t withheld =
      policy_.WithheldMode(source_mode, parent.target_default_acl.has_value());
  const int32_t made =
      kernel->Do(MakeDirectory(parent.target_fd, directory->target_name.c_str(),
                               policy_.NewMode(source_mode) & ~withheld));
  directory->target_created = made == 0;
  if (made != 0 && (made != -EEXIST || !MayUseTarget(parent))) {
    Fail(MakeFileError(Operation::kMakeDirectory, TargetPath(*directory), -made));
    return false;
  }
  // One that nothing is put into, and nothing set on, is not opened: of 50,000 that saves
  // 3 to 4 % of the CPU time (0.98 s before, 0.95 s).
  const bool finished = directory->target_created && empty && !directory->is_root &&
                        NeedsNothing(kernel, *directory, withheld);
  if (!finished) {
    struct statx stat;
    if (!OpenTarget(kernel, directory, &stat)) return false;
    if (directory->is_root) NoteRoot(*directory, DeviceOf(stat), stat.stx_ino);
    directory->target_file_system =
        FileSystemOf(kernel, policy_.file_systems, directory->target_fd, DeviceOf(stat),
                     parent.target_file_system);
    directory->target_key = TargetKey(*directory);
    directory->target_group = GroupOfNewEntries(stat, group_);
    if (!PlanAttributes(kernel, directory, withheld, stat)) return false;
  }
  directory->target_made = true;
  if (directory->target_created && reporter_->wants_copied()) {
    reporter_->Copied(SourcePath(*directory), TargetPath(*directory));
  }
  return true;
}

bool DirectoryCopy::NeedsNothing(Kernel* kernel, const Directory& directory,
                                 mode_t withheld) const {
  struct statx stat;
  return !policy_.preserve.any_attribute() &&
         kernel->Stat(directory.parent->target_fd, directory.target_name.c_str(),
                      AT_SYMLINK_NOFOLLOW, &stat) == 0 &&
         S_ISDIR(stat.stx_mode) && (withheld & ~policy_.umask & ~stat.stx_mode) == 0;
}

bool DirectoryCopy::OpenTarget(Kernel* kernel, Directory* directory, struct statx* stat) {
  const int at = directory->parent->target_fd;
  const char* name = directory->target_name.c_str();
  const int flags = O_DIRECTORY | O_NOFOLLOW;
  int fd = kernel->Open(at, name, O_RDONLY | flags);
  // It may be writable but not readable.
  if (fd == -EACCES) fd = kernel->Open(at, name, O_PATH | flags);
  directory->target_fd = fd >= 0 ? fd : -1;
  const int32_t result = fd >= 0 ? kernel->Stat(fd, stat) : fd;
  TargetQuestion question = {.kind = CopyKind::kDirectory,
                             .there = ThereByOpening(result)};
  if (result == 0) question.relation = RelationOf(directory->source_stat, *stat);
  const TargetDecision decision = DecideTarget(question);
  if (decision.fate == Fate::kUse) return true;
  if (decision.fate == Fate::kRefuse) {
    failed_.fetch_add(1, std::memory_order_relaxed);
    reporter_->Report(RefusedTarget(decision.refusal), SourcePath(*directory),
                      TargetPath(*directory));
    kernel->CloseIfOpen(&directory->target_fd);
  } else {
    Fail(MakeFileError(Operation::kAccessDirectory, TargetPath(*directory), -result));
  }
  return false;
}

bool DirectoryCopy::PlanAttributes(Kernel* kernel, Directory* directory, mode_t withheld,
                                   const struct statx& stat) {
  const int fd = directory->target_fd;
  const bool created = directory->target_created;
  std::optional<mode_t>& default_acl = directory->target_default_acl;
  directory->set_attributes = policy_.preserve.any_attribute();
  if (policy_.preserve.mode || policy_.preserve.ownership) {
    // A new directory inherits it.
    default_acl =
        created ? directory->parent->target_default_acl : GrantsOfDefaultAcl(kernel, fd);
  }
  if (policy_.preserve.mode) {
    directory->kept_mode = KeptMode(kernel, *directory);
    // What it has inherited is not its source's. Where that stays it is tried again, and
    // told, when all is in it. One that was there keeps its ACLs until then: so does GNU
    // cp.
    if (created && default_acl.has_value() &&
        ReplaceInheritedAcls(kernel, fd, stat.stx_mode)) {
      default_acl.reset();
    }
  }
  if (!created) return true;
  if (!policy_.preserve.mode) {
    directory->withheld_mode = withheld & ~policy_.umask & ~stat.stx_mode;
    if (directory->withheld_mode != 0) {
      const std::optional<mode_t> grants =
          default_acl.has_value() ? default_acl : GrantsOfDefaultAcl(kernel, fd);
      directory->withheld_mode &= grants.value_or(kPermissions);
    }
  }
  // Its owner's rights may be less, by the source's mode or the umask; that holds when
  // everything is in it.
  const mode_t lacking = kOwnerPermissions & ~stat.stx_mode;
  if (lacking == 0) return true;
  const int error_number =
      -kernel->Do(SetMode(fd, (stat.stx_mode & kAllModeBits) | lacking));
  if (error_number == 0) {
    directory->lent_mode = lacking;
  } else if (!policy_.MayFailToSetMode(error_number)) {
    Fail(MakeFileError(Operation::kSetMode, TargetPath(*directory), error_number));
    return false;
  }
  return true;
}

mode_t DirectoryCopy::KeptMode(Kernel* kernel, const Directory& directory) {
  int fd = directory.source_fd;
  if (fd < 0) {  // It may not be read.
    const int follow = directory.follow ? 0 : O_NOFOLLOW;
    fd = kernel->Open(directory.parent->source_fd, directory.source_name.c_str(),
                      O_PATH | O_DIRECTORY | follow);
  }
  const mode_t mode = directory.source_stat.stx_mode & kAllModeBits;
  struct statx stat;
  const bool is_it =
      fd >= 0 && (fd == directory.source_fd || (kernel->Stat(fd, &stat) == 0 &&
                                                SameFile(stat, directory.source_stat)));
  const SourceAccess access =
      is_it ? LookAtAccess(kernel, fd, mode) : SourceAccess{.mode = mode};
  if (fd >= 0 && fd != directory.source_fd) kernel->Close(fd);
  if (access.is_more_than_mode) reporter_->WarnOfAccessLeftOut(SourcePath(directory));
  return access.mode;
}

void DirectoryCopy::SetAttributes(Kernel* kernel, const Directory& directory) {
  AttributePlan plan;
  // It is looked at again: others may have changed it while it was filled.
  plan.Start(policy_, directory.source_stat,
             {.fd = directory.target_fd,
              .created = directory.target_created,
              .kept_mode = directory.kept_mode,
              .withheld = directory.withheld_mode,
              .lent = directory.lent_mode,
              .default_acl = directory.target_default_acl});
  SetAttributesAtOnce(&plan, [kernel](const Op& op) { return kernel->Do(op); });
  if (!plan.failed()) return;
  const CopyFailure& failure = plan.failure();
  Fail(MakeFileError(failure.operation, TargetPath(directory), failure.error_number));
}

void DirectoryCopy::Leave(Kernel* kernel, Directory* directory) {
  if (directory->target_fd >= 0 && LeavesByDescriptor(*directory)) {
    SetAttributes(kernel, *directory);
  }
  if (directory->target_made) done_.fetch_add(1, std::memory_order_relaxed);
  kernel->CloseIfOpen(&directory->source_fd);
  kernel->CloseIfOpen(&directory->target_fd);
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
    Fail(MakeFileError(Operation::kAccessDirectory, path, failure.error_number));
  } else {
    Fail(MakeRefusal(path, absl::StrCat("directory ", Quote(path),
                                        " was replaced while it was being copied")));
  }
  // What is gone does not come back; descriptors may.
  directory->is_lost = failure.error_number != EMFILE && failure.error_number != ENFILE;
  return false;
}

void DirectoryCopy::OnReadError(const Directory& directory, int error_number) {
  Fail(MakeFileError(Operation::kReadDirectory, SourcePath(directory), error_number));
}

void DirectoryCopy::OnEntryError(const Directory& directory, const char* name,
                                 int error_number) {
  Fail(MakeFileError(Operation::kStat, SourcePath(directory, name), error_number));
}

}  // namespace ringcp

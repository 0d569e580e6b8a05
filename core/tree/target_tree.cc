#include "core/tree/target_tree.h"

#include <fcntl.h>

#include <cerrno>
#include <optional>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "core/base/enum_set.h"
#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/file/attribute_plan.h"
#include "core/file/file_acls.h"
#include "core/file/old_target.h"
#include "core/file/target_decision.h"
#include "core/kernel/file_systems.h"
#include "core/kernel/op.h"

namespace ringcp {
namespace {

// The key of a target whose file system is known; `above` is its parent's key.
uint64_t TargetKey(const TargetDirectory& target, uint64_t above) {
  // On other file systems nobody uses the key.
  const bool names_count = !target.file_system->has_true_inodes() && target.name != ".";
  return names_count ? absl::HashOf(above, FoldedName(target.name)) : above;
}

CopyKind KindOf(const Directory& directory) {
  return directory.given != nullptr ? CopyKind::kParent : CopyKind::kDirectory;
}

Operation MakingOperation(const Directory& directory) {
  return directory.given != nullptr ? Operation::kMakeParent : Operation::kMakeDirectory;
}

// Whether what exists in place of the new `directory` may be a directory to copy into.
bool MayUseTarget(const Directory& directory) {
  TargetQuestion question = {.kind = KindOf(directory)};
  if (HoldsOnlyCopies(*directory.parent)) {
    question.conditions.Add(Condition::kInNewDirectory);
  }
  question.NoteThatItExists();
  return DecideTarget(question).fate != Fate::kFailToMake;
}

// What is there, by the `result` of an open that accepts only directories. A parent is
// opened through symbolic links.
EnumSet<There> ThereByOpening(CopyKind kind, int32_t result) {
  if (result == 0) return There::kDirectory;
  if (kind == CopyKind::kParent && result == -ENOENT) return There::kDangling;
  if (kind == CopyKind::kParent && result == -ELOOP) return There::kLoop;
  if (result != -ENOTDIR && result != -ELOOP) return There::kUnknown;
  return {There::kRegular, There::kLink, There::kSocket, There::kSpecial};
}

}  // namespace

bool TargetTree::IsOwnTarget(const Directory& directory) {
  std::string message;
  {
    MutexLock lock(&mutex_);
    const auto it =
        roots_.find({DeviceOf(directory.source.stat), directory.source.stat.stx_ino});
    if (it != roots_.end() && directory.is_root &&
        it->second.target == TargetPath(directory)) {
      message = absl::StrCat(Quote(SourcePath(directory)), " and ",
                             Quote(it->second.target), " are the same file");
    } else if (it != roots_.end()) {
      // It may be that of another source. As in GNU cp the message names the source that
      // has led here, and comes once for it.
      const Directory* root = &directory;
      while (!root->is_root && !root->parent->is_top()) root = root->parent;
      if (!told_of_.insert(SourcePath(*root)).second) return true;
      message = absl::StrCat("cannot copy a directory, ", Quote(SourcePath(*root)),
                             ", into itself, ", Quote(TargetPath(*root)));
    }
  }
  if (message.empty()) return false;
  failures_->Add(MakeRefusal(SourcePath(directory), std::move(message)));
  return true;
}

void TargetTree::NoteRoot(const Directory& directory, dev_t device, ino_t inode) {
  Root root = {SourcePath(directory), TargetPath(directory)};
  MutexLock lock(&mutex_);
  roots_.try_emplace({device, inode}, std::move(root));
}

mode_t TargetTree::ModeToTake(const Directory& directory) const {
  const mode_t mode = directory.source.stat.stx_mode;
  // As in GNU cp, --no-preserve=mode leaves nothing of the mode of a directory above a
  // source. Of other directories it leaves the sticky bit.
  const bool takes_none = directory.given != nullptr && policy_.default_mode;
  return takes_none ? mode & ~static_cast<mode_t>(S_ISVTX) : mode;
}

mode_t TargetTree::Withheld(const Directory& directory) const {
  return policy_.WithheldMode(ModeToTake(directory),
                              directory.parent->target->default_acl.has_value());
}

TargetTree::Made TargetTree::Make(Kernel* kernel, Directory* directory, bool empty,
                                  struct statx* stat, std::string* backup) {
  const Directory& parent = *directory->parent;
  TargetDirectory& target = *directory->target;
  const mode_t withheld = Withheld(*directory);
  // Linux ignores set-ID bits here. fakeroot gives them to the directory, and what GNU cp
  // makes there has them.
  const mode_t set_id = directory->source.stat.stx_mode & kSetIdBits;
  const mode_t mode = (policy_.NewMode(ModeToTake(*directory)) & ~withheld) | set_id;
  std::optional<int32_t> made = MakeLabelled(kernel, *directory, mode);
  backup->clear();
  if (made == -EEXIST && policy_.backup != Backup::kNone) {
    if (!BackUp(kernel, *directory, backup)) return Made::kFailed;
    if (!backup->empty()) made = MakeLabelled(kernel, *directory, mode);
  }
  target.is_created = made == 0;
  // What has the name of a backup by now is somebody else's.
  const bool may_exist = backup->empty() && MayUseTarget(*directory);
  if (made != 0 && (made != -EEXIST || !may_exist)) {
    if (made.has_value()) {
      Fail(*directory, TargetFailure(MakingOperation(*directory), -*made));
    }
    return Made::kFailed;
  }
  // A new target is not opened if nothing will be put into it or set on it, which saves
  // some CPU time (BENCHMARKS.md, "Walking a tree").
  if (target.is_created && empty && !directory->is_root &&
      NeedsNothing(kernel, *directory, withheld)) {
    return Made::kFinished;
  }
  const Made opened = Open(kernel, directory, stat);
  if (opened != Made::kOpen) return opened;
  const FileCopyNames names = NamesOf(*directory);
  const TargetLabel label(policy_, names, target.attributes.get());
  if (!target.is_created && label.is_set() && !target.keeps_own_attributes &&
      !TakeLabel(
          *directory, label,
          label.SetOnExisting(kernel, FileRef::Descriptor(target.fd), stat->stx_mode))) {
    kernel->CloseIfOpen(&target.fd);
    return Made::kFailed;
  }
  if (directory->is_root) NoteRoot(*directory, DeviceOf(*stat), stat->stx_ino);
  target.file_system = policy_.file_systems->FindBeneath(
      parent.target->file_system, kernel, target.fd, DeviceOf(*stat));
  target.key = TargetKey(target, parent.target->key);
  target.group = GroupOfNewEntries(*stat, group_);
  return Made::kOpen;
}

FileCopyNames TargetTree::NamesOf(const Directory& directory) {
  const Directory& parent = *directory.parent;
  FileCopyNames names;
  names.source_directory = parent.source.fd;
  names.source = directory.source.name.c_str();
  names.target_directory = parent.target->fd;
  names.target = directory.target->name.c_str();
  names.target_file_system = parent.target->file_system;
  return names;
}

std::optional<int32_t> TargetTree::MakeLabelled(Kernel* kernel,
                                                const Directory& directory, mode_t mode) {
  const FileCopyNames names = NamesOf(directory);
  const TargetLabel label(policy_, names, directory.target->attributes.get());
  std::optional<CopyFailure> failure;
  const std::optional<int32_t> made =
      label.Make(kernel, S_IFDIR,
                 MakeDirectory(names.target_directory, names.target, mode), &failure);
  // What exists keeps its label until it is known what becomes of it.
  if (!made.has_value() || *made == 0) TakeLabel(directory, label, failure);
  return made;
}

bool TargetTree::TakeLabel(const Directory& directory, const TargetLabel& label,
                           const std::optional<CopyFailure>& failure) {
  if (!failure.has_value()) return true;
  if (label.is_required()) {
    Fail(directory, *failure);
    return false;
  }
  failures_->reporter()->TellOfXattrs({*failure}, policy_.preserve, SourcePath(directory),
                                      TargetPath(directory));
  return true;
}

bool TargetTree::NeedsNothing(Kernel* kernel, const Directory& directory,
                              mode_t withheld) const {
  struct statx stat;
  return !policy_.preserve.any_attribute() && directory.target->attributes == nullptr &&
         kernel->Stat(directory.parent->target->fd, directory.target->name.c_str(),
                      AT_SYMLINK_NOFOLLOW, &stat) == 0 &&
         S_ISDIR(stat.stx_mode) && (withheld & ~policy_.umask & ~stat.stx_mode) == 0;
}

bool TargetTree::BackUp(Kernel* kernel, const Directory& directory, std::string* backup) {
  const Directory& parent = *directory.parent;
  const char* const name = directory.target->name.c_str();
  struct statx existing;
  const int32_t result =
      kernel->Stat(parent.target->fd, name, AT_SYMLINK_NOFOLLOW, &existing);
  if (policy_.keep_directory_symlink && result == 0 && S_ISLNK(existing.stx_mode)) {
    return true;
  }
  TargetQuestion question = {.kind = KindOf(directory), .conditions = Condition::kBackup};
  if (HoldsOnlyCopies(parent)) question.conditions.Add(Condition::kInNewDirectory);
  question.NoteLook(result, existing);
  if (DecideTarget(question).fate != Fate::kReplace) return true;
  FileCopyPolicy policy = policy_;
  policy.kernel = kernel;
  const FileCopyNames names = NamesOf(directory);
  const MadeWay way = MakeWay(policy, names, existing, OldTarget::kBackedUp);
  if (way.failure.has_value()) Fail(directory, *way.failure);
  *backup = way.backup;
  return !way.failure.has_value();
}

TargetTree::Made TargetTree::Open(Kernel* kernel, Directory* directory,
                                  struct statx* stat) {
  const int at = directory->parent->target->fd;
  TargetDirectory& target = *directory->target;
  const CopyKind kind = KindOf(*directory);
  target.may_be_link =
      (policy_.keep_directory_symlink || kind == CopyKind::kParent) && !target.is_created;
  const int fd =
      TargetDirectory::OpenToUse(kernel, at, target.name.c_str(), target.no_follow());
  directory->target->fd = fd >= 0 ? fd : -1;
  const int32_t result = fd >= 0 ? kernel->Stat(fd, stat) : fd;
  TargetQuestion question = {.kind = kind, .there = ThereByOpening(kind, result)};
  if (result == 0) question.relation = RelationOf(directory->source.stat, *stat);
  if (KeepsExisting(policy_.update)) question.conditions.Add(Condition::kKeepExisting);
  if (policy_.update == Update::kNoneFail) {
    question.conditions.Add(Condition::kMustReplace);
  }
  if (policy_.makes == Makes::kHardLinks) {
    question.conditions.Add(Condition::kMakesHardLinks);
  }
  const TargetDecision decision = DecideTarget(question);
  if (decision.fate == Fate::kUse) {
    if (kind == CopyKind::kParent && policy_.known_parents != nullptr) {
      policy_.known_parents->Add(*stat);
    }
    return Made::kOpen;
  }
  if (decision.fate == Fate::kSkip) {
    kernel->CloseIfOpen(&directory->target->fd);
    return Made::kSkipped;
  }
  CopyFailure failure = TargetFailure(Operation::kAccessDirectory, -result);
  if (decision.fate == Fate::kRefuse) failure = RefusedTarget(decision.refusal);
  if (decision.fate == Fate::kFailToMake) {
    failure = TargetFailure(MakingOperation(*directory), EEXIST);
  }
  Fail(*directory, failure);
  kernel->CloseIfOpen(&directory->target->fd);
  return Made::kFailed;
}

void TargetTree::Fail(const Directory& directory, const CopyFailure& failure) {
  failures_->AddForAll(
      directory, WordFailure(failure, SourcePath(directory), TargetPath(directory)));
}

bool TargetTree::Plan(Kernel* kernel, Directory* directory, const struct statx& stat) {
  const int fd = directory->target->fd;
  const bool created = directory->target->is_created;
  std::optional<mode_t>& default_acl = directory->target->default_acl;
  directory->target->set_attributes =
      (policy_.preserve.any_attribute() || directory->target->attributes != nullptr) &&
      (created || !directory->target->keeps_own_attributes);
  if (policy_.preserve.mode || policy_.preserve.ownership) {
    // A new directory inherits its parent's default ACL.
    default_acl =
        created ? directory->parent->target->default_acl : GrantsOfDefaultAcl(kernel, fd);
  }
  if (policy_.preserve.mode) {
    // A new directory has inherited ACLs that are not its source's, so they are replaced.
    // If that fails, it is tried again, and reported, when everything is in the
    // directory. An existing directory keeps its ACLs until then, as in GNU cp.
    if (created && default_acl.has_value() &&
        ReplaceInheritedAcls(kernel, fd, stat.stx_mode)) {
      default_acl.reset();
    }
  }
  if (!created) return true;
  if (!policy_.preserve.mode) {
    directory->target->withheld_mode =
        Withheld(*directory) & ~policy_.umask & ~stat.stx_mode;
    if (directory->target->withheld_mode != 0) {
      const std::optional<mode_t> grants =
          default_acl.has_value() ? default_acl : GrantsOfDefaultAcl(kernel, fd);
      directory->target->withheld_mode &= grants.value_or(kPermissions);
    }
  }
  // The source's mode or the umask may give the owner too few permissions to fill the
  // directory. Those that are missing are lent to the owner until everything is in it.
  const mode_t lacking = kOwnerPermissions & ~stat.stx_mode;
  if (lacking == 0) return true;
  const int error_number =
      -kernel->Do(SetMode(fd, (stat.stx_mode & kAllModeBits) | lacking));
  if (error_number == 0) {
    directory->target->lent_mode = lacking;
  } else if (!policy_.MayFailToSetMode(error_number)) {
    Fail(*directory, TargetFailure(Operation::kSetMode, error_number));
    return false;
  }
  return true;
}

void TargetTree::Finish(Kernel* kernel, const Directory& directory) {
  const TargetDirectory& target = *directory.target;
  AttributePlan plan;
  // The plan looks at the target again, because others may have changed it while it was
  // filled.
  plan.Start(policy_, directory.source.stat,
             {.file = FileRef::Descriptor(target.fd),
              .created = target.is_created,
              .kept_mode = directory.source.stat.stx_mode & kAllModeBits,
              .withheld = target.withheld_mode,
              .lent = target.lent_mode,
              .default_acl = target.default_acl,
              .source = FileRef::Descriptor(directory.source.fd),
              .attributes = target.attributes.get()});
  SetAttributesBy(&plan, [kernel](const Op& op) { return kernel->Do(op); });
  if (!plan.xattr_failures().empty()) {
    failures_->reporter()->TellOfXattrs(plan.xattr_failures(), policy_.preserve,
                                        SourcePath(directory), TargetPath(directory));
  }
  if (!plan.failed()) return;
  CopyFailure failure = plan.failure();
  if (directory.given != nullptr && failure.operation == Operation::kSetTimes) {
    failure.operation = Operation::kSetTimesOfParent;
  }
  failures_->Add(WordFailure(failure, SourcePath(directory), TargetPath(directory)));
}

void EndBackup(Kernel* kernel, const Directory& parent, const std::string& target,
               const std::string& backup, Reporter* reporter) {
  const int error_number = TakeBack(kernel, parent.target->fd, target.c_str(), backup);
  const std::string path = TargetPath(parent, target);
  if (error_number != 0) {
    reporter->Report(MakeFileError(Operation::kTakeBack, path, error_number));
  } else if (reporter->wants_copied()) {
    reporter->TakenBack(TargetPath(parent, backup), path);
  }
}

}  // namespace ringcp

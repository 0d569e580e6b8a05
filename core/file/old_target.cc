#include "core/file/old_target.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_identity.h"
#include "core/file/removal.h"
#include "core/kernel/op.h"

namespace ringcp {
namespace {

// How often a numbered backup finds its number taken since it was chosen.
constexpr int kNumbersMax = 100;

constexpr uint64_t kNumberMax = std::numeric_limits<uint64_t>::max();

// The number of a backup of `of` that is called `name`: "of.~12~"; otherwise 0. What is
// too large counts as the largest number.
uint64_t NumberOf(std::string_view name, std::string_view of) {
  if (!name.starts_with(of)) return 0;
  name.remove_prefix(of.size());
  if (!name.starts_with(".~") || !name.ends_with("~") || name.size() < 4) return 0;
  name = name.substr(2, name.size() - 3);
  if (name[0] == '0' || name.find_first_not_of("0123456789") != std::string_view::npos) {
    return 0;
  }
  uint64_t number = 0;
  const bool fits =
      absl::SimpleAtoi(absl::string_view(name.data(), name.size()), &number);
  return fits ? number : kNumberMax;
}

// Finds the highest number of the backups of `of` in `directory`; 0 if it has none. As in
// GNU cp a directory that can't be read has none. Returns 0 or -errno.
int32_t FindHighestNumber(Kernel* kernel, int directory, std::string_view of,
                          uint64_t* highest) {
  *highest = 0;
  const int fd = kernel->Open(directory, ".", O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM ? fd : 0;
  alignas(dirent64) std::array<char, 32 * 1024> buffer;
  int32_t size = 0;
  while ((size = kernel->Do(ReadDirectory(fd, buffer.data(),
                                          static_cast<uint32_t>(buffer.size())))) > 0) {
    for (int32_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      at += entry->d_reclen;
      *highest = std::max(*highest, NumberOf(entry->d_name, of));
    }
  }
  kernel->Close(fd);
  return size;
}

// `name` with `suffix`, or, if that is too long for a name, as much of `name` as GNU cp
// leaves of it, with "~".
std::string WithSuffix(std::string_view name, std::string_view suffix) {
  if (name.size() + suffix.size() <= NAME_MAX) {
    return absl::StrCat(std::string(name), std::string(suffix));
  }
  return absl::StrCat(std::string(name.substr(0, NAME_MAX - 2)), "~");
}

// Whether the job copies something to `name` in the target's directory as well, or nobody
// knows. A backup that gets this name could replace that copy, or be replaced by it.
bool IsNameOfAnother(const FileCopyPolicy& policy, const FileCopyNames& names,
                     const std::string& name) {
  if (policy.named_targets != nullptr && policy.named_targets->contains(name)) {
    return true;
  }
  if (names.source_directory == AT_FDCWD) return false;
  struct statx other;
  const int32_t looked = policy.kernel->Stat(names.source_directory, name.c_str(),
                                             AT_SYMLINK_NOFOLLOW, &other);
  return looked != -ENOENT && looked != -ENAMETOOLONG;
}

// Whether the source is the file `name` in the target's directory, or leads to it, so
// that it would be lost if something else got that name.
bool IsSource(Kernel* kernel, const FileCopyNames& names, const std::string& name) {
  struct statx entry;
  struct statx source;
  if (kernel->Stat(names.source_directory, names.source, AT_SYMLINK_NOFOLLOW, &source) !=
          0 ||
      kernel->Stat(names.target_directory, name.c_str(), AT_SYMLINK_NOFOLLOW, &entry) !=
          0) {
    return false;
  }
  if (SameFile(source, entry)) {
    // Another hard link to it would stay.
    const std::string_view path = names.source;
    return entry.stx_nlink == 1 || path.substr(path.rfind('/') + 1) == name;
  }
  struct statx pointee;
  return names.follow_source && S_ISLNK(source.stx_mode) &&
         kernel->Stat(names.source_directory, names.source, 0, &pointee) == 0 &&
         SameFile(pointee, entry);
}

// Renames within `directory`, unless something is called `name`. Returns 0 or -errno.
int32_t RenameToNew(Kernel* kernel, int directory, const char* old_name,
                    const char* name) {
  const int32_t result =
      kernel->Do(Rename(directory, old_name, directory, name, RENAME_NOREPLACE));
  if (result != -EINVAL) return result;
  // The file system can't do that in one step (NFS, some in user space). If it has hard
  // links, two steps are as safe: nobody else can get the name that is made.
  const int32_t linked =
      kernel->Do(MakeLink(directory, old_name, directory, name, /*flags=*/0));
  if (linked == 0) return kernel->Do(UnlinkAt(directory, old_name, 0));
  if (linked == -EEXIST) return linked;
  struct statx stat;
  const int32_t looked = kernel->Stat(directory, name, AT_SYMLINK_NOFOLLOW, &stat);
  if (looked == 0) return -EEXIST;
  if (looked != -ENOENT) return looked;
  return kernel->Do(Rename(directory, old_name, directory, name));
}

MadeWay Failed(const CopyFailure& failure) {
  MadeWay made;
  made.failure = failure;
  return made;
}

MadeWay BackUp(const FileCopyPolicy& policy, const FileCopyNames& names,
               const struct statx& existing) {
  Kernel* const kernel = policy.kernel;
  const int directory = names.target_directory;
  const auto failed = [](int error_number) {
    return Failed(TargetFailure(Operation::kBackUp, error_number));
  };
  const std::string simple = WithSuffix(names.target, *policy.backup_suffix);
  const Backup kind =
      policy.backup != Backup::kNumbered && IsNameOfAnother(policy, names, simple)
          ? Backup::kNumbered
          : policy.backup;
  for (int i = 0; i < kNumbersMax; ++i) {
    BackupName backup;
    const int32_t found = FindBackupName(kernel, directory, names.target, kind,
                                         *policy.backup_suffix, &backup);
    if (found != 0) return failed(-found);
    const std::string& name = backup.name;
    if (backup.may_replace && IsSource(kernel, names, name)) {
      return Failed(RefusedTarget(Refusal::kSourceIsBackup));
    }
    struct statx named;
    const int32_t looked =
        kernel->Stat(directory, names.target, AT_SYMLINK_NOFOLLOW, &named);
    if (looked == -ENOENT) return {};
    if (looked != 0) return failed(-looked);
    // Inode numbers that may be made up can't tell.
    if (names.target_file_system->has_true_inodes() &&
        WhatHasName(looked, named, existing) == HasName::kAnother) {
      return {};
    }
    const int32_t renamed =
        backup.may_replace
            ? kernel->Do(Rename(directory, names.target, directory, name.c_str()))
            : RenameToNew(kernel, directory, names.target, name.c_str());
    if (renamed == 0) {
      MadeWay made;
      made.old_target = OldTarget::kBackedUp;
      made.backup = std::move(backup.name);
      return made;
    }
    // There is one shortened name only, whatever the number.
    if (renamed != -EEXIST || name == simple) return failed(-renamed);
  }
  return failed(EEXIST);
}

}  // namespace

int32_t FindBackupName(Kernel* kernel, int directory, const std::string& name,
                       Backup kind, const std::string& suffix, BackupName* backup) {
  uint64_t number = 0;
  if (kind != Backup::kSimple) {
    const int32_t result = FindHighestNumber(kernel, directory, name, &number);
    if (result < 0) return result;
  }
  if (kind == Backup::kSimple || (kind == Backup::kExisting && number == 0)) {
    backup->name = WithSuffix(name, suffix);
    backup->may_replace = name.size() + suffix.size() <= NAME_MAX;
    return 0;
  }
  if (number == kNumberMax) return -EOVERFLOW;
  backup->name = WithSuffix(name, absl::StrCat(".~", number + 1, "~"));
  backup->may_replace = false;
  return 0;
}

MadeWay MakeWay(const FileCopyPolicy& policy, const FileCopyNames& names,
                const struct statx& existing, OldTarget how) {
  if (how == OldTarget::kBackedUp) return BackUp(policy, names, existing);
  const int error_number =
      RemoveIfSame(policy.kernel, names.target_directory, names.target, existing);
  if (error_number != 0) return Failed(TargetFailure(Operation::kRemove, error_number));
  MadeWay made;
  made.old_target = how;
  return made;
}

int TakeBack(Kernel* kernel, int directory, const char* target, const std::string& name) {
  return -RenameToNew(kernel, directory, name.c_str(), target);
}

}  // namespace ringcp

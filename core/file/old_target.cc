#include "core/file/old_target.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
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

// The number of a backup of `of` that is called `name`: "of.~12~"; otherwise 0.
uint64_t NumberOf(std::string_view name, std::string_view of) {
  if (!name.starts_with(of)) return 0;
  name.remove_prefix(of.size());
  if (!name.starts_with(".~") || !name.ends_with("~") || name.size() < 4) return 0;
  name = name.substr(2, name.size() - 3);
  uint64_t number = 0;
  const bool is_number =
      name[0] >= '1' && name[0] <= '9' &&
      absl::SimpleAtoi(absl::string_view(name.data(), name.size()), &number);
  return is_number ? number : 0;
}

// Finds the highest number of the backups of `of` in `directory`; 0 if it has none.
// Returns 0 or -errno.
int32_t FindHighestNumber(Kernel* kernel, int directory, std::string_view of,
                          uint64_t* highest) {
  *highest = 0;
  const int fd = kernel->Open(directory, ".", O_RDONLY | O_DIRECTORY);
  if (fd < 0) return fd;
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

// Renames within `directory`, unless something is called `name`. Returns 0 or -errno.
int32_t RenameToNew(Kernel* kernel, int directory, const char* old_name,
                    const char* name) {
  const int32_t result =
      kernel->Do(Rename(directory, old_name, directory, name, RENAME_NOREPLACE));
  if (result != -EINVAL) return result;
  // The file system can't do that in one step (NFS, some in user space).
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
               const struct statx& existing, const struct statx& source) {
  Kernel* const kernel = policy.kernel;
  const int directory = names.target_directory;
  const auto failed = [](int error_number) {
    return Failed(TargetFailure(Operation::kBackUp, error_number));
  };
  struct statx named;
  const std::string simple = absl::StrCat(names.target, *policy.backup_suffix);
  if (policy.backup != Backup::kNumbered &&
      kernel->Stat(directory, simple.c_str(), 0, &named) == 0 &&
      SameFile(named, source)) {
    return Failed(RefusedTarget(Refusal::kSourceIsBackup));
  }
  for (int i = 0; i < kNumbersMax; ++i) {
    std::string name;
    const int32_t found = FindBackupName(kernel, directory, names.target, policy.backup,
                                         *policy.backup_suffix, &name);
    if (found != 0) return failed(-found);
    const bool is_simple = name == simple;
    const int32_t looked =
        kernel->Stat(directory, names.target, AT_SYMLINK_NOFOLLOW, &named);
    switch (WhatHasName(looked, named, existing)) {
      case HasName::kIt:
        break;
      case HasName::kNothing:
      case HasName::kAnother:
        return {};
      case HasName::kUnknown:
        return failed(-looked);
    }
    const int32_t renamed =
        is_simple ? kernel->Do(Rename(directory, names.target, directory, name.c_str()))
                  : RenameToNew(kernel, directory, names.target, name.c_str());
    if (renamed == 0) {
      MadeWay made;
      made.old_target = OldTarget::kBackedUp;
      made.backup = std::move(name);
      return made;
    }
    if (renamed != -EEXIST || is_simple) return failed(-renamed);
  }
  return failed(EEXIST);
}

}  // namespace

int32_t FindBackupName(Kernel* kernel, int directory, const std::string& name,
                       Backup kind, const std::string& suffix, std::string* backup) {
  uint64_t number = 0;
  if (kind != Backup::kSimple) {
    const int32_t result = FindHighestNumber(kernel, directory, name, &number);
    if (result < 0) return result;
  }
  const bool is_simple =
      kind == Backup::kSimple || (kind == Backup::kExisting && number == 0);
  *backup =
      is_simple ? absl::StrCat(name, suffix) : absl::StrCat(name, ".~", number + 1, "~");
  return 0;
}

MadeWay MakeWay(const FileCopyPolicy& policy, const FileCopyNames& names,
                const struct statx& existing, const struct statx& source, OldTarget how) {
  if (how == OldTarget::kBackedUp) return BackUp(policy, names, existing, source);
  const int error_number =
      RemoveIfSame(policy.kernel, names.target_directory, names.target, existing);
  if (error_number != 0) return Failed(TargetFailure(Operation::kRemove, error_number));
  MadeWay made;
  made.old_target = how;
  return made;
}

int TakeBack(Kernel* kernel, const FileCopyNames& names, const std::string& name) {
  return -RenameToNew(kernel, names.target_directory, name.c_str(), names.target);
}

}  // namespace ringcp

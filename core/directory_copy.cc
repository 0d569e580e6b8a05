#include "core/directory_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "core/file_systems.h"
#include "core/mutex.h"

namespace ringcp {
namespace {

// While a directory is being filled nobody but its owner may write into it.
constexpr mode_t kOthersMayWrite = S_IWGRP | S_IWOTH;

// The f* calls, also for a descriptor that was opened with O_PATH because its directory
// may not be read: those calls refuse it with EBADF.
std::string ProcPath(int fd) { return absl::StrCat("/proc/self/fd/", fd); }

int ChangeTimes(int fd, const timespec* times) {
  const int result = futimens(fd, times);
  if (result == 0 || errno != EBADF) return result;
  return utimensat(AT_FDCWD, ProcPath(fd).c_str(), times, 0);
}

int ChangeOwner(int fd, uid_t user, gid_t group) {
  return fchownat(fd, "", user, group, AT_EMPTY_PATH);
}

int ChangeMode(int fd, mode_t mode) {
  const int result = fchmod(fd, mode);
  if (result == 0 || errno != EBADF) return result;
  return chmod(ProcPath(fd).c_str(), mode);
}

// Below a directory on the same device they are as there.
void NoteSourceFileSystem(Directory* directory) {
  const Directory& parent = *directory->parent;
  const bool is_same =
      !parent.is_top() && parent.source_stat.st_dev == directory->source_stat.st_dev;
  directory->source_is_local =
      is_same ? parent.source_is_local : IsKnownLocal(directory->source_fd);
}

void NoteTargetFileSystem(Directory* directory) {
  const Directory& parent = *directory->parent;
  directory->target_is_local = parent.target_device == directory->target_device
                                   ? parent.target_is_local
                                   : IsKnownLocal(directory->target_fd);
}

void CloseIfOpen(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

}  // namespace

void DirectoryCopy::Fail(const FileError& error) {
  failed_.fetch_add(1, std::memory_order_relaxed);
  reporter_->Report(error);
}

WalkVisitor::Entered DirectoryCopy::Enter(Directory* directory) {
  bool copyable = true;
  Entered entered = OpenSource(directory, &copyable);
  if (!copyable || entered == Entered::kIsNoDirectory) return entered;
  if (directory->is_root) directory->root_device = directory->source_stat.st_dev;
  if (IsOwnTarget(*directory) || (directory->through_link && IsCycle(*directory))) {
    return Entered::kNotToBeRead;
  }
  const bool elsewhere = directory->source_stat.st_dev != directory->root_device;
  if (one_file_system_ && elsewhere) entered = Entered::kNotToBeRead;
  const bool to_be_read = entered == Entered::kToBeRead;
  // A root's target is made before the root is read: it may lie in it.
  if ((directory->is_root || !to_be_read) &&
      !MakeTarget(directory, /*empty=*/!to_be_read)) {
    return Entered::kNotToBeRead;
  }
  return entered;
}

bool DirectoryCopy::MakeReady(Directory* directory, bool empty) {
  return directory->is_root || MakeTarget(directory, empty);
}

WalkVisitor::Entered DirectoryCopy::OpenSource(Directory* directory, bool* copyable) {
  const int at = directory->parent->source_fd;
  const char* name = directory->source_name.c_str();
  const int no_follow = directory->follow ? 0 : O_NOFOLLOW;
  directory->source_fd =
      openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK | no_follow);
  if (directory->source_fd >= 0) {
    if (fstat(directory->source_fd, &directory->source_stat) == 0) {
      NoteSourceFileSystem(directory);
      return Entered::kToBeRead;
    }
    Fail(MakeFileError(Operation::kStat, SourcePath(*directory), errno));
    *copyable = false;
    return Entered::kNotToBeRead;
  }
  const int open_error = errno;
  if ((open_error == ENOTDIR || open_error == ELOOP) && !directory->looked_at) {
    return Entered::kIsNoDirectory;
  }
  *copyable = false;
  const int flags = directory->follow ? 0 : AT_SYMLINK_NOFOLLOW;
  if (fstatat(at, name, &directory->source_stat, flags) != 0) {
    Fail(MakeFileError(Operation::kStat, SourcePath(*directory), errno));
    return Entered::kNotToBeRead;
  }
  Fail(MakeFileError(Operation::kAccessDirectory, SourcePath(*directory), open_error));
  // As GNU cp: the directory is there, so its copy is made, though empty.
  *copyable = S_ISDIR(directory->source_stat.st_mode);
  return Entered::kNotToBeRead;
}

bool DirectoryCopy::IsOwnTarget(const Directory& directory) {
  std::string message;
  {
    MutexLock lock(&mutex_);
    for (const Root& root : roots_) {
      if (root.device == directory.source_stat.st_dev &&
          root.inode == directory.source_stat.st_ino) {
        message = absl::StrCat("cannot copy a directory, ", Quote(root.source),
                               ", into itself, ", Quote(root.target));
        break;
      }
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
  Root root = {device, inode, SourcePath(directory), TargetPath(directory)};
  MutexLock lock(&mutex_);
  roots_.push_back(std::move(root));
}

bool DirectoryCopy::MakeTarget(Directory* directory, bool empty) {
  const mode_t source_mode = directory->source_stat.st_mode;
  const mode_t final_mode = policy_.FinalMode(source_mode);
  mode_t first_mode =
      (policy_.NewMode(source_mode) & ~kOthersMayWrite) | kOwnerPermissions;
  // Nobody else gets in before the directory has its owner.
  if (policy_.preserve.ownership) first_mode &= kOwnerPermissions;

  const bool created = mkdirat(directory->parent->target_fd,
                               directory->target_name.c_str(), first_mode) == 0;
  if (!created && errno != EEXIST) {
    Fail(MakeFileError(Operation::kMakeDirectory, TargetPath(*directory), errno));
    return false;
  }
  // One that nothing is put into, and nothing set on, is not opened: of 50,000 that saves
  // 3 to 4 % of the CPU time (0.98 s before, 0.95 s).
  struct stat stat;
  const bool finished =
      created && empty && !directory->is_root && NeedsNothing(*directory, &stat);
  if (!finished) {
    if (!OpenTarget(directory, created, &stat)) return false;
    if (directory->is_root) NoteRoot(*directory, stat.st_dev, stat.st_ino);
    directory->target_device = stat.st_dev;
    NoteTargetFileSystem(directory);
    directory->target_group = (stat.st_mode & S_ISGID) != 0 ? stat.st_gid : group_;
    directory->set_attributes = policy_.preserve.any_attribute();
    // Set-group-ID that it inherited stays, unless the source's mode is kept as it is.
    directory->final_mode =
        policy_.preserve.mode ? final_mode : final_mode | (stat.st_mode & S_ISGID);
    directory->set_final_mode =
        policy_.preserve.mode ||
        (created && (stat.st_mode & kAllModeBits) != directory->final_mode) ||
        (created && (stat.st_mode & kOwnerPermissions) != kOwnerPermissions);
  }
  directory->target_made = true;
  directory->target_created = created;
  if (created && reporter_->wants_copied()) {
    reporter_->Copied(SourcePath(*directory), TargetPath(*directory));
  }
  return true;
}

bool DirectoryCopy::NeedsNothing(const Directory& directory, struct stat* stat) const {
  if (policy_.preserve.any_attribute() ||
      fstatat(directory.parent->target_fd, directory.target_name.c_str(), stat,
              AT_SYMLINK_NOFOLLOW) != 0) {
    return false;
  }
  const mode_t mode = stat->st_mode & kAllModeBits & ~S_ISGID;
  return S_ISDIR(stat->st_mode) &&
         mode == policy_.FinalMode(directory.source_stat.st_mode);
}

bool DirectoryCopy::OpenTarget(Directory* directory, bool created, struct stat* stat) {
  const int at = directory->parent->target_fd;
  const char* name = directory->target_name.c_str();
  const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  directory->target_fd = openat(at, name, O_RDONLY | flags);
  // It may be writable but not readable.
  if (directory->target_fd < 0 && errno == EACCES) {
    directory->target_fd = openat(at, name, O_PATH | flags);
  }
  if (directory->target_fd < 0 || fstat(directory->target_fd, stat) != 0) {
    const int error_number = errno;
    const std::string path = TargetPath(*directory);
    if (error_number == ENOTDIR || error_number == ELOOP) {
      Fail(MakeRefusal(path,
                       absl::StrCat("cannot overwrite non-directory ", Quote(path),
                                    " with directory ", Quote(SourcePath(*directory)))));
    } else {
      Fail(MakeFileError(Operation::kAccessDirectory, path, error_number));
    }
    return false;
  }
  if (SameFile(*stat, directory->source_stat)) {
    const std::string path = TargetPath(*directory);
    Fail(MakeRefusal(path, absl::StrCat(Quote(SourcePath(*directory)), " and ",
                                        Quote(path), " are the same file")));
    CloseIfOpen(&directory->target_fd);
    return false;
  }
  // A umask that takes its owner's rights holds when everything is in it.
  if (created && (stat->st_mode & kOwnerPermissions) != kOwnerPermissions &&
      ChangeMode(directory->target_fd,
                 (stat->st_mode & kAllModeBits) | kOwnerPermissions) != 0) {
    Fail(MakeFileError(Operation::kSetMode, TargetPath(*directory), errno));
    return false;
  }
  return true;
}

void DirectoryCopy::Leave(Directory* directory) {
  const int fd = directory->target_fd;
  if (fd >= 0) {
    const struct stat& source = directory->source_stat;
    if (directory->set_attributes && policy_.preserve.timestamps) {
      const timespec times[] = {source.st_atim, source.st_mtim};
      if (ChangeTimes(fd, times) != 0) {
        Fail(MakeFileError(Operation::kSetTimes, TargetPath(*directory), errno));
      }
    }
    if (directory->set_attributes && policy_.preserve.ownership &&
        ChangeOwner(fd, source.st_uid, source.st_gid) != 0) {
      // Not permitted is no error for an ordinary user, as in GNU cp; nor is failing to
      // keep the group alone.
      if (!policy_.MayFailToSetOwner(errno)) {
        Fail(MakeFileError(Operation::kSetOwner, TargetPath(*directory), errno));
      }
      if (ChangeOwner(fd, static_cast<uid_t>(-1), source.st_gid) != 0) {
        directory->final_mode &= kPermissions;
      }
    }
    if (directory->set_final_mode && ChangeMode(fd, directory->final_mode) != 0) {
      Fail(MakeFileError(Operation::kSetMode, TargetPath(*directory), errno));
    }
  }
  if (directory->target_made) done_.fetch_add(1, std::memory_order_relaxed);
  CloseIfOpen(&directory->source_fd);
  CloseIfOpen(&directory->target_fd);
}

void DirectoryCopy::OnReadError(const Directory& directory, int error_number) {
  Fail(MakeFileError(Operation::kReadDirectory, SourcePath(directory), error_number));
}

void DirectoryCopy::OnEntryError(const Directory& directory, const char* name,
                                 int error_number) {
  Fail(MakeFileError(Operation::kStat, SourcePath(directory, name), error_number));
}

}  // namespace ringcp

#include "core/node_copy.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"

namespace ringcp {
namespace {

// Reads a link of any length: 0, or the errno.
int ReadLink(int directory, const char* name, std::string* text) {
  std::vector<char> buffer(256);
  for (;;) {
    const ssize_t size = readlinkat(directory, name, buffer.data(), buffer.size());
    if (size < 0) return errno;
    if (static_cast<size_t>(size) < buffer.size()) {
      text->assign(buffer.data(), size);
      return 0;
    }
    buffer.resize(buffer.size() * 2);
  }
}

// Whether something that is no regular file may take the place of `existing`; by GNU cp's
// rules only where no links are followed, or the other names of what was there must keep
// it. A link replaces what is in its way with -f, too.
bool MayReplace(const FileCopyPolicy& policy, const FileCopyNames& names,
                const struct stat& source, const struct stat& existing) {
  return !names.follows_links_here || (policy.force && S_ISLNK(source.st_mode)) ||
         (policy.preserve.links && existing.st_nlink > 1);
}

// Makes way for a new target, which `operation` could not make. True: the name is free
// now. False: *outcome says what to return.
bool ClearTarget(const FileCopyPolicy& policy, const FileCopyNames& names,
                 const struct stat& source, Operation operation, NodeOutcome* outcome,
                 CopyFailure* failure) {
  *outcome = NodeOutcome::kFailed;
  if (policy.no_clobber) {
    *outcome = NodeOutcome::kSkipped;
    return false;
  }
  struct stat existing;
  if (fstatat(names.target_directory, names.target, &existing, AT_SYMLINK_NOFOLLOW) !=
      0) {
    if (errno == ENOENT) return true;
    *failure = TargetFailure(Operation::kStat, errno);
    return false;
  }
  struct stat pointee;
  const bool points_here =
      S_ISLNK(source.st_mode) && !S_ISLNK(existing.st_mode) &&
      fstatat(names.source_directory, names.source, &pointee, 0) == 0 &&
      SameFile(pointee, existing);
  // To put a link in the place of the file that it points to would lose that file.
  if (SameFile(existing, source) || points_here) {
    *failure = RefusedTarget(Refusal::kSameFile);
    return false;
  }
  if (S_ISDIR(existing.st_mode)) {
    *failure = RefusedTarget(Refusal::kTargetIsDirectory);
    return false;
  }
  if (!MayReplace(policy, names, source, existing)) {
    *failure = TargetFailure(operation, EEXIST);
    return false;
  }
  if (unlinkat(names.target_directory, names.target, 0) != 0 && errno != ENOENT) {
    *failure = TargetFailure(Operation::kRemove, errno);
    return false;
  }
  return true;
}

// Gives a node its owner and mode. By descriptor: a name might lead to another file by
// now, and root would give that one away.
bool SetOwnerAndMode(const FileCopyPolicy& policy, const FileCopyNames& names,
                     const struct stat& source, CopyFailure* failure) {
  const bool is_link = S_ISLNK(source.st_mode);
  const int fd =
      openat(names.target_directory, names.target, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat target;
  if (fd < 0 || fstat(fd, &target) != 0) {
    *failure = TargetFailure(Operation::kStat, errno);
    if (fd >= 0) close(fd);
    return false;
  }
  bool ok = true;
  mode_t mode = policy.FinalMode(source.st_mode);
  if ((target.st_mode & S_IFMT) != (source.st_mode & S_IFMT)) {
    *failure = RefusedTarget(Refusal::kTargetReplaced);
    ok = false;
  }
  if (ok && policy.preserve.ownership &&
      (target.st_uid != source.st_uid || target.st_gid != source.st_gid) &&
      fchownat(fd, "", source.st_uid, source.st_gid, AT_EMPTY_PATH) != 0) {
    if (!policy.MayFailToSetOwner(errno)) {
      *failure = TargetFailure(Operation::kSetOwner, errno);
      ok = false;
    }
    mode &= kPermissions;
  }
  if (ok && !is_link && chmod(absl::StrCat("/proc/self/fd/", fd).c_str(), mode) != 0) {
    *failure = TargetFailure(Operation::kSetMode, errno);
    ok = false;
  }
  close(fd);
  return ok;
}

bool SetNodeAttributes(const FileCopyPolicy& policy, const FileCopyNames& names,
                       const struct stat& source, CopyFailure* failure) {
  // A link's times, by name: at worst a file that somebody put there gets them, which
  // everybody who can write to it can do as well.
  const timespec times[] = {source.st_atim, source.st_mtim};
  if (policy.preserve.timestamps &&
      utimensat(names.target_directory, names.target, times, AT_SYMLINK_NOFOLLOW) != 0) {
    *failure = TargetFailure(Operation::kSetTimes, errno);
    return false;
  }
  if (!policy.preserve.ownership && !policy.preserve.mode) return true;
  // Most links have their owner already, and a link has no mode of its own.
  const bool is_ours =
      source.st_uid == policy.user && source.st_gid == names.target_group;
  if (S_ISLNK(source.st_mode) && (is_ours || !policy.preserve.ownership)) return true;
  return SetOwnerAndMode(policy, names, source, failure);
}

}  // namespace

NodeOutcome CopyNode(const FileCopyPolicy& policy, const FileCopyNames& names,
                     const struct stat& stat, CopyFailure* failure) {
  const bool is_link = S_ISLNK(stat.st_mode);
  std::string text;
  if (is_link) {
    const int error_number = ReadLink(names.source_directory, names.source, &text);
    if (error_number != 0) {
      *failure = {.operation = Operation::kReadLink, .error_number = error_number};
      return NodeOutcome::kFailed;
    }
  }
  mode_t mode = policy.NewMode(stat.st_mode);
  if (policy.preserve.ownership) mode &= kOwnerPermissions;
  const Operation operation = is_link                  ? Operation::kMakeSymlink
                              : S_ISFIFO(stat.st_mode) ? Operation::kMakeFifo
                                                       : Operation::kMakeSpecial;
  const auto make = [&] {
    return is_link ? symlinkat(text.c_str(), names.target_directory, names.target)
                   : mknodat(names.target_directory, names.target,
                             (stat.st_mode & S_IFMT) | mode, stat.st_rdev);
  };
  if (make() != 0) {
    if (errno != EEXIST) {
      *failure = TargetFailure(operation, errno);
      return NodeOutcome::kFailed;
    }
    NodeOutcome outcome;
    if (!ClearTarget(policy, names, stat, operation, &outcome, failure)) return outcome;
    if (make() != 0) {
      *failure = TargetFailure(operation, errno);
      return NodeOutcome::kFailed;
    }
  }
  return SetNodeAttributes(policy, names, stat, failure) ? NodeOutcome::kCopied
                                                         : NodeOutcome::kFailed;
}

NodeOutcome MakeHardLink(const FileCopyPolicy& policy, int existing_directory,
                         const char* existing_name, int directory, const char* name,
                         CopyFailure* failure) {
  const auto make = [&] {
    return linkat(existing_directory, existing_name, directory, name, 0);
  };
  if (make() == 0) return NodeOutcome::kCopied;
  if (errno == EEXIST) {
    if (policy.no_clobber) return NodeOutcome::kSkipped;
    struct stat existing;
    struct stat target;
    const int flags = AT_SYMLINK_NOFOLLOW;
    if (fstatat(existing_directory, existing_name, &existing, flags) == 0 &&
        fstatat(directory, name, &target, flags) == 0) {
      if (SameFile(existing, target)) {
        return NodeOutcome::kCopied;  // They are links of each other already.
      }
      if (S_ISDIR(target.st_mode)) {
        *failure = RefusedTarget(Refusal::kTargetIsDirectory);
        return NodeOutcome::kFailed;
      }
    }
    if (unlinkat(directory, name, 0) != 0 && errno != ENOENT) {
      *failure = TargetFailure(Operation::kRemove, errno);
      return NodeOutcome::kFailed;
    }
    if (make() == 0) return NodeOutcome::kCopied;
  }
  *failure = TargetFailure(Operation::kMakeHardLink, errno);
  return NodeOutcome::kFailed;
}

int OpenParentBeneath(int top, const std::string& path) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = openat(top, ".", kFlags);
  size_t start = 0;
  for (size_t slash = path.find('/'); fd >= 0 && slash != std::string::npos;
       slash = path.find('/', start)) {
    const std::string part = path.substr(start, slash - start);
    start = slash + 1;
    if (part.empty()) continue;
    const int below = openat(fd, part.c_str(), kFlags);
    const int error_number = errno;
    close(fd);
    fd = below;
    errno = error_number;
  }
  return fd >= 0 ? fd : -errno;
}

}  // namespace ringcp

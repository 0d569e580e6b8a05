#include "core/file/node_copy.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/check.h"
#include "core/base/file_identity.h"
#include "core/file/file_acls.h"
#include "core/file/removal.h"
#include "core/kernel/path_descriptor.h"

namespace ringcp {
namespace {

// Reads the link `fd` of any length: 0, or the errno.
int ReadLink(int fd, std::string* text) {
  std::vector<char> buffer(256);
  for (;;) {
    const ssize_t size = readlinkat(fd, "", buffer.data(), buffer.size());
    if (size < 0) return errno;
    if (static_cast<size_t>(size) < buffer.size()) {
      text->assign(buffer.data(), size);
      return 0;
    }
    buffer.resize(buffer.size() * 2);
  }
}

// Whether the source's and the target's names are one: equal, in one directory.
bool IsSameName(const FileCopyNames& names) {
  const std::string_view source = names.source;
  const size_t slash = source.rfind('/');
  const std::string_view last =
      slash == std::string_view::npos ? source : source.substr(slash + 1);
  if (last != names.target) return false;
  const std::string directory(
      slash == std::string_view::npos ? "." : source.substr(0, slash + 1));
  struct stat source_in;
  struct stat target_in;
  return fstatat(names.source_directory, directory.c_str(), &source_in, 0) == 0 &&
         fstatat(names.target_directory, ".", &target_in, 0) == 0 &&
         SameFile(source_in, target_in);
}

enum class Sameness {
  kOther,
  kSameFile,      // To replace one by the other would lose it.
  kLinkOfSource,  // A symbolic link with several names: there is nothing to do.
};

// What `existing`, which is in the way, is to the source; GNU cp's rules.
Sameness Compare(const FileCopyNames& names, const struct stat& source,
                 const struct stat& existing) {
  const bool same = SameFile(source, existing);
  if (names.follows_links_here) return same ? Sameness::kSameFile : Sameness::kOther;
  if (S_ISLNK(source.st_mode) && S_ISLNK(existing.st_mode)) {
    if (!same) return Sameness::kOther;
    return IsSameName(names) ? Sameness::kSameFile : Sameness::kLinkOfSource;
  }
  // What the one that is a link points to.
  struct stat source_file = source;
  struct stat existing_file = existing;
  if ((S_ISLNK(source.st_mode) &&
       fstatat(names.source_directory, names.source, &source_file, 0) != 0) ||
      (S_ISLNK(existing.st_mode) &&
       fstatat(names.target_directory, names.target, &existing_file, 0) != 0)) {
    return Sameness::kOther;
  }
  return SameFile(source_file, existing_file) ? Sameness::kSameFile : Sameness::kOther;
}

// How many links the file has that is in the way as `name`, or, for a regular source, the
// one that `name` leads to: GNU cp looks at targets as their sources are.
nlink_t LinksOf(int directory, const char* name, const struct stat& existing,
                bool is_source_regular) {
  struct stat pointee;
  const bool is_link = is_source_regular && S_ISLNK(existing.st_mode) &&
                       fstatat(directory, name, &pointee, 0) == 0;
  return is_link ? pointee.st_nlink : existing.st_nlink;
}

// How many temporary names are tried. They are random: that even one is taken is an
// accident, or somebody's intention.
constexpr int kTemporaryNamesMax = 100;

// A name that nobody else has or expects. Short, because some file systems have names of
// 14 bytes.
std::string TemporaryName() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  std::array<uint8_t, 10> bytes = {};
  // Can't fail or be short for so few bytes once the kernel has booted.
  [[maybe_unused]] const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
  std::string name = ".rc";
  for (const uint8_t byte : bytes) name += kLetters[byte % kLetters.size()];
  return name;
}

// Makes `name`, which is another file's (`old`, no directory), a hard link to
// `existing_name`: 0 or an errno. Only a name that nobody has shows whether such a link
// can be made, because one that is taken is all that linkat(2) tells of. So it gets a
// temporary one first, in the same directory, and takes the other's place by a rename; if
// either can't be done, the old file keeps its name.
int LinkOver(int existing_directory, const char* existing_name, int directory,
             const char* name, const FileIdentity& old) {
  std::string temporary;
  int error_number = EEXIST;
  for (int i = 0; i < kTemporaryNamesMax && error_number == EEXIST; ++i) {
    temporary = TemporaryName();
    const bool made =
        linkat(existing_directory, existing_name, directory, temporary.c_str(), 0) == 0;
    error_number = made ? 0 : errno;
  }
  if (error_number != 0) return error_number;
  // What somebody else has put there meanwhile is left.
  struct stat named;
  if (fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
      IdentityOf(named) != old) {
    error_number = EEXIST;
  } else if (renameat(directory, temporary.c_str(), directory, name) != 0) {
    error_number = errno;
  }
  // Also after a rename that has succeeded: it does nothing if both names are one file's
  // by now.
  unlinkat(directory, temporary.c_str(), 0);
  return error_number;
}

// One node's copy.
class NodeCopy {
 public:
  NodeCopy(const FileCopyPolicy& policy, const FileCopyNames& names,
           const NodeSource& source)
      : policy_(policy),
        names_(names),
        source_fd_(source.fd()),
        source_(source.stat()),
        is_link_(S_ISLNK(source_.st_mode)) {}

  NodeResult Run() {
    if (Prepare() && MakeInAnyCase() && SetAttributes()) {
      result_.outcome = NodeOutcome::kCopied;
    }
    return result_;
  }

 private:
  // Each of these is false if the copy ends here, as it says in result_.
  bool Fail(const CopyFailure& failure) {
    result_.outcome = NodeOutcome::kFailed;
    result_.failure = failure;
    return false;
  }
  bool Skip() {
    result_.outcome = NodeOutcome::kSkipped;
    return false;
  }

  bool Prepare() {
    switch (source_.st_mode & S_IFMT) {
      case S_IFLNK:
        operation_ = Operation::kMakeSymlink;
        break;
      case S_IFIFO:
        operation_ = Operation::kMakeFifo;
        break;
      case S_IFCHR:
      case S_IFBLK:
      case S_IFSOCK:
        operation_ = Operation::kMakeSpecial;
        break;
      default:
        return Fail({.refusal = Refusal::kUnknownType});
    }
    if (is_link_) {
      const int error_number = ReadLink(source_fd_, &text_);
      if (error_number == 0) return true;
      return Fail({.operation = Operation::kReadLink, .error_number = error_number});
    }
    mode_ = source_.st_mode & kAllModeBits;
    if (policy_.preserve.mode) {
      const SourceAccess access = LookAtAccess(source_fd_, mode_);
      mode_ = access.mode;
      result_.access_left_out = access.is_more_than_mode;
    }
    const mode_t type = source_.st_mode & S_IFMT;
    withheld_ = policy_.WithheldMode(type | mode_, inherits_acl());
    // Nobody has to be kept out until the owner is set if it is right from the beginning.
    if (is_owner_right() && !inherits_acl()) withheld_ = 0;
    return true;
  }

  // Whether what is made here has its source's owner without being given it.
  bool is_owner_right() const {
    return names_.target_is_local() && source_.st_uid == policy_.user &&
           source_.st_gid == names_.target_group;
  }
  bool inherits_acl() const { return names_.target_default_acl.has_value(); }

  // 0 or an errno.
  int Make() const {
    const mode_t type = source_.st_mode & S_IFMT;
    const int made =
        is_link_ ? symlinkat(text_.c_str(), names_.target_directory, names_.target)
                 : mknodat(names_.target_directory, names_.target,
                           type | (policy_.NewMode(type | mode_) & ~withheld_),
                           source_.st_rdev);
    return made == 0 ? 0 : errno;
  }

  bool MakeInAnyCase() {
    int error_number = Make();
    if (error_number == EEXIST) {
      if (!ClearTarget()) return false;
      error_number = Make();
    }
    return error_number == 0 || Fail(TargetFailure(operation_, error_number));
  }

  // Makes way for the target.
  bool ClearTarget() {
    const bool replaces_any = policy_.force && is_link_;
    // In a directory that this job made, this job has put there what is in the way: the
    // file system takes two names for one.
    if (names_.target_directory_created && !replaces_any) {
      return Fail(TargetFailure(operation_, EEXIST));
    }
    if (policy_.no_clobber) return Skip();
    struct stat existing;
    if (fstatat(names_.target_directory, names_.target, &existing, AT_SYMLINK_NOFOLLOW) !=
        0) {
      return errno == ENOENT || Fail(TargetFailure(Operation::kStat, errno));
    }
    switch (Compare(names_, source_, existing)) {
      case Sameness::kSameFile:
        return Fail(RefusedTarget(Refusal::kSameFile));
      case Sameness::kLinkOfSource:
        return Skip();
      case Sameness::kOther:
        break;
    }
    if (S_ISDIR(existing.st_mode)) {
      return Fail(RefusedTarget(Refusal::kTargetIsDirectory));
    }
    // Something that is no regular file takes the place of another only where no links
    // are followed, or where the other names of what was there must keep it.
    const bool is_replaced =
        !names_.follows_links_here || (policy_.preserve.links && existing.st_nlink > 1);
    if (!is_replaced && !replaces_any) return Fail(TargetFailure(operation_, EEXIST));
    const int error_number =
        RemoveIfSame(names_.target_directory, names_.target, IdentityOf(existing));
    if (error_number != 0) return Fail(TargetFailure(Operation::kRemove, error_number));
    // GNU cp renames a link over what -f makes way for, and says nothing about it.
    if (is_replaced && !names_.target_directory_created) {
      result_.old_target = OldTarget::kRemovedBeforehand;
    }
    return true;
  }

  // Most links have their owner already, and a link has no mode of its own.
  bool has_attributes_to_set() const {
    if (policy_.preserve.timestamps) return true;
    if (is_link_) return policy_.preserve.ownership && !is_owner_right();
    return policy_.preserve.ownership || policy_.preserve.mode;
  }

  // By descriptor: the name might lead to another file by now, and root would give that
  // one away. Which file was made, no call says; but another one that somebody puts in
  // its place has to be like it, and can't be one that has a name elsewhere.
  bool SetAttributes() {
    if (!has_attributes_to_set()) return true;
    const int fd =
        openat(names_.target_directory, names_.target, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat target;
    if (fd < 0 || fstat(fd, &target) != 0) {
      Fail(TargetFailure(Operation::kStat, errno));
      if (fd >= 0) close(fd);
      return false;
    }
    const bool ok = IsAsMade(target) ? SetTimes(fd) && SetOwner(fd, target) && SetMode(fd)
                                     : Fail(RefusedTarget(Refusal::kTargetReplaced));
    close(fd);
    return ok;
  }

  bool IsAsMade(const struct stat& target) const {
    if ((target.st_mode & S_IFMT) != (source_.st_mode & S_IFMT) || target.st_nlink > 1) {
      return false;
    }
    const bool is_device = S_ISCHR(source_.st_mode) || S_ISBLK(source_.st_mode);
    return !is_device || target.st_rdev == source_.st_rdev;
  }

  bool SetTimes(int fd) {
    if (!policy_.preserve.timestamps) return true;
    const timespec times[] = {source_.st_atim, source_.st_mtim};
    const int error_number = ChangeTimes(fd, times);
    return error_number == 0 || Fail(TargetFailure(Operation::kSetTimes, error_number));
  }

  bool SetOwner(int fd, const struct stat& target) {
    if (!policy_.preserve.ownership ||
        (target.st_uid == source_.st_uid && target.st_gid == source_.st_gid)) {
      return true;
    }
    const int error_number = ChangeOwner(fd, source_.st_uid, source_.st_gid);
    if (error_number == 0) return true;
    if (!policy_.MayFailToSetOwner(error_number)) {
      return Fail(TargetFailure(Operation::kSetOwner, error_number));
    }
    // An attempt to keep the group at least, whose failure is no error either.
    ChangeOwner(fd, static_cast<uid_t>(-1), source_.st_gid);
    mode_ &= kPermissions;
    return true;
  }

  bool SetMode(int fd) {
    if (is_link_) return true;
    struct stat target;  // Of after the owner was set.
    if (fstat(fd, &target) != 0) return Fail(TargetFailure(Operation::kStat, errno));
    const mode_t mode = target.st_mode & kAllModeBits;
    mode_t wanted = mode_;
    int error_number = 0;
    if (!policy_.preserve.mode) {
      wanted = mode | (withheld_ & ~policy_.umask &
                       names_.target_default_acl.value_or(kPermissions));
    } else if (inherits_acl()) {
      error_number = ReplaceAcls(fd, wanted);
    }
    // Without the group's bits a list that is there still lets nobody in whom it names.
    if (error_number != 0) wanted &= ~mode_t{S_IRWXG};
    if (mode != wanted) {
      const int mode_error = SetModeTo(fd, wanted, target);
      if (error_number == 0) error_number = mode_error;
    }
    return error_number == 0 || policy_.MayFailToSetMode(error_number) ||
           Fail(TargetFailure(Operation::kSetMode, error_number));
  }

  // 0 or an errno.
  int SetModeTo(int fd, mode_t mode, const struct stat& target) const {
    const int error_number = ChangeMode(fd, mode);
    if (error_number == 0 || !S_ISFIFO(target.st_mode)) return error_number;
    // An older kernel without /proc. A pipe, unlike a device, may be opened: nobody
    // waits, and nothing is set going.
    const int opened = openat(names_.target_directory, names_.target,
                              O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (opened < 0) return error_number;
    struct stat stat;
    const bool is_it = fstat(opened, &stat) == 0 && SameFile(stat, target);
    const bool done = is_it && fchmod(opened, mode) == 0;
    close(opened);
    return done ? 0 : error_number;
  }

  const FileCopyPolicy& policy_;
  const FileCopyNames& names_;
  const int source_fd_;
  const struct stat& source_;
  const bool is_link_;
  Operation operation_ = Operation::kMakeSpecial;
  std::string text_;     // Of a link.
  mode_t mode_ = 0;      // The source's, without an ACL's mask.
  mode_t withheld_ = 0;  // Of the target's, at first.
  NodeResult result_;
};

}  // namespace

NodeSource::~NodeSource() {
  if (fd_ >= 0) close(fd_);
}

int NodeSource::Open(const FileCopyNames& names) {
  RINGCP_CHECK(fd_ < 0);
  fd_ = openat(names.source_directory, names.source,
               O_PATH | O_CLOEXEC | (names.follow_source ? 0 : O_NOFOLLOW));
  return fd_ >= 0 && fstat(fd_, &stat_) == 0 ? 0 : errno;
}

NodeResult CopyNode(const FileCopyPolicy& policy, const FileCopyNames& names,
                    const NodeSource& source) {
  return NodeCopy(policy, names, source).Run();
}

NodeResult MakeHardLink(const FileCopyPolicy& policy, bool follows_links_here,
                        int existing_directory, const char* existing_name, int directory,
                        const char* name) {
  NodeResult result;
  const auto make = [&] {
    return linkat(existing_directory, existing_name, directory, name, 0);
  };
  const auto end = [&result](NodeOutcome outcome) {
    result.outcome = outcome;
    return result;
  };
  const auto fail = [&](const CopyFailure& failure) {
    result.failure = failure;
    return end(NodeOutcome::kFailed);
  };
  if (make() == 0) return end(NodeOutcome::kCopied);
  if (errno == EEXIST) {
    if (policy.no_clobber) return end(NodeOutcome::kSkipped);
    const int flags = AT_SYMLINK_NOFOLLOW;
    struct stat existing;
    struct stat target;
    if (fstatat(directory, name, &target, flags) == 0) {
      const bool is_known =
          fstatat(existing_directory, existing_name, &existing, flags) == 0;
      const int known_error = errno;
      // A file system may tell one inode number for all files; then the names are
      // counted.
      if (is_known && SameFile(existing, target) && target.st_nlink > 1) {
        return end(NodeOutcome::kCopied);  // They are links of each other already.
      }
      if (S_ISDIR(target.st_mode)) {
        return fail(RefusedTarget(Refusal::kTargetIsDirectory));
      }
      // Then no link can be made either, and what is there stays.
      if (!is_known) return fail(TargetFailure(Operation::kMakeHardLink, known_error));
      const bool is_regular = S_ISREG(existing.st_mode);
      const bool goes_beforehand = LinksOf(directory, name, target, is_regular) > 1 ||
                                   (!is_regular && !follows_links_here);
      if (!goes_beforehand) {
        const int error_number = LinkOver(existing_directory, existing_name, directory,
                                          name, IdentityOf(target));
        if (error_number != 0) {
          return fail(TargetFailure(Operation::kMakeHardLink, error_number));
        }
        result.old_target = OldTarget::kRemovedAfterFailing;
        return end(NodeOutcome::kCopied);
      }
      if (const int error_number = RemoveIfSame(directory, name, IdentityOf(target));
          error_number != 0) {
        return fail(TargetFailure(Operation::kRemove, error_number));
      }
      result.old_target = OldTarget::kRemovedBeforehand;
    }
    if (make() == 0) return end(NodeOutcome::kCopied);
  }
  return fail(TargetFailure(Operation::kMakeHardLink, errno));
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

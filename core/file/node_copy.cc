#include "core/file/node_copy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/check.h"
#include "core/base/file_identity.h"
#include "core/file/attribute_plan.h"
#include "core/file/file_acls.h"
#include "core/file/removal.h"
#include "core/kernel/op.h"

namespace ringcp {
namespace {

// Reads the link `fd` of any length: 0, or the errno.
int ReadLinkText(Kernel* kernel, int fd, std::string* text) {
  std::vector<char> buffer(256);
  for (;;) {
    const int32_t size =
        kernel->Do(ReadLink(fd, buffer.data(), static_cast<uint32_t>(buffer.size())));
    if (size < 0) return -size;
    if (static_cast<size_t>(size) < buffer.size()) {
      text->assign(buffer.data(), size);
      return 0;
    }
    buffer.resize(buffer.size() * 2);
  }
}

// Whether the source's and the target's names are one: equal, in one directory.
bool IsSameName(Kernel* kernel, const FileCopyNames& names) {
  const std::string_view source = names.source;
  const size_t slash = source.rfind('/');
  const std::string_view last =
      slash == std::string_view::npos ? source : source.substr(slash + 1);
  if (last != names.target) return false;
  const std::string directory(
      slash == std::string_view::npos ? "." : source.substr(0, slash + 1));
  struct statx source_in;
  struct statx target_in;
  return kernel->Stat(names.source_directory, directory.c_str(), 0, &source_in) == 0 &&
         kernel->Stat(names.target_directory, ".", 0, &target_in) == 0 &&
         SameFile(source_in, target_in);
}

enum class Sameness {
  kOther,
  kSameFile,      // To replace one by the other would lose it.
  kLinkOfSource,  // A symbolic link with several names: there is nothing to do.
};

// What `existing`, which is in the way, is to the source; GNU cp's rules.
Sameness Compare(Kernel* kernel, const FileCopyNames& names, const struct statx& source,
                 const struct statx& existing) {
  const bool same = SameFile(source, existing);
  if (names.follows_links_here) return same ? Sameness::kSameFile : Sameness::kOther;
  if (S_ISLNK(source.stx_mode) && S_ISLNK(existing.stx_mode)) {
    if (!same) return Sameness::kOther;
    return IsSameName(kernel, names) ? Sameness::kSameFile : Sameness::kLinkOfSource;
  }
  // What the one that is a link points to.
  struct statx source_file = source;
  struct statx existing_file = existing;
  if ((S_ISLNK(source.stx_mode) &&
       kernel->Stat(names.source_directory, names.source, 0, &source_file) != 0) ||
      (S_ISLNK(existing.stx_mode) &&
       kernel->Stat(names.target_directory, names.target, 0, &existing_file) != 0)) {
    return Sameness::kOther;
  }
  return SameFile(source_file, existing_file) ? Sameness::kSameFile : Sameness::kOther;
}

// How many links the file has that is in the way as `name`, or, for a regular source, the
// one that `name` leads to: GNU cp looks at targets as their sources are.
uint32_t LinksOf(Kernel* kernel, int directory, const char* name,
                 const struct statx& existing, bool is_source_regular) {
  struct statx pointee;
  const bool is_link = is_source_regular && S_ISLNK(existing.stx_mode) &&
                       kernel->Stat(directory, name, 0, &pointee) == 0;
  return is_link ? pointee.stx_nlink : existing.stx_nlink;
}

// How many temporary names are tried. They are random: that even one is taken is an
// accident, or somebody's intention.
constexpr int kTemporaryNamesMax = 100;

// A name that nobody else has or expects. Short, because some file systems have names of
// 14 bytes.
std::string TemporaryName(Kernel* kernel) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  constexpr int kRandomLetters = 10;
  std::string name = ".rc";
  uint64_t bits = kernel->Random();
  for (int i = 0; i < kRandomLetters; ++i, bits /= kLetters.size()) {
    name += kLetters[bits % kLetters.size()];
  }
  return name;
}

// Makes `name`, which is another file's (`old`, no directory), a hard link to
// `existing_name`: 0 or an errno. Only a name that nobody has shows whether such a link
// can be made, because one that is taken is all that linkat(2) tells of. So it gets a
// temporary one first, in the same directory, and takes the other's place by a rename; if
// either can't be done, the old file keeps its name.
int LinkOver(Kernel* kernel, int existing_directory, const char* existing_name,
             int directory, const char* name, const struct statx& old) {
  std::string temporary;
  int error_number = EEXIST;
  for (int i = 0; i < kTemporaryNamesMax && error_number == EEXIST; ++i) {
    temporary = TemporaryName(kernel);
    error_number = -kernel->Do(
        MakeLink(existing_directory, existing_name, directory, temporary.c_str()));
  }
  if (error_number != 0) return error_number;
  // What somebody else has put there meanwhile is left.
  struct statx named;
  if (kernel->Stat(directory, name, AT_SYMLINK_NOFOLLOW, &named) == 0 &&
      !IsStillTheSame(named, old)) {
    error_number = EEXIST;
  } else {
    error_number = -kernel->Do(Rename(directory, temporary.c_str(), directory, name));
  }
  // Also after a rename that has succeeded: it does nothing if both names are one file's
  // by now.
  kernel->Do(UnlinkAt(directory, temporary.c_str(), 0));
  return error_number;
}

// One node's copy.
class NodeCopy {
 public:
  NodeCopy(const FileCopyPolicy& policy, const FileCopyNames& names,
           const NodeSource& source)
      : kernel_(policy.kernel),
        policy_(policy),
        names_(names),
        source_fd_(source.fd()),
        source_(source.stat()),
        is_link_(S_ISLNK(source_.stx_mode)) {}

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
    switch (source_.stx_mode & S_IFMT) {
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
      const int error_number = ReadLinkText(kernel_, source_fd_, &text_);
      if (error_number == 0) return true;
      return Fail({.operation = Operation::kReadLink, .error_number = error_number});
    }
    mode_ = source_.stx_mode & kAllModeBits;
    if (policy_.preserve.mode) {
      const SourceAccess access = LookAtAccess(kernel_, source_fd_, mode_);
      mode_ = access.mode;
      result_.access_left_out = access.is_more_than_mode;
    }
    const mode_t type = source_.stx_mode & S_IFMT;
    withheld_ = policy_.WithheldMode(type | mode_, inherits_acl());
    // Nobody has to be kept out until the owner is set if it is right from the beginning.
    if (is_owner_right() && !inherits_acl()) withheld_ = 0;
    return true;
  }

  // Whether what is made here has its source's owner without being given it.
  bool is_owner_right() const {
    return names_.target_is_local() && source_.stx_uid == policy_.user &&
           source_.stx_gid == names_.target_group;
  }
  bool inherits_acl() const { return names_.target_default_acl.has_value(); }

  // 0 or an errno.
  int Make() const {
    const mode_t type = source_.stx_mode & S_IFMT;
    return -kernel_->Do(
        is_link_ ? MakeSymlink(text_.c_str(), names_.target_directory, names_.target)
                 : MakeNode(names_.target_directory, names_.target,
                            type | (policy_.NewMode(type | mode_) & ~withheld_),
                            NodeDeviceOf(source_)));
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
    struct statx existing;
    const int32_t result = kernel_->Stat(names_.target_directory, names_.target,
                                         AT_SYMLINK_NOFOLLOW, &existing);
    if (result != 0) {
      return result == -ENOENT || Fail(TargetFailure(Operation::kStat, -result));
    }
    switch (Compare(kernel_, names_, source_, existing)) {
      case Sameness::kSameFile:
        return Fail(RefusedTarget(Refusal::kSameFile));
      case Sameness::kLinkOfSource:
        return Skip();
      case Sameness::kOther:
        break;
    }
    if (S_ISDIR(existing.stx_mode)) {
      return Fail(RefusedTarget(Refusal::kTargetIsDirectory));
    }
    // Something that is no regular file takes the place of another only where no links
    // are followed, or where the other names of what was there must keep it.
    const bool is_replaced =
        !names_.follows_links_here || (policy_.preserve.links && existing.stx_nlink > 1);
    if (!is_replaced && !replaces_any) return Fail(TargetFailure(operation_, EEXIST));
    const int error_number =
        RemoveIfSame(kernel_, names_.target_directory, names_.target, existing);
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
        kernel_->Open(names_.target_directory, names_.target, O_PATH | O_NOFOLLOW);
    if (fd < 0) return Fail(TargetFailure(Operation::kStat, -fd));
    struct statx target;
    if (const int32_t result = kernel_->Stat(fd, &target); result != 0) {
      kernel_->Close(fd);
      return Fail(TargetFailure(Operation::kStat, -result));
    }
    const bool ok = IsAsMade(target) ? SetAttributes(fd, target)
                                     : Fail(RefusedTarget(Refusal::kTargetReplaced));
    kernel_->Close(fd);
    return ok;
  }

  bool SetAttributes(int fd, const struct statx& target) {
    AttributePlan plan;
    plan.Start(policy_, source_,
               {.fd = fd,
                .stat = &target,
                .created = true,
                .kept_mode = mode_,
                .withheld = withheld_,
                .default_acl = names_.target_default_acl});
    SetAttributesAtOnce(&plan, [&](const Op& op) { return SetAttribute(op, target); });
    return !plan.failed() || Fail(plan.failure());
  }

  bool IsAsMade(const struct statx& target) const {
    if ((target.stx_mode & S_IFMT) != (source_.stx_mode & S_IFMT) ||
        target.stx_nlink > 1) {
      return false;
    }
    const bool is_device = S_ISCHR(source_.stx_mode) || S_ISBLK(source_.stx_mode);
    return !is_device || NodeDeviceOf(target) == NodeDeviceOf(source_);
  }

  int32_t SetAttribute(const Op& op, const struct statx& target) const {
    const int32_t result = kernel_->Do(op);
    if (result == 0 || op.kind != OpKind::kSetMode || !S_ISFIFO(target.stx_mode)) {
      return result;
    }
    // An older kernel without /proc. A pipe, unlike a device, may be opened: nobody
    // waits, and nothing is set going.
    const int opened = kernel_->Open(names_.target_directory, names_.target,
                                     O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    if (opened < 0) return result;
    struct statx stat;
    const bool is_it = kernel_->Stat(opened, &stat) == 0 && SameFile(stat, target);
    const bool done = is_it && kernel_->Do(SetMode(opened, op.mode.value)) == 0;
    kernel_->Close(opened);
    return done ? 0 : result;
  }

  Kernel* const kernel_;
  const FileCopyPolicy& policy_;
  const FileCopyNames& names_;
  const int source_fd_;
  const struct statx& source_;
  const bool is_link_;
  Operation operation_ = Operation::kMakeSpecial;
  std::string text_;     // Of a link.
  mode_t mode_ = 0;      // The source's, without an ACL's mask.
  mode_t withheld_ = 0;  // Of the target's, at first.
  NodeResult result_;
};

}  // namespace

NodeSource::~NodeSource() {
  if (fd_ >= 0) kernel_->Close(fd_);
}

int NodeSource::Open(const FileCopyNames& names) {
  RINGCP_CHECK(fd_ < 0);
  const int fd = kernel_->Open(names.source_directory, names.source,
                               O_PATH | (names.follow_source ? 0 : O_NOFOLLOW));
  if (fd < 0) return -fd;
  fd_ = fd;
  return -kernel_->Stat(fd, &stat_);
}

NodeResult CopyNode(const FileCopyPolicy& policy, const FileCopyNames& names,
                    const NodeSource& source) {
  return NodeCopy(policy, names, source).Run();
}

NodeResult MakeHardLink(const FileCopyPolicy& policy, bool follows_links_here,
                        int existing_directory, const char* existing_name, int directory,
                        const char* name) {
  NodeResult result;
  Kernel* const kernel = policy.kernel;
  const auto make = [&] {
    return kernel->Do(MakeLink(existing_directory, existing_name, directory, name));
  };
  const auto end = [&result](NodeOutcome outcome) {
    result.outcome = outcome;
    return result;
  };
  const auto fail = [&](const CopyFailure& failure) {
    result.failure = failure;
    return end(NodeOutcome::kFailed);
  };
  int32_t made = make();
  if (made == 0) return end(NodeOutcome::kCopied);
  if (made == -EEXIST) {
    if (policy.no_clobber) return end(NodeOutcome::kSkipped);
    const int flags = AT_SYMLINK_NOFOLLOW;
    struct statx existing;
    struct statx target;
    if (kernel->Stat(directory, name, flags, &target) == 0) {
      const int known_error =
          -kernel->Stat(existing_directory, existing_name, flags, &existing);
      const bool is_known = known_error == 0;
      // A file system may tell one inode number for all files; then the names are
      // counted.
      if (is_known && SameFile(existing, target) && target.stx_nlink > 1) {
        return end(NodeOutcome::kCopied);  // They are links of each other already.
      }
      if (S_ISDIR(target.stx_mode)) {
        return fail(RefusedTarget(Refusal::kTargetIsDirectory));
      }
      // Then no link can be made either, and what is there stays.
      if (!is_known) return fail(TargetFailure(Operation::kMakeHardLink, known_error));
      const bool is_regular = S_ISREG(existing.stx_mode);
      const bool goes_beforehand =
          LinksOf(kernel, directory, name, target, is_regular) > 1 ||
          (!is_regular && !follows_links_here);
      if (!goes_beforehand) {
        const int error_number =
            LinkOver(kernel, existing_directory, existing_name, directory, name, target);
        if (error_number != 0) {
          return fail(TargetFailure(Operation::kMakeHardLink, error_number));
        }
        result.old_target = OldTarget::kRemovedAfterFailing;
        return end(NodeOutcome::kCopied);
      }
      if (const int error_number = RemoveIfSame(kernel, directory, name, target);
          error_number != 0) {
        return fail(TargetFailure(Operation::kRemove, error_number));
      }
      result.old_target = OldTarget::kRemovedBeforehand;
    }
    made = make();
    if (made == 0) return end(NodeOutcome::kCopied);
  }
  return fail(TargetFailure(Operation::kMakeHardLink, -made));
}

int OpenParentBeneath(Kernel* kernel, int top, const std::string& path) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
  int fd = kernel->Open(top, ".", kFlags);
  size_t start = 0;
  for (size_t slash = path.find('/'); fd >= 0 && slash != std::string::npos;
       slash = path.find('/', start)) {
    const std::string part = path.substr(start, slash - start);
    start = slash + 1;
    if (part.empty()) continue;
    const int below = kernel->Open(fd, part.c_str(), kFlags);
    kernel->Close(fd);
    fd = below;
  }
  return fd;
}

}  // namespace ringcp

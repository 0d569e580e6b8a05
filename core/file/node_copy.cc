#include "core/file/node_copy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/file_identity.h"
#include "core/file/attribute_plan.h"
#include "core/file/old_target.h"
#include "core/file/source_attributes.h"
#include "core/file/target_decision.h"
#include "core/file/target_label.h"
#include "core/file/target_relation.h"
#include "core/kernel/op.h"

namespace ringcp {
namespace {

// Reads the symbolic link `fd`, however long it is. Returns 0 or an errno.
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

// The copy of one symbolic link or node.
class NodeCopy {
 public:
  NodeCopy(const FileCopyPolicy& policy, const FileCopyNames& names,
           const NodeSource& source)
      : kernel_(policy.kernel),
        policy_(policy),
        names_(names),
        source_fd_(source.fd()),
        source_(source.stat()),
        real_source_(source.stat()),
        is_link_(S_ISLNK(source_.stx_mode)) {}
  // A symbolic link to the source's `path`. It has the source's attributes, as far as
  // links have any.
  NodeCopy(const FileCopyPolicy& policy, const FileCopyNames& names,
           const NodeSource& source, const std::string& path)
      : kernel_(policy.kernel),
        policy_(policy),
        names_(names),
        source_fd_(source.fd()),
        source_(AsLink(source.stat())),
        real_source_(source.stat()),
        is_link_(true),
        links_to_source_(true),
        operation_(Operation::kMakeSymlinkTo),
        text_(path) {}

  NodeResult Run() {
    if (Prepare() && MakeInAnyCase() && SetAttributes()) {
      result_.outcome = NodeOutcome::kCopied;
    }
    return result_;
  }

 private:
  static struct statx AsLink(struct statx stat) {
    stat.stx_mode = S_IFLNK | kPermissions;
    return stat;
  }

  // Each of these returns false if the copy ends here; result_ then has its outcome.
  bool Fail(const CopyFailure& failure) {
    result_.outcome = NodeOutcome::kFailed;
    result_.failure = failure;
    return false;
  }
  bool Skip(NodeOutcome outcome) {
    result_.outcome = outcome;
    return false;
  }

  bool Prepare() {
    if (links_to_source_) {
      leads_elsewhere_ = !text_.starts_with('/') && !IsInCurrentDirectory();
      Look({.context = policy_.preserve.context});
      return true;
    }
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
      if (error_number != 0) {
        return Fail({.operation = Operation::kReadLink, .error_number = error_number});
      }
    }
    Look(policy_.preserve);
    if (is_link_) return true;
    mode_ = attributes_.mode_without_acl();
    const mode_t type = source_.stx_mode & S_IFMT;
    withheld_ = policy_.WithheldMode(type | mode_, inherits_acl());
    // If the target has the right owner from the beginning, and no ACL, nobody has to be
    // kept out until the owner is set.
    if (is_owner_right() && !inherits_acl()) withheld_ = 0;
    // The kernel may clear this one, too.
    if (policy_.preserve.ownership) withheld_ |= mode_ & S_ISGID;
    return true;
  }

  void Look(const Preserve& preserve) {
    attributes_.Start(preserve, FileRef::Descriptor(source_fd_), source_.stx_mode);
    LookBy(&attributes_, [this](const Op& op) { return kernel_->Do(op); });
  }

  bool IsInCurrentDirectory() const {
    struct statx here;
    struct statx there;
    return kernel_->Stat(AT_FDCWD, ".", 0, &here) != 0 ||
           kernel_->Stat(names_.target_directory, ".", 0, &there) != 0 ||
           SameFile(here, there);
  }

  // Whether the target has its source's owner as soon as it is made.
  bool is_owner_right() const {
    return names_.target_file_system->gives_files_to_their_maker() &&
           source_.stx_uid == policy_.user && source_.stx_gid == names_.target_group;
  }
  bool inherits_acl() const { return names_.target_default_acl.has_value(); }

  // Returns 0 or an errno; nothing if it was not tried for want of the target's label.
  std::optional<int> Make() {
    // As in GNU cp a link to the source gets the label for a file of the source's type.
    const TargetLabel label(policy_, names_, &attributes_);
    const std::optional<int32_t> made =
        label.Make(kernel_, real_source_.stx_mode, MakingOp(), &label_failure_);
    if (!made.has_value()) return std::nullopt;
    return -*made;
  }

  Op MakingOp() const {
    if (is_link_) {
      return MakeSymlink(text_.c_str(), names_.target_directory, names_.target);
    }
    const mode_t type = source_.stx_mode & S_IFMT;
    const mode_t permissions = policy_.NewMode(type | mode_) & ~withheld_;
    // GNU cp keeps these bits of what is no regular file whatever --preserve says, except
    // the one that the kernel clears when the owner is set (chown(2)).
    mode_t special = mode_ & kSpecialBits & ~withheld_;
    if (policy_.preserve.ownership) special &= ~S_ISUID;
    return MakeNode(names_.target_directory, names_.target, type | special | permissions,
                    NodeDeviceOf(source_));
  }

  bool MakeInAnyCase() {
    std::optional<int> error_number = leads_elsewhere_ ? EEXIST : Make();
    if (error_number == EEXIST) {
      if (!ClearTarget()) return false;
      error_number = Make();
    }
    if (!error_number.has_value()) return Fail(*label_failure_);
    result_.is_made = error_number == 0;
    if (label_failure_.has_value()) result_.xattr_failures.push_back(*label_failure_);
    return result_.is_made || Fail(TargetFailure(operation_, *error_number));
  }

  // Removes the old target, if GNU cp's rules permit that. A link that leads elsewhere
  // ends here, and touches nothing.
  bool ClearTarget() {
    TargetQuestion question = QuestionAbout(links_to_source_ ? CopyKind::kLinkToSource
                                            : is_link_       ? CopyKind::kLink
                                                             : CopyKind::kNode,
                                            policy_, names_);
    if (links_to_source_ && S_ISREG(real_source_.stx_mode)) {
      question.conditions.Add(Condition::kSourceIsRegular);
    }
    if (!leads_elsewhere_) question.NoteThatItExists();
    struct statx existing = {};
    int error_number = EEXIST;
    const TargetDecision decision = DecideTargetByLooking(question, [&](Fact fact) {
      if (fact == Fact::kRelation) {
        question.relation = RelationOfNode(kernel_, names_, real_source_, existing);
        return;
      }
      const int32_t result = kernel_->Stat(names_.target_directory, names_.target,
                                           question.look_flags(), &existing);
      if (result != 0) error_number = -result;
      question.NoteLook(result, existing);
      question.NoteAge(result, existing, source_);
    });
    const bool would_make = decision.fate == Fate::kCreate ||
                            decision.fate == Fate::kReplace ||
                            decision.fate == Fate::kFailToMake;
    if (leads_elsewhere_ && would_make) {
      return Fail(RefusedTarget(Refusal::kLinkElsewhere));
    }
    switch (decision.fate) {
      case Fate::kCreate:  // The old target is gone by now.
        return true;
      case Fate::kSkip:
        return Skip(NodeOutcome::kSkipped);
      case Fate::kAsk:
        result_.target_mode = existing.stx_mode;
        return Skip(NodeOutcome::kAsks);
      case Fate::kKeepNewer:
        return Skip(NodeOutcome::kKeptNewer);
      case Fate::kReplace:
        break;
      default:
        return Fail(FailureOf(decision, operation_, error_number));
    }
    MadeWay made = MakeWay(policy_, names_, existing, decision.old_target);
    if (made.failure.has_value()) return Fail(*made.failure);
    result_.old_target = made.old_target;
    result_.backup = std::move(made.backup);
    return true;
  }

  // Most symbolic links have the right owner already, and none has a mode of its own.
  bool has_attributes_to_set() const {
    if (policy_.preserve.timestamps || attributes_.any()) return true;
    if (links_to_source_) return false;
    if (is_link_) return policy_.preserve.ownership && !is_owner_right();
    return policy_.preserve.ownership || policy_.preserve.mode;
  }

  // Sets the attributes by descriptor, because the name may lead to another file by now,
  // which root would give away. No call tells which file was made. But a file that
  // somebody has put in its place is accepted only if it is of the same type (and the
  // same device), and has no other name.
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
    struct statx source = source_;
    // As in GNU cp a link to the source belongs to who makes it.
    if (links_to_source_) {
      source.stx_uid = target.stx_uid;
      source.stx_gid = target.stx_gid;
    }
    AttributePlan plan;
    plan.Start(policy_, source,
               {.file = FileRef::Descriptor(fd),
                .stat = &target,
                .created = true,
                .kept_mode = mode_,
                .withheld = withheld_,
                .default_acl = names_.target_default_acl,
                .source = FileRef::Descriptor(source_fd_),
                .attributes = &attributes_});
    SetAttributesBy(&plan, [&](const Op& op) { return SetAttribute(op, target); });
    result_.xattr_failures.insert(result_.xattr_failures.end(),
                                  plan.xattr_failures().begin(),
                                  plan.xattr_failures().end());
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
    // An older kernel can't set the mode by an O_PATH descriptor without /proc. So a pipe
    // is opened: unlike opening a device, that does not wait and starts nothing.
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
  const struct statx source_;  // As it is copied: to be linked to, as if it were a link.
  const struct statx& real_source_;
  const bool is_link_;  // The target is a symbolic link.
  const bool links_to_source_ = false;
  bool leads_elsewhere_ = false;  // The link would, being relative.
  Operation operation_ = Operation::kMakeSpecial;
  std::string text_;  // A symbolic link's.
  SourceAttributes attributes_;
  std::optional<CopyFailure> label_failure_;
  mode_t mode_ = 0;      // The source's, without an ACL's mask.
  mode_t withheld_ = 0;  // Permissions that the target is created without.
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

NodeResult MakeLinkToSource(const FileCopyPolicy& policy, const FileCopyNames& names,
                            const NodeSource& source, const std::string& path) {
  return NodeCopy(policy, names, source, path).Run();
}

NodeResult CopyNode(const FileCopyPolicy& policy, const FileCopyNames& names,
                    const NodeSource& source) {
  return NodeCopy(policy, names, source).Run();
}

}  // namespace ringcp

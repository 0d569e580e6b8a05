#include "core/file/hard_link.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/base/file_age.h"
#include "core/file/old_target.h"
#include "core/file/target_relation.h"
#include "core/kernel/op.h"

namespace ringcp {
namespace {

// How many temporary names are tried. They are random, so even one that is taken means an
// accident or an attack.
constexpr int kTemporaryNamesMax = 100;

// A name that nobody else uses or can guess. It is short, because some file systems
// permit names of 14 bytes only.
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

// Makes one further name.
class HardLink {
 public:
  HardLink(const FileCopyPolicy& policy, const FileCopyNames& names,
           const CopiedFile& copied)
      : policy_(policy),
        kernel_(policy.kernel),
        names_(names),
        copied_(copied),
        follows_(names.follows_links_here) {
    question_ = QuestionAbout(copied.kind == CopyKind::kContents ? CopyKind::kNameOfFile
                                                                 : CopyKind::kNameOfNode,
                              policy, names);
  }
  // A hard link to the source itself: it counts as its own copy.
  HardLink(const FileCopyPolicy& policy, const FileCopyNames& names,
           const struct statx& source)
      : policy_(policy),
        kernel_(policy.kernel),
        names_(names),
        copied_({.source = IdentityOf(source),
                 .kind = S_ISLNK(source.stx_mode) ? CopyKind::kLink : CopyKind::kNode,
                 .directory = names.source_directory,
                 .name = names.source}),
        follows_(names.follow_source),
        source_(&source) {
    question_ = QuestionAbout(CopyKind::kHardLink, policy, names);
    if (S_ISREG(source.stx_mode)) {
      question_.conditions.Add(Condition::kSourceIsRegular);
    }
  }

  NodeResult Make() {
    const int error_number = Link(names_.target);
    if (error_number != EEXIST) return End(error_number);
    question_.NoteThatItExists();
    return CarryOut(DecideTargetByLooking(question_, [this](Fact fact) {
      fact == Fact::kRelation ? LookAtRelation() : LookAtTarget();
    }));
  }

 private:
  // Makes `name` a hard link to the copy. Returns 0 or an errno.
  int Link(const char* name) const {
    return -kernel_->Do(MakeLink(copied_.directory, copied_.name, names_.target_directory,
                                 name, follows_ ? AT_SYMLINK_FOLLOW : 0));
  }

  NodeResult End(NodeOutcome outcome) {
    result_.outcome = outcome;
    return result_;
  }
  NodeResult Fail(const CopyFailure& failure) {
    result_.failure = failure;
    return End(NodeOutcome::kFailed);
  }
  // Ends with the result of making the hard link: 0 or an errno.
  NodeResult End(int error_number) {
    return error_number == 0
               ? End(was_newer_ ? NodeOutcome::kKeptNewer : NodeOutcome::kCopied)
               : Fail(TargetFailure(Operation::kMakeHardLink, error_number));
  }

  void LookAtTarget() {
    int32_t result = kernel_->Stat(names_.target_directory, names_.target,
                                   AT_SYMLINK_NOFOLLOW, &target_);
    looked_at_ = target_;
    const bool is_link = result == 0 && S_ISLNK(target_.stx_mode);
    if (is_link && question_.looks_through_links()) {
      result = kernel_->Stat(names_.target_directory, names_.target, 0, &looked_at_);
    }
    if (result != 0) target_error_ = -result;
    question_.NoteLook(result, looked_at_);
    if (source_ != nullptr) {
      question_.NoteAge(result, looked_at_, *source_);
    } else if (policy_.update == Update::kOlder && result == 0) {
      struct statx source;
      was_newer_ =
          kernel_->Stat(names_.source_directory, names_.source,
                        names_.follow_source ? 0 : AT_SYMLINK_NOFOLLOW, &source) == 0 &&
          !IsOlder(looked_at_, source, policy_.preserve.timestamps, question_.time_unit);
    }
    if (result == -ENOENT && !is_link) question_.there = There::kNothing;
  }

  void LookAtRelation() {
    struct statx copy;
    copy_error_ = -kernel_->Stat(copied_.directory, copied_.name,
                                 follows_ ? 0 : AT_SYMLINK_NOFOLLOW, &copy);
    // Some file systems give all files the same inode number. So the target is a hard
    // link to the copy only if it also has several names.
    if (copy_error_ == 0 && SameFile(copy, target_) && target_.stx_nlink > 1) {
      question_.relation = Relation::kNameOfCopy;
      return;
    }
    if (source_ != nullptr) {
      // GNU cp takes any name that leads to the target for a hard link to it.
      const Relation relation = RelationOfNode(kernel_, names_, *source_, target_);
      const bool is_it =
          relation == Relation::kSameEntry || relation == Relation::kBehindSource;
      question_.relation = is_it ? Relation::kNameOfCopy : Relation::kOtherFile;
      return;
    }
    struct statx source = {};
    source.stx_dev_major = copied_.source.device_major;
    source.stx_dev_minor = copied_.source.device_minor;
    source.stx_ino = copied_.source.inode;
    source.stx_mode = copied_.kind == CopyKind::kLink ? S_IFLNK : 0;
    if (question_.looks_through_links()) {
      question_.relation = RelationOf(source, looked_at_);
    } else if (question_.kind == CopyKind::kNameOfFile) {
      question_.relation = RelationOfContents(kernel_, names_, source, target_);
    } else {
      question_.relation = RelationOfNode(kernel_, names_, source, target_);
    }
  }

  NodeResult CarryOut(const TargetDecision& decision) {
    switch (decision.fate) {
      case Fate::kCreate:  // The old target is gone by now.
        return End(Link(names_.target));
      case Fate::kUse:  // Nothing is told of what was so already, as with GNU cp.
        return End(source_ != nullptr || was_newer_ ? NodeOutcome::kKeptNewer
                                                    : NodeOutcome::kCopied);
      case Fate::kKeepNewer:
        return End(NodeOutcome::kKeptNewer);
      case Fate::kSkip:
        return End(NodeOutcome::kSkipped);
      case Fate::kAsk:
        result_.target_mode = looked_at_.stx_mode;
        return End(NodeOutcome::kAsks);
      case Fate::kReplace:
      case Fate::kLinkOver:
        // If even a look at the copy has failed, it can't be linked to. The old target
        // stays.
        if (copy_error_ != 0) return End(copy_error_);
        return decision.fate == Fate::kReplace ? Replace(decision.old_target)
                                               : LinkOver(decision.old_target);
      default:
        return Fail(FailureOf(decision, Operation::kMakeHardLink, target_error_));
    }
  }

  NodeResult Replace(OldTarget old_target) {
    MadeWay made = MakeWay(policy_, names_, target_, old_target);
    if (made.failure.has_value()) return Fail(*made.failure);
    result_.old_target = made.old_target;
    result_.backup = std::move(made.backup);
    return End(Link(names_.target));
  }

  // While the name is taken, linkat(2) says only EEXIST, and not whether the hard link
  // could be made. So the hard link first gets a temporary name in the same directory,
  // and then replaces the old target by a rename. If one of the two fails, the old target
  // keeps its name.
  NodeResult LinkOver(OldTarget old_target) {
    std::string temporary;
    int error_number = EEXIST;
    for (int i = 0; i < kTemporaryNamesMax && error_number == EEXIST; ++i) {
      temporary = TemporaryName(kernel_);
      error_number = Link(temporary.c_str());
    }
    if (error_number != 0) return End(error_number);
    // If somebody else has put another file there meanwhile, that file stays.
    const int directory = names_.target_directory;
    struct statx named;
    if (kernel_->Stat(directory, names_.target, AT_SYMLINK_NOFOLLOW, &named) == 0 &&
        !IsStillTheSame(named, target_)) {
      error_number = EEXIST;
    } else {
      error_number =
          -kernel_->Do(Rename(directory, temporary.c_str(), directory, names_.target));
    }
    // This is needed even after a successful rename, which does nothing if both names
    // already are hard links to the same file.
    const int32_t removed = kernel_->Do(UnlinkAt(directory, temporary.c_str(), 0));
    if (removed != 0 && removed != -ENOENT) {
      result_.left_behind = temporary;
      result_.left_behind_error = -removed;
    }
    if (error_number == 0) result_.old_target = old_target;
    return End(error_number);
  }

  const FileCopyPolicy& policy_;
  Kernel* const kernel_;
  const FileCopyNames& names_;
  const CopiedFile copied_;
  const bool follows_;  // Whether copied_.name may be a symbolic link to the file.
  const struct statx* const source_ = nullptr;  // Only with -l.
  TargetQuestion question_;
  int target_error_ = EEXIST;    // Why making or looking at the target failed.
  struct statx target_ = {};     // The old target's stat, not following symbolic links.
  struct statx looked_at_ = {};  // The stat that decides; it may follow them.
  // With -u: the old target is not older than the source. As in GNU cp a further name
  // replaces it all the same, but that is not told as a copy.
  bool was_newer_ = false;
  int copy_error_ = 0;  // Why the copy could not be looked at.
  NodeResult result_;
};

constexpr int kStepFlags = O_PATH | O_DIRECTORY;

// Opens the directory `name` in `directory`. Returns a descriptor, or -errno.
int OpenStep(const FileCopyPolicy& policy, Kernel* kernel, int directory,
             const char* name) {
  const int no_follow = policy.keep_directory_symlink ? 0 : O_NOFOLLOW;
  int fd = kernel->Open(directory, name, kStepFlags | no_follow);
  if ((fd != -ENOTDIR && fd != -ELOOP) || policy.known_parents == nullptr) return fd;
  // It may be a symbolic link. Somebody may have put it there since, and where it leads
  // to only the directory tells.
  fd = kernel->Open(directory, name, kStepFlags);
  if (fd < 0) return fd;
  struct statx stat;
  if (kernel->Stat(fd, &stat) == 0 && policy.known_parents->Contains(stat)) return fd;
  kernel->Close(fd);
  return -ELOOP;
}

}  // namespace

NodeResult MakeHardLink(const FileCopyPolicy& policy, const FileCopyNames& names,
                        const CopiedFile& copied) {
  return HardLink(policy, names, copied).Make();
}

NodeResult MakeHardLinkToSource(const FileCopyPolicy& policy, const FileCopyNames& names,
                                const NodeSource& source) {
  return HardLink(policy, names, source.stat()).Make();
}

int OpenParentBeneath(const FileCopyPolicy& policy, Kernel* kernel, int top,
                      const std::string& path) {
  int fd = kernel->Open(top, ".", kStepFlags | O_NOFOLLOW);
  size_t start = 0;
  for (size_t slash = path.find('/'); fd >= 0 && slash != std::string::npos;
       slash = path.find('/', start)) {
    const std::string part = path.substr(start, slash - start);
    start = slash + 1;
    if (part.empty()) continue;
    const int below = OpenStep(policy, kernel, fd, part.c_str());
    kernel->Close(fd);
    fd = below;
  }
  return fd;
}

}  // namespace ringcp

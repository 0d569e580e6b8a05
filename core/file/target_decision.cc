#include "core/file/target_decision.h"

#include <cerrno>

#include "core/base/check.h"
#include "core/base/enum_set.h"
#include "core/base/file_age.h"
#include "core/base/file_error.h"
#include "core/base/file_identity.h"
#include "core/kernel/standard_streams.h"

namespace ringcp {
namespace {

using Kinds = EnumSet<CopyKind>;
using Conditions = EnumSet<Condition>;
using Theres = EnumSet<There>;
using Relations = EnumSet<Relation>;
using Openings = EnumSet<Opening>;

// A rule. It holds if every fact that it names is so; all other facts don't matter.
struct Row {
  Kinds kinds = Kinds::All();
  Conditions with = {};
  Conditions without = {};
  Theres there = Theres::All();
  EnumSet<Names> names = EnumSet<Names>::All();
  EnumSet<Age> age = EnumSet<Age>::All();
  Relations relation = Relations::All();
  Openings opening = Openings::All();

  Fate fate = Fate::kLook;
  OldTarget old_target = OldTarget::kKept;
  Refusal refusal = Refusal::kNone;
};

constexpr Kinds kContents = {CopyKind::kContents, CopyKind::kStream};
constexpr Kinds kThroughLinks = {CopyKind::kContents, CopyKind::kStream,
                                 CopyKind::kNameOfFile};
constexpr Kinds kLinkOrNode = {CopyKind::kLink, CopyKind::kNode};
constexpr Kinds kByName = {CopyKind::kLink, CopyKind::kNode, CopyKind::kNameOfNode};
constexpr Kinds kLinkTo = {CopyKind::kHardLink, CopyKind::kLinkToSource};
// A further name is as old as the copy, and follows it.
constexpr Kinds kWithTime = {CopyKind::kContents, CopyKind::kStream,
                             CopyKind::kLink,     CopyKind::kNode,
                             CopyKind::kHardLink, CopyKind::kLinkToSource};
constexpr Kinds kFurtherName = {CopyKind::kNameOfFile, CopyKind::kNameOfNode};
constexpr Relations kSame = {Relation::kSameEntry, Relation::kOtherName,
                             Relation::kLeadsToSource, Relation::kBehindSource};
constexpr Theres kNowhere = {There::kNothing, There::kDangling, There::kLoop,
                             There::kUnknown};

constexpr Row kRows[] = {
    // If something is in the way in a directory that this job made, the job put it there,
    // and the file system takes two names for one. To replace it would lose it; only a
    // symbolic link with -f replaces it, as in GNU cp.
    {.kinds = {CopyKind::kContents, CopyKind::kStream, CopyKind::kNode,
               CopyKind::kHardLink, CopyKind::kLinkToSource, CopyKind::kDirectory},
     .with = Condition::kInNewDirectory,
     .fate = Fate::kFailToMake},
    {.kinds = CopyKind::kLink,
     .with = Condition::kInNewDirectory,
     .without = Condition::kForce,
     .fate = Fate::kFailToMake},

    {.there = There::kNothing, .fate = Fate::kCreate},

    // A directory above what is copied may be there, by whatever way, and may even be the
    // source's. GNU cp tries to make one in place of a symbolic link to nowhere.
    {.kinds = CopyKind::kParent, .there = There::kDirectory, .fate = Fate::kUse},
    {.kinds = CopyKind::kParent, .there = There::kUnknown, .fate = Fate::kFailToLook},
    {.kinds = CopyKind::kParent,
     .there = {There::kDangling, There::kLoop},
     .fate = Fate::kFailToMake},
    {.kinds = CopyKind::kParent,
     .fate = Fate::kRefuse,
     .refusal = Refusal::kParentIsNotDirectory},

    // Somebody has put a new target there since the copy removed the old one.
    {.with = {Condition::kBackup, Condition::kRemoved}, .fate = Fate::kFailToMake},
    {.with = {Condition::kRemoveDestination, Condition::kRemoved},
     .fate = Fate::kFailToMake},

    // If the target is a symbolic link to the source directory, GNU cp says that they are
    // the same file; here the target is no directory.
    {.kinds = CopyKind::kDirectory, .there = There::kUnknown, .fate = Fate::kFailToLook},
    {.kinds = CopyKind::kDirectory,
     .there = Theres::AllBut(There::kDirectory),
     .fate = Fate::kRefuse,
     .refusal = Refusal::kTargetIsNotDirectory},
    {.kinds = CopyKind::kDirectory,
     .relation = kSame,
     .fate = Fate::kRefuse,
     .refusal = Refusal::kSameFile},
    {.kinds = CopyKind::kDirectory, .fate = Fate::kUse},

    // The target is a symbolic link to nowhere or to itself. GNU cp takes a link to
    // nowhere for a target that does not exist.
    {.kinds = kContents,
     .with = Condition::kWritesThroughDanglingLinks,
     .there = There::kDangling,
     .fate = Fate::kMakePointee},
    {.kinds = kContents,
     .there = There::kDangling,
     .fate = Fate::kRefuse,
     .refusal = Refusal::kTargetDangling},
    {.kinds = kContents,
     .with = Condition::kForce,
     .without = Condition::kRemoved,
     .there = There::kLoop,
     .fate = Fate::kReplace,
     .old_target = OldTarget::kRemovedAfterFailing},
    {.kinds = CopyKind::kNameOfFile,
     .there = There::kDangling,
     .fate = Fate::kLinkOver,
     .old_target = OldTarget::kRemovedAfterFailing},
    {.kinds = CopyKind::kNameOfFile,
     .with = Condition::kForce,
     .there = There::kLoop,
     .fate = Fate::kLinkOver,
     .old_target = OldTarget::kRemovedAfterFailing},
    {.kinds = kThroughLinks, .there = kNowhere, .fate = Fate::kFailToLook},

    {.with = {Condition::kKeepExisting, Condition::kMustReplace},
     .fate = Fate::kRefuse,
     .refusal = Refusal::kTargetKept},
    {.with = Condition::kKeepExisting, .fate = Fate::kSkip},
    {.there = There::kUnknown, .fate = Fate::kFailToLook},

    // To replace the source, or the file that it leads to, would lose that file. If both
    // are hard links to one symbolic link, there is nothing to do.
    {.kinds = kFurtherName,
     .without = Condition::kBackup,
     .relation = Relation::kNameOfCopy,
     .fate = Fate::kUse},
    {.kinds = CopyKind::kHardLink, .relation = Relation::kNameOfCopy, .fate = Fate::kUse},
    {.kinds = kByName,
     .without = Condition::kBackup,
     .there = There::kLink,
     .relation = Relation::kOtherName,
     .fate = Fate::kSkip},
    // What is related to the source is refused below rather than kept, unless it may be
    // removed.
    {.kinds = kWithTime,
     .with = Condition::kOnlyOlder,
     .age = Age::kNotOlder,
     .relation = Relation::kOtherFile,
     .fate = Fate::kKeepNewer},
    {.kinds = kWithTime,
     .with = {Condition::kOnlyOlder, Condition::kRemoveDestination},
     .age = Age::kNotOlder,
     .relation = {Relation::kOtherName, Relation::kLeadsToSource},
     .fate = Fate::kKeepNewer},
    {.kinds = kWithTime,
     .with = {Condition::kOnlyOlder, Condition::kBackup},
     .age = Age::kNotOlder,
     .relation = {Relation::kOtherName, Relation::kLeadsToSource},
     .fate = Fate::kKeepNewer},
    // A symbolic link that leads to the source is what -s makes.
    {.kinds = CopyKind::kLinkToSource,
     .with = Condition::kOnlyOlder,
     .there = There::kLink,
     .age = Age::kNotOlder,
     .relation = {Relation::kOtherName, Relation::kLeadsToSource,
                  Relation::kBehindSource},
     .fate = Fate::kKeepNewer},
    // Another hard link to the source may be removed, and so may a symbolic link to it.
    {.with = Condition::kBackup,
     .without = Condition::kInNewDirectory,
     .there = Theres::AllBut(There::kDirectory),
     .relation = {Relation::kOtherFile, Relation::kOtherName, Relation::kLeadsToSource,
                  Relation::kNameOfCopy},
     .fate = Fate::kReplace,
     .old_target = OldTarget::kBackedUp},
    // The file that it leads to stays, as a backup.
    {.kinds = {CopyKind::kLink, CopyKind::kLinkToSource},
     .with = Condition::kBackup,
     .without = Condition::kFollowsLinks,
     .relation = Relation::kBehindSource,
     .fate = Fate::kReplace,
     .old_target = OldTarget::kBackedUp},
    {.with = Condition::kRemoveDestination,
     .without = Condition::kInNewDirectory,
     .there = Theres::AllBut(There::kDirectory),
     .relation = {Relation::kOtherFile, Relation::kOtherName, Relation::kLeadsToSource},
     .fate = Fate::kReplace,
     .old_target = OldTarget::kRemovedBeforehand},
    // So may each symbolic link by another one, unless that is the source.
    {.kinds = Kinds::AllBut(CopyKind::kLinkToSource),
     .relation = kSame,
     .fate = Fate::kRefuse,
     .refusal = Refusal::kSameFile},
    {.kinds = CopyKind::kLinkToSource,
     .there = Theres::AllBut(There::kLink),
     .relation = kSame,
     .fate = Fate::kRefuse,
     .refusal = Refusal::kSameFile},
    {.kinds = CopyKind::kLinkToSource,
     .relation = Relation::kSameEntry,
     .fate = Fate::kRefuse,
     .refusal = Refusal::kSameFile},

    {.there = There::kDirectory,
     .fate = Fate::kRefuse,
     .refusal = Refusal::kTargetIsDirectory},
    {.kinds = CopyKind::kStream,
     .there = There::kClosedStream,
     .fate = Fate::kRefuse,
     .refusal = Refusal::kTargetDangling},

    // GNU cp renames the symbolic link over a target that it has not looked at, and does
    // not report a removal.
    {.kinds = CopyKind::kLink,
     .with = Condition::kInNewDirectory,
     .fate = Fate::kReplace},
    // The old target stays under its other names.
    {.with = Condition::kKeepLinks,
     .without = {Condition::kRemoved, Condition::kAttributesOnly},
     .names = Names::kSeveral,
     .opening = Opening::kNotTried,
     .fate = Fate::kReplace,
     .old_target = OldTarget::kRemovedBeforehand},
    // What is no regular file replaces an old target only if no symbolic links are
    // followed.
    {.kinds = kByName,
     .without = {Condition::kFollowsLinks, Condition::kAttributesOnly},
     .fate = Fate::kReplace,
     .old_target = OldTarget::kRemovedBeforehand},
    {.kinds = kLinkTo,
     .without = {Condition::kFollowsLinks, Condition::kSourceIsRegular,
                 Condition::kAttributesOnly},
     .fate = Fate::kReplace,
     .old_target = OldTarget::kRemovedBeforehand},
    {.kinds = kFurtherName,
     .fate = Fate::kLinkOver,
     .old_target = OldTarget::kRemovedAfterFailing},
    {.kinds = CopyKind::kHardLink, .with = Condition::kForce, .fate = Fate::kLinkOver},
    {.kinds = {CopyKind::kLink, CopyKind::kLinkToSource},
     .with = Condition::kForce,
     .fate = Fate::kReplace},
    {.kinds = kLinkOrNode, .fate = Fate::kFailToMake},
    {.kinds = kLinkTo, .fate = Fate::kFailToMake},

    // The rows from here on are about contents. No socket can be opened.
    {.kinds = CopyKind::kContents,
     .with = Condition::kForce,
     .without = Condition::kRemoved,
     .there = There::kSocket,
     .fate = Fate::kReplace,
     .old_target = OldTarget::kRemovedAfterFailing},
    {.kinds = CopyKind::kContents,
     .there = Theres::AllBut(There::kRegular),
     .fate = Fate::kAsStream},
    {.with = Condition::kForce,
     .without = Condition::kRemoved,
     .opening = Opening::kRefused,
     .fate = Fate::kReplace,
     .old_target = OldTarget::kRemovedAfterFailing},
    {.opening = {Opening::kRefused, Opening::kFailed}, .fate = Fate::kFailToMake},
    {.fate = Fate::kOverwrite},
};

// Whether a row holds, as far as the facts are known.
struct Match {
  bool is_possible = true;
  Fact open = Fact::kNone;  // The first fact that leaves open whether it holds.

  template <typename Value>
  void Try(Fact fact, EnumSet<Value> wanted, EnumSet<Value> possible) {
    if (!wanted.Meets(possible)) is_possible = false;
    if (!wanted.Contains(possible) && open == Fact::kNone) open = fact;
  }
};

Match TryRow(const Row& row, const TargetQuestion& question) {
  Match match;
  match.is_possible =
      row.kinds.Contains(question.kind) && question.conditions.Contains(row.with) &&
      !question.conditions.Meets(row.without) && row.opening.Contains(question.opening);
  match.Try(Fact::kThere, row.there, question.there);
  match.Try(Fact::kNames, row.names, question.names);
  match.Try(Fact::kAge, row.age, question.age);
  match.Try(Fact::kRelation, row.relation, question.relation);
  return match;
}

There TypeOf(const struct statx& stat) {
  switch (stat.stx_mode & S_IFMT) {
    case S_IFREG:
      return There::kRegular;
    case S_IFDIR:
      return There::kDirectory;
    case S_IFLNK:
      return There::kLink;
    case S_IFSOCK:
      return There::kSocket;
    default:
      return There::kSpecial;
  }
}

There ThereByName(int32_t result, const struct statx& stat) {
  if (result == 0) return TypeOf(stat);
  return result == -ENOENT ? There::kNothing : There::kUnknown;
}

There ThereThroughLinks(int32_t result, const struct statx& stat) {
  switch (result) {
    case 0:
      return IsClosedStream(stat) ? There::kClosedStream : TypeOf(stat);
    case -ENOENT:
      return There::kDangling;
    case -ELOOP:
      return There::kLoop;
    default:
      return There::kUnknown;
  }
}

}  // namespace

bool TargetQuestion::looks_through_links() const {
  return kThroughLinks.Contains(kind) &&
         !conditions.Meets({Condition::kRemoveDestination, Condition::kBackup});
}

void TargetQuestion::NoteFailedOpening(int error_number) {
  opening = RemovingMayHelp(error_number) ? Opening::kRefused : Opening::kFailed;
}

void TargetQuestion::NoteLook(int32_t result, const struct statx& stat) {
  there =
      looks_through_links() ? ThereThroughLinks(result, stat) : ThereByName(result, stat);
  names = result == 0 && stat.stx_nlink > 1 ? Names::kSeveral : Names::kOne;
}

void TargetQuestion::NoteLook(int32_t result, const struct statx& stat,
                              const struct statx& source) {
  NoteLook(result, stat);
  NoteAge(result, stat, source);
  relation = looks_through_links() ? RelationOf(source, stat) : Relations::All();
}

void TargetQuestion::NoteAge(int32_t result, const struct statx& stat,
                             const struct statx& source) {
  age = result == 0 &&
                !IsOlder(stat, source, conditions.Meets(Condition::kKeepTimes), time_unit)
            ? Age::kNotOlder
            : Age::kOlder;
}

TargetDecision DecideTarget(const TargetQuestion& question) {
  TargetDecision decision;
  for (const Row& row : kRows) {
    const Match match = TryRow(row, question);
    if (!match.is_possible) continue;
    if (match.open != Fact::kNone) {
      decision.look = match.open;
    } else {
      decision = {.fate = row.fate, .old_target = row.old_target, .refusal = row.refusal};
    }
    return decision;
  }
  RINGCP_CHECK(false);  // The last row holds for every question.
  return decision;
}

TargetDecision DecideOpenTarget(CopyKind kind, const struct statx& source,
                                const struct statx& target) {
  TargetQuestion question = {.kind = kind};
  question.opening = Opening::kOpen;
  question.NoteLook(/*result=*/0, target, source);
  return DecideTarget(question);
}

CopyFailure FailureOf(const TargetDecision& decision, Operation make, int error_number) {
  if (decision.fate == Fate::kRefuse) return RefusedTarget(decision.refusal);
  return TargetFailure(decision.fate == Fate::kFailToLook ? Operation::kStat : make,
                       error_number);
}

EnumSet<Relation> RelationOf(const struct statx& source, const struct statx& target) {
  return SameFile(source, target) ? kSame : Relations(Relation::kOtherFile);
}

}  // namespace ringcp

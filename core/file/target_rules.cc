#include "core/file/target_rules.h"

namespace ringcp {
namespace {

using Kinds = EnumSet<CopyKind>;
using Theres = EnumSet<There>;
using Relations = EnumSet<Relation>;

constexpr Kinds kContents = {CopyKind::kContents, CopyKind::kStream};
constexpr Kinds kLinkOrNode = {CopyKind::kLink, CopyKind::kNode};
constexpr Kinds kByName = {CopyKind::kLink, CopyKind::kNode, CopyKind::kNameOfNode};
constexpr Kinds kLinkByName = {CopyKind::kLink, CopyKind::kNode, CopyKind::kNameOfNode,
                               CopyKind::kLinkToSource};
constexpr Kinds kLinkTo = {CopyKind::kHardLink, CopyKind::kLinkToSource};
// A further name is as old as the copy, and follows it.
constexpr Kinds kWithTime = {CopyKind::kContents, CopyKind::kStream,
                             CopyKind::kLink,     CopyKind::kNode,
                             CopyKind::kHardLink, CopyKind::kLinkToSource};
constexpr Kinds kFurtherName = {CopyKind::kNameOfFile, CopyKind::kNameOfNode};
constexpr Theres kNowhere = {There::kNothing, There::kDangling, There::kLoop,
                             There::kUnknown};

constexpr Theres kAskedAbout = {There::kRegular, There::kDirectory, There::kLink,
                                There::kSocket,  There::kSpecial,   There::kClosedStream};

constexpr TargetRule kRules[] = {
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
     .with = Condition::kBackup,
     .there = Theres::AllBut(There::kDirectory),
     .fate = Fate::kReplace,
     .old_target = OldTarget::kBackedUp},
    {.kinds = CopyKind::kDirectory,
     .there = Theres::AllBut(There::kDirectory),
     .fate = Fate::kRefuse,
     .refusal = Refusal::kTargetIsNotDirectory},
    // A directory that is its own target has in it all that it would get.
    {.kinds = CopyKind::kDirectory,
     .with = Condition::kKeepExisting,
     .without = Condition::kMustReplace,
     .relation = kSameFile,
     .fate = Fate::kSkip},
    {.kinds = CopyKind::kDirectory,
     .with = Condition::kMakesHardLinks,
     .relation = kSameFile,
     .fate = Fate::kSkip},
    {.kinds = CopyKind::kDirectory,
     .relation = kSameFile,
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
    {.kinds = CopyKind::kHardLink,
     .with = Condition::kAsks,
     .without = Condition::kOnlyOlder,
     .relation = Relation::kNameOfCopy,
     .fate = Fate::kAsk},
    {.kinds = CopyKind::kHardLink, .relation = Relation::kNameOfCopy, .fate = Fate::kUse},
    {.kinds = kLinkByName,
     .with = Condition::kAsks,
     .without = {Condition::kBackup, Condition::kOnlyOlder},
     .there = There::kLink,
     .relation = Relation::kOtherName,
     .fate = Fate::kAsk},
    {.kinds = kLinkByName,
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
    // The user is asked only about what may be replaced by the rows below. Nobody else
    // has put anything into a directory that this job made.
    {.kinds = Kinds::AllBut(CopyKind::kDirectory),
     .with = Condition::kAsks,
     .without = {Condition::kInNewDirectory, Condition::kRemoved},
     .there = kAskedAbout,
     .relation = {Relation::kOtherFile, Relation::kNameOfCopy},
     .fate = Fate::kAsk},
    {.with = {Condition::kAsks, Condition::kBackup},
     .without = {Condition::kInNewDirectory, Condition::kRemoved},
     .there = kAskedAbout,
     .relation = {Relation::kOtherName, Relation::kLeadsToSource},
     .fate = Fate::kAsk},
    {.with = {Condition::kAsks, Condition::kRemoveDestination},
     .without = {Condition::kInNewDirectory, Condition::kRemoved},
     .there = kAskedAbout,
     .relation = {Relation::kOtherName, Relation::kLeadsToSource},
     .fate = Fate::kAsk},
    {.kinds = CopyKind::kLinkToSource,
     .with = Condition::kAsks,
     .without = {Condition::kInNewDirectory, Condition::kRemoved},
     .there = There::kLink,
     .relation = {Relation::kOtherName, Relation::kLeadsToSource,
                  Relation::kBehindSource},
     .fate = Fate::kAsk},

    {.kinds = {CopyKind::kLink, CopyKind::kLinkToSource},
     .with = {Condition::kAsks, Condition::kBackup},
     .without = {Condition::kFollowsLinks, Condition::kInNewDirectory,
                 Condition::kRemoved},
     .there = kAskedAbout,
     .relation = Relation::kBehindSource,
     .fate = Fate::kAsk},

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
    // A symbolic link may be replaced by another one, unless that is the source.
    {.kinds = Kinds::AllBut(CopyKind::kLinkToSource),
     .relation = kSameFile,
     .fate = Fate::kRefuse,
     .refusal = Refusal::kSameFile},
    {.kinds = CopyKind::kLinkToSource,
     .there = Theres::AllBut(There::kLink),
     .relation = kSameFile,
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
    // Where no symbolic links are followed, an old file under other names, or behind a
    // link, stays what it is. GNU cp removes devices like /dev/null, too.
    {.kinds = CopyKind::kStream,
     .without = {Condition::kFollowsLinks, Condition::kSourceIsRegular,
                 Condition::kRemoved, Condition::kAttributesOnly},
     .there = There::kRegular,
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
    {.kinds = CopyKind::kHardLink,
     .with = Condition::kMayReplace,
     .fate = Fate::kLinkOver},
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

}  // namespace

absl::Span<const TargetRule> TargetRules() { return kRules; }

}  // namespace ringcp

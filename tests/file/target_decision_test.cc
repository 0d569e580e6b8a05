// Tests row by row the table that decides on targets, and that it asks only for what it
// needs.

#include "core/file/target_decision.h"

#include <sys/stat.h>

#include <bit>
#include <cerrno>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/enum_set.h"
#include "core/base/file_error.h"
#include "core/file/copy_policy.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

using enum CopyKind;
using enum Condition;

constexpr int kKinds = 10;
constexpr int kConditions = 17;
constexpr int kAges = 2;
constexpr int kTheres = 10;
constexpr int kNamesCounts = 2;
constexpr int kRelations = 6;
constexpr int kOpenings = 4;

std::string Text(const TargetDecision& decision) {
  switch (decision.fate) {
    case Fate::kLook:
      return decision.look == Fact::kThere      ? "look"
             : decision.look == Fact::kNames    ? "count names"
             : decision.look == Fact::kAge      ? "compare ages"
             : decision.look == Fact::kRelation ? "compare"
                                                : "look at nothing";
    case Fate::kCreate:
      return "create";
    case Fate::kOverwrite:
      return "overwrite";
    case Fate::kReplace:
      return decision.old_target == OldTarget::kKept                ? "replace"
             : decision.old_target == OldTarget::kRemovedBeforehand ? "remove, replace"
             : decision.old_target == OldTarget::kBackedUp          ? "back up, replace"
                                                                    : "replace, removed";
    case Fate::kMakePointee:
      return "make pointee";
    case Fate::kLinkOver:
      return decision.old_target == OldTarget::kRemovedAfterFailing ? "link over"
             : decision.old_target == OldTarget::kKept              ? "link over, untold"
                                                                    : "?";
    case Fate::kUse:
      return "use";
    case Fate::kAsStream:
      return "as stream";
    case Fate::kSkip:
      return "skip";
    case Fate::kAsk:
      return "ask";
    case Fate::kKeepNewer:
      return "keep newer";
    case Fate::kRefuse:
      return decision.refusal == Refusal::kSameFile               ? "same file"
             : decision.refusal == Refusal::kTargetIsDirectory    ? "is directory"
             : decision.refusal == Refusal::kTargetIsNotDirectory ? "is no directory"
             : decision.refusal == Refusal::kTargetDangling       ? "dangling"
             : decision.refusal == Refusal::kTargetKept           ? "kept"
             : decision.refusal == Refusal::kParentIsNotDirectory
                 ? "parent is no directory"
                 : "refused";
    case Fate::kFailToMake:
      return "fail to make";
    case Fate::kFailToLook:
      return "fail to look";
  }
  return "?";
}

// A question and the fate expected. By default a regular file with one name, which has
// nothing to do with the source, is there; a case states what differs.
struct Case {
  CopyKind kind = kContents;
  EnumSet<Condition> conditions = {};
  There there = There::kRegular;
  Names names = Names::kOne;
  Age age = Age::kOlder;
  Relation relation = Relation::kOtherFile;
  Opening opening = Opening::kNotTried;
  const char* fate = "";
};

void Try(const std::vector<Case>& cases) {
  for (size_t i = 0; i < cases.size(); ++i) {
    const Case& c = cases[i];
    EXPECT_EQ(Text(DecideTarget({.kind = c.kind,
                                 .conditions = c.conditions,
                                 .there = c.there,
                                 .names = c.names,
                                 .age = c.age,
                                 .relation = c.relation,
                                 .opening = c.opening})),
              c.fate)
        << "case " << i;
  }
}

TEST(TargetDecisionTest, AMissingTargetIsMade) {
  for (int kind = 0; kind < kKinds; ++kind) {
    Try({{.kind = static_cast<CopyKind>(kind),
          .there = There::kNothing,
          .fate = "create"}});
  }
}

TEST(TargetDecisionTest, ContentsGoIntoWhatIsThere) {
  Try({
      {.fate = "overwrite"},
      {.opening = Opening::kOpen, .fate = "overwrite"},
      {.opening = Opening::kFailed, .fate = "fail to make"},
      {.opening = Opening::kRefused, .fate = "fail to make"},
      {.conditions = kForce, .fate = "overwrite"},
      {.conditions = kForce, .opening = Opening::kFailed, .fate = "fail to make"},
      {.conditions = kForce, .opening = Opening::kRefused, .fate = "replace, removed"},
      {.conditions = {kForce, kRemoved},
       .opening = Opening::kRefused,
       .fate = "fail to make"},
      {.conditions = kKeepExisting, .fate = "skip"},
      {.conditions = {kForce, kKeepExisting}, .fate = "skip"},
      {.there = There::kDirectory, .fate = "is directory"},
      {.conditions = kKeepExisting, .there = There::kDirectory, .fate = "skip"},
      {.there = There::kUnknown, .fate = "fail to look"},
      {.conditions = kKeepExisting, .there = There::kUnknown, .fate = "fail to look"},
      {.there = There::kSpecial, .fate = "as stream"},
      {.there = There::kSocket, .fate = "as stream"},
      {.conditions = kForce, .there = There::kSpecial, .fate = "as stream"},
      {.conditions = kForce, .there = There::kSocket, .fate = "replace, removed"},
      {.there = There::kClosedStream, .fate = "as stream"},
      {.conditions = kInNewDirectory, .fate = "fail to make"},
      {.conditions = {kForce, kInNewDirectory}, .fate = "fail to make"},
  });
}

TEST(TargetDecisionTest, ContentsGoWhereLinksLead) {
  Try({
      {.there = There::kDangling, .fate = "dangling"},
      {.conditions = {kForce, kKeepExisting},
       .there = There::kDangling,
       .fate = "dangling"},
      {.conditions = kWritesThroughDanglingLinks,
       .there = There::kDangling,
       .fate = "make pointee"},
      {.there = There::kLoop, .fate = "fail to look"},
      {.conditions = kForce, .there = There::kLoop, .fate = "replace, removed"},
      {.conditions = {kForce, kRemoved}, .there = There::kLoop, .fate = "fail to look"},
  });
}

TEST(TargetDecisionTest, WithLinksKeptOtherNamesKeepWhatIsThere) {
  Try({
      {.names = Names::kSeveral, .fate = "overwrite"},
      {.conditions = kKeepLinks, .fate = "overwrite"},
      {.conditions = kKeepLinks, .names = Names::kSeveral, .fate = "remove, replace"},
      {.kind = kStream,
       .conditions = kKeepLinks,
       .names = Names::kSeveral,
       .fate = "remove, replace"},
      {.conditions = {kKeepLinks, kRemoved},
       .names = Names::kSeveral,
       .fate = "overwrite"},
      {.conditions = kKeepLinks,
       .names = Names::kSeveral,
       .opening = Opening::kOpen,
       .fate = "overwrite"},
      {.kind = kNode,
       .conditions = {kKeepLinks, kFollowsLinks},
       .names = Names::kSeveral,
       .fate = "remove, replace"},
  });
}

TEST(TargetDecisionTest, StreamsGoIntoDevicesToo) {
  Try({
      {.kind = kStream, .conditions = Condition::kFollowsLinks, .fate = "overwrite"},
      {.kind = kStream, .conditions = Condition::kSourceIsRegular, .fate = "overwrite"},
      {.kind = kStream, .fate = "remove, replace"},
      {.kind = kStream, .there = There::kSpecial, .fate = "overwrite"},
      {.kind = kStream, .there = There::kSocket, .fate = "overwrite"},
      {.kind = kStream,
       .conditions = kForce,
       .there = There::kSocket,
       .opening = Opening::kRefused,
       .fate = "replace, removed"},
      {.kind = kStream, .there = There::kClosedStream, .fate = "dangling"},
      {.kind = kStream, .there = There::kDangling, .fate = "dangling"},
      {.kind = kStream, .conditions = kKeepExisting, .fate = "skip"},
  });
}

TEST(TargetDecisionTest, TheUserIsAskedAboutWhatWouldBeReplaced) {
  constexpr Condition kAsks = Condition::kAsks;
  constexpr Condition kMayReplace = Condition::kMayReplace;
  for (const CopyKind kind : {kContents, kStream, kLink, kNode, kNameOfFile, kNameOfNode,
                              kHardLink, kLinkToSource}) {
    Try({{.kind = kind, .conditions = kAsks, .fate = "ask"},
         {.kind = kind, .conditions = kAsks, .there = There::kDirectory, .fate = "ask"},
         {.kind = kind,
          .conditions = {kAsks, Condition::kRemoveDestination},
          .relation = Relation::kOtherName,
          .fate = "ask"},
         {.kind = kind,
          .conditions = {kAsks, Condition::kBackup},
          .relation = Relation::kLeadsToSource,
          .fate = "ask"},
         {.kind = kind, .conditions = {kAsks, kKeepExisting}, .fate = "skip"},
         {.kind = kind,
          .conditions = kAsks,
          .there = There::kNothing,
          .fate = "create"}});
  }
  Try({
      // Not about what nobody else has put there, or what is kept or refused anyhow.
      {.conditions = {kAsks, kInNewDirectory}, .fate = "fail to make"},
      {.conditions = {kAsks, Condition::kOnlyOlder},
       .age = Age::kNotOlder,
       .fate = "keep newer"},
      {.conditions = {kAsks, Condition::kOnlyOlder}, .fate = "ask"},
      {.conditions = kAsks, .relation = Relation::kSameEntry, .fate = "same file"},
      {.conditions = kAsks, .there = There::kDangling, .fate = "dangling"},
      {.kind = CopyKind::kDirectory,
       .conditions = kAsks,
       .there = There::kDirectory,
       .fate = "use"},
      {.kind = kHardLink,
       .conditions = kAsks,
       .relation = Relation::kNameOfCopy,
       .fate = "ask"},
      {.kind = kHardLink,
       .conditions = kMayReplace,
       .relation = Relation::kNameOfCopy,
       .fate = "use"},
      {.conditions = kMayReplace, .fate = "overwrite"},
      {.kind = kHardLink,
       .conditions = {kMayReplace, kSourceIsRegular},
       .fate = "link over, untold"},
      {.kind = kLinkToSource,
       .conditions = {kMayReplace, kSourceIsRegular},
       .fate = "fail to make"},
  });
}

// Whatever else holds.
TEST(TargetDecisionTest, NothingIsReplacedBeforeTheUserIsAsked) {
  int asked = 0;
  for (int i = 0; i < kKinds << kConditions; ++i) {
    if (std::popcount(static_cast<unsigned>(i & ((1 << kConditions) - 1))) > 3) continue;
    TargetQuestion question = {.kind = static_cast<CopyKind>(i >> kConditions)};
    for (int bit = 0; bit < kConditions; ++bit) {
      if ((i >> bit & 1) != 0) question.conditions.Add(static_cast<Condition>(bit));
    }
    if (!question.conditions.Meets(Condition::kAsks) ||
        question.conditions.Meets({kInNewDirectory, kRemoved}) ||
        // As in GNU cp, what a directory replaces gets another name without a question.
        question.kind == CopyKind::kDirectory) {
      continue;
    }
    for (const There there : {There::kRegular, There::kDirectory, There::kLink,
                              There::kSocket, There::kSpecial}) {
      for (int relation = 0; relation < kRelations; ++relation) {
        question.there = there;
        question.relation = static_cast<Relation>(relation);
        question.names = Names::kSeveral;
        question.age = Age::kOlder;
        const Fate fate = DecideTarget(question).fate;
        ASSERT_TRUE(fate != Fate::kReplace && fate != Fate::kLinkOver &&
                    fate != Fate::kOverwrite && fate != Fate::kAsStream)
            << i << " " << static_cast<int>(there) << " " << relation;
        asked += fate == Fate::kAsk ? 1 : 0;
      }
    }
  }
  EXPECT_GT(asked, 1000);
}

TEST(TargetDecisionTest, TheSourceIsNotReplaced) {
  for (const Relation same : {Relation::kSameEntry, Relation::kOtherName,
                              Relation::kLeadsToSource, Relation::kBehindSource}) {
    for (const CopyKind kind :
         {kContents, kStream, kLink, kNode, kNameOfFile, kNameOfNode}) {
      Try({{.kind = kind, .relation = same, .fate = "same file"},
           {.kind = kind,
            .conditions = {kForce, kKeepLinks},
            .names = Names::kSeveral,
            .relation = same,
            .fate = "same file"},
           {.kind = kind,
            .conditions = kKeepExisting,
            .relation = same,
            .fate = "skip"}});
    }
  }
}

TEST(TargetDecisionTest, WithRemoveDestinationAllButDirectoriesIsRemoved) {
  for (const CopyKind kind :
       {kContents, kStream, kLink, kNode, kNameOfFile, kNameOfNode}) {
    EXPECT_FALSE((TargetQuestion{.kind = kind, .conditions = kRemoveDestination}
                      .looks_through_links()));
    for (const There there :
         {There::kRegular, There::kLink, There::kSocket, There::kSpecial}) {
      Try({{.kind = kind,
            .conditions = kRemoveDestination,
            .there = there,
            .fate = "remove, replace"},
           {.kind = kind,
            .conditions = {kRemoveDestination, kForce, kKeepLinks, kFollowsLinks},
            .there = there,
            .relation = Relation::kLeadsToSource,
            .fate = "remove, replace"},
           {.kind = kind,
            .conditions = {kRemoveDestination, kKeepExisting},
            .there = there,
            .fate = "skip"},
           // Somebody has put it there since.
           {.kind = kind,
            .conditions = {kRemoveDestination, kRemoved},
            .there = there,
            .fate = "fail to make"},
           {.kind = kind,
            .conditions = kRemoveDestination,
            .there = there,
            .relation = Relation::kSameEntry,
            .fate = "same file"},
           {.kind = kind,
            .conditions = kRemoveDestination,
            .there = there,
            .relation = Relation::kBehindSource,
            .fate = "same file"}});
    }
    Try({{.kind = kind,
          .conditions = kRemoveDestination,
          .relation = Relation::kOtherName,
          .fate = "remove, replace"},
         {.kind = kind,
          .conditions = kRemoveDestination,
          .there = There::kDirectory,
          .fate = "is directory"},
         {.kind = kind,
          .conditions = kRemoveDestination,
          .there = There::kUnknown,
          .fate = "fail to look"},
         {.kind = kind,
          .conditions = kRemoveDestination,
          .there = There::kNothing,
          .fate = "create"}});
  }
  Try({{.kind = kDirectory, .conditions = kRemoveDestination, .fate = "is no directory"},
       {.kind = kDirectory,
        .conditions = kRemoveDestination,
        .there = There::kDirectory,
        .fate = "use"},
       {.kind = kLink,
        .conditions = {kRemoveDestination, kForce, kInNewDirectory},
        .fate = "replace"}});
}

TEST(TargetDecisionTest, LinksAndNodesTakeThePlaceOfWhatIsThere) {
  for (const CopyKind kind : {kLink, kNode}) {
    for (const There there :
         {There::kRegular, There::kLink, There::kSocket, There::kSpecial}) {
      Try({{.kind = kind, .there = there, .fate = "remove, replace"},
           {.kind = kind,
            .conditions = kFollowsLinks,
            .there = there,
            .fate = "fail to make"},
           {.kind = kind, .conditions = kKeepExisting, .there = there, .fate = "skip"},
           {.kind = kind,
            .conditions = kInNewDirectory,
            .there = there,
            .fate = "fail to make"}});
    }
    Try({{.kind = kind, .there = There::kDirectory, .fate = "is directory"},
         {.kind = kind, .there = There::kUnknown, .fate = "fail to look"}});
  }
  Try({
      {.kind = kLink, .conditions = {kForce, kFollowsLinks}, .fate = "replace"},
      {.kind = kLink, .conditions = {kForce, kInNewDirectory}, .fate = "replace"},
      {.kind = kNode, .conditions = {kForce, kFollowsLinks}, .fate = "fail to make"},
      {.kind = kNode, .conditions = {kForce, kInNewDirectory}, .fate = "fail to make"},
      // There is nothing to do.
      {.kind = kLink,
       .there = There::kLink,
       .relation = Relation::kOtherName,
       .fate = "skip"},
      {.kind = kNameOfNode,
       .there = There::kLink,
       .relation = Relation::kOtherName,
       .fate = "skip"},
  });
}

TEST(TargetDecisionTest, FurtherNamesTakeThePlaceOfWhatIsThere) {
  Try({
      {.kind = kNameOfFile, .conditions = kKeepLinks, .fate = "link over"},
      {.kind = kNameOfFile,
       .conditions = kKeepLinks,
       .names = Names::kSeveral,
       .fate = "remove, replace"},
      {.kind = kNameOfFile, .there = There::kSpecial, .fate = "link over"},
      {.kind = kNameOfFile, .there = There::kDirectory, .fate = "is directory"},
      {.kind = kNameOfFile, .conditions = kKeepExisting, .fate = "skip"},
      {.kind = kNameOfFile, .conditions = kInNewDirectory, .fate = "link over"},
      // For GNU cp a dangling link does not exist.
      {.kind = kNameOfFile, .there = There::kDangling, .fate = "link over"},
      {.kind = kNameOfFile,
       .conditions = kKeepExisting,
       .there = There::kDangling,
       .fate = "link over"},
      {.kind = kNameOfFile, .there = There::kLoop, .fate = "fail to look"},
      {.kind = kNameOfFile,
       .conditions = kForce,
       .there = There::kLoop,
       .fate = "link over"},
      {.kind = kNameOfFile, .relation = Relation::kNameOfCopy, .fate = "use"},
      {.kind = kNameOfNode, .relation = Relation::kNameOfCopy, .fate = "use"},
      {.kind = kNameOfNode, .there = There::kLink, .fate = "remove, replace"},
      {.kind = kNameOfNode, .conditions = kFollowsLinks, .fate = "link over"},
      {.kind = kNameOfNode, .there = There::kDirectory, .fate = "is directory"},
  });
}

TEST(TargetDecisionTest, DirectoriesAreUsed) {
  Try({
      {.kind = kDirectory, .there = There::kDirectory, .fate = "use"},
      {.kind = kDirectory,
       .conditions = {kForce, kKeepExisting},
       .there = There::kDirectory,
       .fate = "use"},
      {.kind = kDirectory,
       .there = There::kDirectory,
       .relation = Relation::kSameEntry,
       .fate = "same file"},
      {.kind = kDirectory, .fate = "is no directory"},
      {.kind = kDirectory, .there = There::kLink, .fate = "is no directory"},
      {.kind = kDirectory, .there = There::kUnknown, .fate = "fail to look"},
      {.kind = kDirectory,
       .conditions = kInNewDirectory,
       .there = There::kDirectory,
       .fate = "fail to make"},
  });
}

TEST(TargetDecisionTest, DirectoriesAboveWhatIsCopiedAreUsedByWhateverWayTheyAreThere) {
  constexpr CopyKind kParent = CopyKind::kParent;
  Try({
      {.kind = kParent, .there = There::kDirectory, .fate = "use"},
      {.kind = kParent,
       .conditions = {kForce, kKeepExisting, kBackup, kRemoveDestination},
       .there = There::kDirectory,
       .fate = "use"},
      {.kind = kParent,
       .there = There::kDirectory,
       .relation = Relation::kSameEntry,
       .fate = "use"},
      {.kind = kParent, .fate = "parent is no directory"},
      {.kind = kParent, .conditions = kBackup, .fate = "parent is no directory"},
      {.kind = kParent, .there = There::kDangling, .fate = "fail to make"},
      {.kind = kParent, .there = There::kLoop, .fate = "fail to make"},
      {.kind = kParent, .there = There::kUnknown, .fate = "fail to look"},
  });
}

TEST(TargetDecisionTest, WithNoneFailAKeptTargetIsAnError) {
  Try({
      {.conditions = {kKeepExisting, kMustReplace}, .fate = "kept"},
      {.kind = kLink, .conditions = {kKeepExisting, kMustReplace}, .fate = "kept"},
      {.conditions = {kKeepExisting, kMustReplace},
       .there = There::kNothing,
       .fate = "create"},
  });
}

TEST(TargetDecisionTest, WithOnlyOlderWhatIsNotOlderIsKept) {
  for (const CopyKind kind :
       {kContents, kStream, kLink, kNode, kHardLink, kLinkToSource}) {
    Try({
        {.kind = kind,
         .conditions = kOnlyOlder,
         .age = Age::kNotOlder,
         .fate = "keep newer"},
        {.kind = kind,
         .conditions = {kOnlyOlder, kBackup},
         .age = Age::kNotOlder,
         .fate = "keep newer"},
        {.kind = kind,
         .conditions = {kOnlyOlder, kRemoveDestination},
         .age = Age::kNotOlder,
         .fate = "keep newer"},
        {.kind = kind,
         .conditions = {kOnlyOlder, kRemoveDestination},
         .fate = "remove, replace"},
        {.kind = kind,
         .conditions = kOnlyOlder,
         .there = There::kDirectory,
         .age = Age::kNotOlder,
         .fate = "keep newer"},
    });
  }
  Try({
      {.conditions = kOnlyOlder, .fate = "overwrite"},
      {.conditions = kOnlyOlder,
       .age = Age::kNotOlder,
       .relation = Relation::kOtherName,
       .fate = "same file"},
      // It follows its copy.
      {.kind = kNameOfFile,
       .conditions = kOnlyOlder,
       .age = Age::kNotOlder,
       .fate = "link over"},
      {.kind = kDirectory,
       .conditions = kOnlyOlder,
       .there = There::kDirectory,
       .age = Age::kNotOlder,
       .fate = "use"},
  });
}

TEST(TargetDecisionTest, WithBackupWhatIsInTheWayIsBackedUp) {
  for (const CopyKind kind : {kContents, kStream, kLink, kNode, kNameOfFile, kNameOfNode,
                              kHardLink, kLinkToSource}) {
    Try({
        {.kind = kind, .conditions = kBackup, .fate = "back up, replace"},
        {.kind = kind,
         .conditions = {kBackup, kForce, kRemoveDestination},
         .there = There::kLink,
         .fate = "back up, replace"},
        {.kind = kind,
         .conditions = kBackup,
         .there = There::kDirectory,
         .fate = "is directory"},
        {.kind = kind, .conditions = {kBackup, kRemoved}, .fate = "fail to make"},
    });
  }
  Try({
      {.conditions = kBackup,
       .relation = Relation::kOtherName,
       .fate = "back up, replace"},
      {.conditions = kBackup, .relation = Relation::kBehindSource, .fate = "same file"},
      {.conditions = kBackup, .relation = Relation::kSameEntry, .fate = "same file"},
      {.kind = kHardLink,
       .conditions = kBackup,
       .relation = Relation::kNameOfCopy,
       .fate = "use"},
  });
}

TEST(TargetDecisionTest, LinksToSourcesReplaceOnlyWhatTheOptionsName) {
  Try({
      {.kind = kHardLink, .conditions = kSourceIsRegular, .fate = "fail to make"},
      {.kind = kHardLink,
       .conditions = {kSourceIsRegular, kForce},
       .fate = "link over, untold"},
      {.kind = kHardLink, .fate = "remove, replace"},
      {.kind = kHardLink, .conditions = kFollowsLinks, .fate = "fail to make"},
      {.kind = kHardLink, .relation = Relation::kNameOfCopy, .fate = "use"},
      {.kind = kLinkToSource, .conditions = kSourceIsRegular, .fate = "fail to make"},
      {.kind = kLinkToSource,
       .conditions = {kSourceIsRegular, kForce},
       .fate = "replace"},
      {.kind = kLinkToSource, .relation = Relation::kOtherName, .fate = "same file"},
      {.kind = kLinkToSource,
       .conditions = {kSourceIsRegular, kForce},
       .there = There::kLink,
       .relation = Relation::kLeadsToSource,
       .fate = "replace"},
      {.kind = kLinkToSource,
       .there = There::kLink,
       .relation = Relation::kSameEntry,
       .fate = "same file"},
  });
}

TEST(TargetDecisionTest, WithAttributesOnlyNothingIsRemoved) {
  Try({
      {.conditions = {kAttributesOnly, kKeepLinks},
       .names = Names::kSeveral,
       .fate = "overwrite"},
      {.kind = kLink, .conditions = kAttributesOnly, .fate = "fail to make"},
      {.kind = kNode, .conditions = kAttributesOnly, .fate = "fail to make"},
  });
}

TEST(TargetDecisionTest, AnOpenTargetIsDecidedOnAgain) {
  struct statx source = {};
  source.stx_ino = 1;
  struct statx target = {};
  target.stx_nlink = 2;
  const auto decide = [&](CopyKind kind, mode_t type) {
    target.stx_mode = static_cast<uint16_t>(type);
    return Text(DecideOpenTarget(kind, source, target));
  };
  EXPECT_EQ(decide(kContents, S_IFREG), "overwrite");
  EXPECT_EQ(decide(kContents, S_IFCHR), "as stream");
  EXPECT_EQ(decide(kStream, S_IFCHR), "overwrite");
  target.stx_ino = source.stx_ino;
  EXPECT_EQ(decide(kContents, S_IFREG), "same file");
  EXPECT_EQ(decide(kStream, S_IFCHR), "same file");
}

TEST(TargetDecisionTest, AFateMayBeAFailure) {
  const auto failure = [](Fate fate, Refusal refusal) {
    return FailureOf({.fate = fate, .old_target = OldTarget::kKept, .refusal = refusal},
                     Operation::kCreate, EACCES);
  };
  const CopyFailure refused = failure(Fate::kRefuse, Refusal::kSameFile);
  EXPECT_EQ(refused.operation, Operation::kRefuse);
  EXPECT_EQ(refused.refusal, Refusal::kSameFile);
  EXPECT_EQ(failure(Fate::kFailToLook, Refusal::kNone).operation, Operation::kStat);
  const CopyFailure failed = failure(Fate::kFailToMake, Refusal::kNone);
  EXPECT_EQ(failed.operation, Operation::kCreate);
  EXPECT_EQ(failed.error_number, EACCES);
  EXPECT_TRUE(failed.on_target);
}

TEST(TargetDecisionTest, OnlyWhatMattersIsLookedAt) {
  TargetQuestion question = {.conditions = kKeepLinks};
  EXPECT_EQ(Text(DecideTarget(question)), "look");
  question.NoteThatItExists();
  EXPECT_EQ(Text(DecideTarget(question)), "look");
  question.there = There::kRegular;
  EXPECT_EQ(Text(DecideTarget(question)), "compare");
  question.relation = Relation::kOtherFile;
  EXPECT_EQ(Text(DecideTarget(question)), "count names");
  question.conditions = {};
  EXPECT_EQ(Text(DecideTarget(question)), "overwrite");

  // It does not matter then what has the name.
  for (const Condition condition : {kInNewDirectory, kKeepExisting}) {
    question = {.kind = kNode, .conditions = condition};
    question.NoteThatItExists();
    EXPECT_NE(Text(DecideTarget(question)), "look");
  }
  // It is enough that it is the source's file; its name is not asked for.
  question = {.there = There::kRegular};
  struct statx stat = {};
  question.relation = RelationOf(stat, stat);
  EXPECT_EQ(Text(DecideTarget(question)), "same file");
}

// Calls `visit` with all questions in which up to three conditions hold: each fact has
// every value, and is also unknown.
template <typename Visit>
void ForAllQuestions(Visit visit) {
  const auto choices = [](auto value, int count) {
    using Value = decltype(value);
    std::vector<EnumSet<Value>> sets = {EnumSet<Value>::All()};
    for (int i = 0; i < count; ++i) sets.push_back(static_cast<Value>(i));
    return sets;
  };
  const auto theres = choices(There(), kTheres);
  const auto names = choices(Names(), kNamesCounts);
  const auto ages = choices(Age(), kAges);
  const auto relations = choices(Relation(), kRelations);
  for (int i = 0; i < kKinds << kConditions; ++i) {
    if (std::popcount(static_cast<unsigned>(i & ((1 << kConditions) - 1))) > 3) continue;
    TargetQuestion question = {.kind = static_cast<CopyKind>(i >> kConditions)};
    for (int bit = 0; bit < kConditions; ++bit) {
      if ((i >> bit & 1) != 0) question.conditions.Add(static_cast<Condition>(bit));
    }
    for (int opening = 0; opening < kOpenings; ++opening) {
      question.opening = static_cast<Opening>(opening);
      for (const auto& there : theres) {
        for (const auto& count : names) {
          for (const auto& age : ages) {
            for (const auto& relation : relations) {
              question.there = there;
              question.names = count;
              question.age = age;
              question.relation = relation;
              visit(question);
            }
          }
        }
      }
    }
  }
}

TEST(TargetDecisionTest, WhatIsLookedAtIsNotKnownYet) {
  ForAllQuestions([](const TargetQuestion& question) {
    const TargetDecision decision = DecideTarget(question);
    if (decision.fate != Fate::kLook) return;
    EXPECT_TRUE(
        (decision.look == Fact::kThere &&
         question.there.Contains(EnumSet<There>::All())) ||
        (decision.look == Fact::kNames &&
         question.names.Contains(EnumSet<Names>::All())) ||
        (decision.look == Fact::kAge && question.age.Contains(EnumSet<Age>::All())) ||
        (decision.look == Fact::kRelation &&
         question.relation.Contains(EnumSet<Relation>::All())));
  });
}

TEST(TargetDecisionTest, WhatIsDecidedWithoutAFactDoesNotDependOnIt) {
  ForAllQuestions([](const TargetQuestion& question) {
    const TargetDecision decision = DecideTarget(question);
    if (decision.fate == Fate::kLook) return;
    const auto try_with = [&](const TargetQuestion& more) {
      const TargetDecision with_more = DecideTarget(more);
      ASSERT_EQ(std::tie(decision.fate, decision.old_target, decision.refusal),
                std::tie(with_more.fate, with_more.old_target, with_more.refusal));
    };
    TargetQuestion more = question;
    for (int i = 0; i < kTheres; ++i) {
      more.there = static_cast<There>(i);
      if (question.there.Contains(more.there)) try_with(more);
    }
    more = question;
    for (int i = 0; i < kNamesCounts; ++i) {
      more.names = static_cast<Names>(i);
      if (question.names.Contains(more.names)) try_with(more);
    }
    more = question;
    for (int i = 0; i < kAges; ++i) {
      more.age = static_cast<Age>(i);
      if (question.age.Contains(more.age)) try_with(more);
    }
    more = question;
    for (int i = 0; i < kRelations; ++i) {
      more.relation = static_cast<Relation>(i);
      if (question.relation.Contains(more.relation)) try_with(more);
    }
  });
}

TEST(TargetDecisionTest, StatsTellWhatIsThere) {
  struct statx stat = {};
  const auto look = [&](CopyKind kind, int32_t result, mode_t type) {
    TargetQuestion question = {.kind = kind};
    EXPECT_EQ(question.look_flags() == 0, question.looks_through_links());
    stat.stx_mode = static_cast<uint16_t>(type | 0644);
    question.NoteLook(result, stat);
    return question;
  };
  const auto by_name = [&](int32_t result, mode_t type) {
    return look(kLink, result, type).there;
  };
  const auto through = [&](int32_t result, mode_t type) {
    return look(kContents, result, type).there;
  };
  EXPECT_EQ(look(kContents, 0, S_IFREG).names, Names::kOne);
  stat.stx_nlink = 2;
  EXPECT_EQ(look(kContents, 0, S_IFREG).names, Names::kSeveral);
  EXPECT_EQ(by_name(0, S_IFREG), There::kRegular);
  EXPECT_EQ(by_name(0, S_IFLNK), There::kLink);
  EXPECT_EQ(by_name(0, S_IFCHR), There::kSpecial);
  EXPECT_EQ(by_name(-ENOENT, 0), There::kNothing);
  EXPECT_EQ(by_name(-ELOOP, 0), There::kUnknown);
  EXPECT_EQ(through(0, S_IFDIR), There::kDirectory);
  EXPECT_EQ(through(0, S_IFSOCK), There::kSocket);
  EXPECT_EQ(through(0, S_IFLNK), There::kClosedStream);
  EXPECT_EQ(through(-ENOENT, 0), There::kDangling);
  EXPECT_EQ(through(-ELOOP, 0), There::kLoop);
  EXPECT_EQ(through(-EACCES, 0), There::kUnknown);
}

TEST(TargetDecisionTest, ThePolicyAndThePlaceAreTheConditions) {
  FileCopyPolicy policy;
  policy.update = Update::kNone;
  policy.preserve.links = true;
  FileCopyNames names;
  names.target_directory_created = true;
  const EnumSet<Condition> conditions =
      QuestionAbout(kContents, policy, names).conditions;
  EXPECT_TRUE(conditions.Contains({kKeepExisting, kKeepLinks, kInNewDirectory}));
  EXPECT_FALSE(
      conditions.Meets({kForce, kWritesThroughDanglingLinks, kFollowsLinks, kRemoved}));
}

}  // namespace
}  // namespace ringcp

// Tests the state machine of one file's copy if the target exists. copy_script.h explains
// the notation.

#include <sys/stat.h>

#include <cerrno>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/file/file_copy.h"
#include "core/file/target_claims.h"
#include "core/kernel/file_system_table.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"
#include "tests/file_system_kinds.h"
#include "tests/system_kernel.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;
constexpr char kWrite[] = "write fd8 100@0 - close fd8 = close fd7";

// A copy to an existing target, and what it wants next. `made` changes its files first.
struct Existing {
  explicit Existing(
      const FileCopyPolicy& policy = {},
      const std::function<void(CopyScript*)>& made = [](CopyScript*) {})
      : copy({.policy = policy}) {
    made(&copy);
    copy.LookAtSource();
    next = copy.Settle({-EEXIST, kCancelled, kCancelled, kCancelled});
  }

  // Opens the target and looks at it. Returns what comes next.
  std::string Open() {
    copy.Settle({0, 0});
    copy.Settle({8});
    next = copy.Settle({0});
    return next;
  }
  // Does the same, and empties the target.
  std::string Empty() {
    EXPECT_EQ(Open(), "at once set size fd8 0");
    return copy.Settle({0});
  }

  CopyScript copy;
  std::string next;
};

void TargetIsALink(CopyScript* copy) { copy->target_link_stat.stx_mode = S_IFLNK | 0777; }

TEST(FileCopyTargetTest, AnExistingFileIsLookedAtBeforeItIsEmptied) {
  Existing existing;
  CopyScript& copy = existing.copy;
  EXPECT_EQ(existing.next, "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "open T>fd");
  EXPECT_EQ(copy.Settle({8}), "at once fstat fd8");
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
  EXPECT_EQ(copy.Settle({0}), kWrite);
  EXPECT_EQ(copy.Settle({100, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_found.value(), 100);
  EXPECT_EQ(copy.counters().bytes_done.value(), 100);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyTargetTest, AnEmptySourceLeavesItEmpty) {
  CopyScript copy({.size = 0});
  copy.LookAtSource();
  copy.Settle({-EEXIST, kCancelled, kCancelled});
  copy.Settle({0, 0});
  copy.Settle({8});
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

TEST(FileCopyTargetTest, ALargeFileFindsAnExistingTargetToo) {
  CopyScript copy({.size = 5000});
  copy.LookAtSource();
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "open T>fd");
  EXPECT_EQ(copy.Settle({8}), "at once fstat fd8");
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
  EXPECT_EQ(copy.Settle({0}),
            "0: read fd7 4096@0 - write fd8 4096@0 | 1: read fd7 904@4096 - write fd8 "
            "904@4096");
}

TEST(FileCopyTargetTest, ALinkToAFileIsWrittenThrough) {
  Existing existing({}, TargetIsALink);
  EXPECT_EQ(existing.copy.Settle({0, 0}), "open T following>fd");
}

// As in GNU cp with POSIXLY_CORRECT.
TEST(FileCopyTargetTest, ALinkToNowhereIsWrittenThroughIfAsked) {
  FileCopyPolicy policy;
  policy.writes_through_dangling_links = true;
  Existing existing(policy, TargetIsALink);
  EXPECT_EQ(existing.copy.Settle({0, -ENOENT}), "open T made 644 following>fd");
  EXPECT_EQ(existing.copy.Settle({8}), "at once fstat fd8");
  EXPECT_EQ(existing.copy.Settle({0}), "at once set size fd8 0");
  EXPECT_EQ(existing.copy.Settle({0}), kWrite);
  EXPECT_EQ(existing.copy.Settle({100, 0, 0}), "copied");
}

TEST(FileCopyTargetTest, MakingWhatALinkLeadsToIsTriedAgain) {
  FileCopyPolicy policy;
  policy.writes_through_dangling_links = true;
  for (const int error : {EINTR, ECANCELED}) {
    Existing existing(policy, TargetIsALink);
    existing.copy.Settle({0, -ENOENT});
    EXPECT_EQ(existing.copy.Settle({-error}), "open T made 644 following>fd");
    EXPECT_EQ(existing.copy.Settle({8}), "at once fstat fd8");
  }
}

// Nobody has looked whose it will be there.
TEST(FileCopyTargetTest, WhatIsMadeThroughALinkIsClosedToOthersUntilItHasItsOwner) {
  FileCopyPolicy policy;
  policy.writes_through_dangling_links = true;
  policy.preserve.ownership = true;
  policy.user = 1;
  CopyScript copy({.policy = policy, .size = 5000});
  TargetIsALink(&copy);
  EXPECT_EQ(copy.LookAtSource(), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, -ENOENT}), "open T made 600 following>fd");
}

TEST(FileCopyTargetTest, WithNoClobberItIsLeftAlone) {
  Existing existing({.preserve = {}, .update = Update::kNone});
  EXPECT_EQ(existing.next, "lstat T - stat T");
  EXPECT_EQ(existing.copy.Settle({0, 0}), "close fd7");
  EXPECT_EQ(existing.copy.Settle({0}), "skipped");
  EXPECT_TRUE(existing.copy.all_blocks_back());
}

TEST(FileCopyTargetTest, WithNoClobberADanglingLinkIsStillRefused) {
  Existing existing({.preserve = {}, .update = Update::kNone}, TargetIsALink);
  EXPECT_EQ(existing.copy.Settle({0, -ENOENT}), "close fd7");
  EXPECT_EQ(existing.copy.Settle({0}), "refused: dangling");
}

TEST(FileCopyTargetTest, WithNoClobberAnUnreadableSourceMattersOnlyForANewTarget) {
  for (const int target : {0, -ENOENT}) {
    FileCopyPolicy policy;
    policy.update = Update::kNone;
    CopyScript copy({.policy = policy});
    copy.Start();
    EXPECT_EQ(copy.Settle({-EACCES}), "lstat S - stat T");
    EXPECT_EQ(copy.Settle({0, target}),
              target == 0 ? "skipped" : "failed: open S EACCES");
  }
}

TEST(FileCopyTargetTest, WithNoClobberASourceThatCanNotBeLookedAtIsStillAFailure) {
  FileCopyPolicy policy;
  policy.update = Update::kNone;
  CopyScript copy({.policy = policy});
  copy.Start();
  copy.Settle({-EACCES});
  EXPECT_EQ(copy.Settle({-EACCES, 0}), "failed: stat S EACCES");
}

// The source was listed as a file, but is a directory that may not be opened.
TEST(FileCopyTargetTest, WithNoClobberADirectoryIsNotSkippedAsAFile) {
  FileCopyPolicy policy;
  policy.update = Update::kNone;
  CopyScript copy({.policy = policy});
  copy.Start();
  EXPECT_EQ(copy.Settle({-EACCES}), "lstat S - stat T");
  copy.source_stat.stx_mode = S_IFDIR | 0700;
  EXPECT_EQ(copy.Settle({0, 0}), "source is other");
}

// As in GNU cp: two names may differ only in case, for example.
TEST(FileCopyTargetTest, WhatIsInADirectoryThatTheJobHasMadeIsNotOverwritten) {
  for (const bool force : {false, true}) {
    CopyScript copy(
        {.policy = {.preserve = {}, .force = force}, .target_directory_created = true});
    copy.LookAtSource();
    EXPECT_EQ(copy.Settle({-EEXIST, kCancelled, kCancelled, kCancelled}), "close fd7");
    EXPECT_EQ(copy.Settle({0}), "failed: create T EEXIST");
    EXPECT_TRUE(copy.all_blocks_back());
  }
}

TEST(FileCopyTargetTest, WhatMustNotBeOverwrittenIsRefused) {
  struct Case {
    std::function<void(CopyScript*)> made;
    std::vector<int32_t> stats;
    const char* outcome;
  };
  const Case cases[] = {
      {[](CopyScript* copy) { copy->target_stat.stx_ino = copy->source_stat.stx_ino; },
       {0, 0},
       "refused: same file"},
      {[](CopyScript* copy) { copy->target_stat.stx_mode = S_IFDIR | 0755; },
       {0, 0},
       "refused: target is a directory"},
      {TargetIsALink, {0, -ENOENT}, "refused: dangling"},
      {TargetIsALink, {0, -ELOOP}, "failed: stat T ELOOP"},
      {[](CopyScript*) {}, {-EACCES, -EACCES}, "failed: stat T EACCES"},
      {[](CopyScript* copy) { copy->target_stat.stx_mode = S_IFCHR | 0666; },
       {0, 0},
       "target is special"},
      {[](CopyScript* copy) { copy->target_stat.stx_mode = S_IFIFO | 0666; },
       {0, 0},
       "target is special"},
  };
  for (const Case& refused : cases) {
    Existing existing({}, refused.made);
    EXPECT_EQ(existing.copy.Settle(refused.stats), "close fd7") << refused.outcome;
    EXPECT_EQ(existing.copy.Settle({0}), refused.outcome);
    EXPECT_TRUE(existing.copy.all_blocks_back());
  }
}

// Something else may have got the name since the target was looked at.
TEST(FileCopyTargetTest, AnOpenTargetThatMustNotBeOverwrittenIsRefused) {
  struct Case {
    std::function<void(CopyScript*)> made;
    const char* outcome;
  };
  const Case cases[] = {
      {[](CopyScript* copy) { copy->target_fd_stat.stx_ino = copy->source_stat.stx_ino; },
       "refused: same file"},
      {[](CopyScript* copy) { copy->target_fd_stat.stx_mode = S_IFIFO | 0666; },
       "target is special"},
  };
  for (const Case& refused : cases) {
    Existing existing({}, refused.made);
    EXPECT_EQ(existing.Open(), "close fd8 = close fd7") << refused.outcome;
    EXPECT_EQ(existing.copy.Settle({0, 0}), refused.outcome);
  }
}

TEST(FileCopyTargetTest, ATargetThatCanNotBeLookedAtIsLeftAlone) {
  Existing existing;
  existing.copy.Settle({0, 0});
  existing.copy.Settle({8});
  EXPECT_EQ(existing.copy.Settle({-EIO}), "close fd8 = close fd7");
  EXPECT_EQ(existing.copy.Settle({0, 0}), "failed: stat T EIO");
}

TEST(FileCopyTargetTest, ATargetThatCanNotBeEmptiedIsLeftAlone) {
  Existing existing;
  EXPECT_EQ(existing.Open(), "at once set size fd8 0");
  EXPECT_EQ(existing.copy.Settle({-ETXTBSY}), "close fd8 = close fd7");
  EXPECT_EQ(existing.copy.Settle({0, 0}), "failed: create T ETXTBSY");
}

TEST(FileCopyTargetTest, AFileOfTheSameNumberOnAnotherDeviceIsAnotherFile) {
  Existing existing({}, [](CopyScript* copy) {
    copy->target_stat.stx_ino = copy->source_stat.stx_ino;
    copy->target_stat.stx_dev_minor = 9;
    copy->target_fd_stat = copy->target_stat;
  });
  EXPECT_EQ(existing.Open(), "at once set size fd8 0");
}

TEST(FileCopyTargetTest, ATargetThatIsGoneMeanwhileIsMadeAnew) {
  // Kernels differ in whether the failed lstat cancels the stat after it.
  for (const int32_t stat_result : {-ENOENT, kCancelled}) {
    Existing existing;
    EXPECT_EQ(existing.copy.Settle({-ENOENT, stat_result}), "open T new 644>fd");
    EXPECT_EQ(existing.copy.Settle({8}), kWrite);
  }
}

TEST(FileCopyTargetTest, ATargetThatComesAndGoesIsGivenUp) {
  Existing existing;
  CopyScript& copy = existing.copy;
  std::string next = copy.Settle({-ENOENT, -ENOENT});
  int times = 0;
  for (; next == "open T new 644>fd" && times < 1000; ++times) {
    ASSERT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
    next = copy.Settle({-ENOENT, -ENOENT});
  }
  EXPECT_LE(times, kRetriesMax);
  EXPECT_EQ(next, "close fd7");
  EXPECT_EQ(copy.Settle({0}), "failed: stat T ENOENT");
}

TEST(FileCopyTargetTest, ATargetThatCanNotBeOpenedFails) {
  for (const int error : {EACCES, ETXTBSY, EPERM, ELOOP}) {  // ELOOP: now a link.
    Existing existing;
    EXPECT_EQ(existing.copy.Settle({0, 0}), "open T>fd");
    EXPECT_EQ(existing.copy.Settle({-error}), "close fd7");
    EXPECT_EQ(existing.copy.Settle({0}), "failed: create T " + ErrnoName(error));
  }
}

TEST(FileCopyTargetTest, AnInterruptedOpenLooksAtTheTargetAgain) {
  Existing existing;
  CopyScript& copy = existing.copy;
  copy.Settle({0, 0});
  EXPECT_EQ(copy.Settle({-EINTR}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  EXPECT_EQ(existing.Empty(), kWrite);
}

TEST(FileCopyTargetTest, ALeaseOnTheTargetIsWaitedFor) {
  Existing existing;
  CopyScript& copy = existing.copy;
  copy.Settle({0, 0});
  EXPECT_EQ(copy.Settle({-EAGAIN}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "open T waiting>fd");
}

TEST(FileCopyTargetTest, WithLinksKeptATargetOfSeveralNamesIsReplaced) {
  Existing existing({.preserve = {.links = true}},
                    [](CopyScript* copy) { copy->target_stat.stx_nlink = 2; });
  EXPECT_EQ(existing.copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(existing.copy.Settle({0}), "open T new 644>fd");
  EXPECT_EQ(existing.copy.Settle({8}), kWrite);
  EXPECT_EQ(existing.copy.Settle({100, 0, 0}), "copied");
  EXPECT_EQ(existing.copy.copy().old_target(), OldTarget::kRemovedBeforehand);
}

// --- With --force ---

TEST(FileCopyTargetTest, WithForceATargetThatCanNotBeOpenedIsReplaced) {
  Existing existing({.preserve = {}, .force = true});
  CopyScript& copy = existing.copy;
  EXPECT_EQ(copy.Settle({0, 0}), "open T>fd");
  EXPECT_EQ(copy.Settle({-EACCES}), "at once lstat T");
  EXPECT_EQ(copy.Settle({0}), "unlink T");
  EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), kWrite);
  EXPECT_EQ(copy.Settle({100, 0, 0}), "copied");
  EXPECT_EQ(copy.copy().old_target(), OldTarget::kRemovedAfterFailing);
}

// It was another one that could not be opened.
TEST(FileCopyTargetTest, WithForceAFileThatTookItsNameMeanwhileIsNotRemoved) {
  Existing existing({.preserve = {}, .force = true});
  CopyScript& copy = existing.copy;
  EXPECT_EQ(copy.Settle({0, 0}), "open T>fd");
  EXPECT_EQ(copy.Settle({-EACCES}), "at once lstat T");
  copy.target_link_stat.stx_ino = 4711;
  EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "open T>fd");  // As if it had been there before.
  EXPECT_EQ(copy.copy().old_target(), OldTarget::kKept);
}

// So the other names of such a file keep it, as they would have if it had been there.
TEST(FileCopyTargetTest, WithForceAFileOfSeveralNamesThatTookItsNameIsNotOverwritten) {
  Preserve links;
  links.links = true;
  Existing existing({.preserve = links, .force = true});
  CopyScript& copy = existing.copy;
  EXPECT_EQ(copy.Settle({0, 0}), "open T>fd");
  EXPECT_EQ(copy.Settle({-EACCES}), "at once lstat T");
  copy.target_link_stat.stx_ino = 4711;
  EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
  copy.target_link_stat.stx_nlink = copy.target_stat.stx_nlink = 3;
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
}

// Each look may give another number there.
TEST(FileCopyTargetTest, WithForceItIsRemovedByItsNameWhereNumbersMayBeMadeUp) {
  CopyScript copy(
      {.policy = {.preserve = {}, .force = true}, .size = 5000, .local = false});
  EXPECT_EQ(copy.LookAtSource(), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "open T>fd");
  EXPECT_EQ(copy.Settle({-ETXTBSY}), "unlink T");
}

// A new one could not be made either.
TEST(FileCopyTargetTest, WithForceAnErrorThatIsNotAboutTheFileDoesNotCostIt) {
  for (const int error : {EMFILE, ENFILE, ENOMEM, EIO, ESTALE}) {
    Existing existing({.preserve = {}, .force = true});
    existing.copy.Settle({0, 0});
    EXPECT_EQ(existing.copy.Settle({-error}), "close fd7");
    EXPECT_EQ(existing.copy.Settle({0}), "failed: create T " + ErrnoName(error));
  }
}

TEST(FileCopyTargetTest, WithForceALoopOfLinksIsReplaced) {
  Existing existing({.preserve = {}, .force = true}, TargetIsALink);
  EXPECT_EQ(existing.copy.Settle({0, -ELOOP}), "unlink T");
  EXPECT_EQ(existing.copy.Settle({0}), "open T new 644>fd");
}

// No socket can be opened. Other names may be linked to the file in its place.
TEST(FileCopyTargetTest, WithForceASocketIsReplaced) {
  Existing existing({.preserve = {}, .force = true},
                    [](CopyScript* copy) { copy->target_stat.stx_mode = S_IFSOCK; });
  EXPECT_EQ(existing.copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(existing.copy.Settle({0}), "open T new 644>fd");
  EXPECT_EQ(existing.copy.Settle({8}), kWrite);
  EXPECT_EQ(existing.copy.Settle({100, 0, 0}), "copied");
  EXPECT_EQ(existing.copy.copy().old_target(), OldTarget::kRemovedAfterFailing);
}

TEST(FileCopyTargetTest, WithForceALinkStaysIfItsTargetCanNotBeMade) {
  FileCopyPolicy policy;
  policy.force = policy.writes_through_dangling_links = true;
  Existing existing(policy, TargetIsALink);
  EXPECT_EQ(existing.copy.Settle({0, -ENOENT}), "open T made 644 following>fd");
  EXPECT_EQ(existing.copy.Settle({-EACCES}), "close fd7");
  EXPECT_EQ(existing.copy.Settle({0}), "failed: create T EACCES");
}

// --- With --remove-destination ---

FileCopyPolicy RemovingDestination() {
  FileCopyPolicy policy;
  policy.remove_destination = true;
  return policy;
}

TEST(FileCopyTargetTest, WithRemoveDestinationItIsRemovedAndNotOpened) {
  Existing existing(RemovingDestination(), TargetIsALink);
  EXPECT_EQ(existing.next, "lstat T");
  EXPECT_EQ(existing.copy.Settle({0}), "unlink T");
  EXPECT_EQ(existing.copy.Settle({0}), "open T new 644>fd");
  EXPECT_EQ(existing.copy.Settle({8}), kWrite);
  EXPECT_EQ(existing.copy.Settle({100, 0, 0}), "copied");
  EXPECT_EQ(existing.copy.copy().old_target(), OldTarget::kRemovedBeforehand);
}

TEST(FileCopyTargetTest, WithRemoveDestinationWhatComesThereSinceIsLeft) {
  Existing existing(RemovingDestination());
  existing.copy.Settle({0});
  EXPECT_EQ(existing.copy.Settle({0}), "open T new 644>fd");
  EXPECT_EQ(existing.copy.Settle({-EEXIST}), "close fd7");
  EXPECT_EQ(existing.copy.Settle({0}), "failed: create T EEXIST");
}

// The worker holds the chain back and drops it: the old target has not been removed then.
TEST(FileCopyTargetTest, StoppedBeforeTheOldTargetIsRemovedItIsLeft) {
  Existing existing(RemovingDestination());
  EXPECT_FALSE(existing.copy.copy().is_making());
  EXPECT_EQ(existing.copy.Settle({0}), "unlink T");
  EXPECT_TRUE(existing.copy.copy().is_making());
  existing.copy.Stop();
  EXPECT_EQ(existing.copy.Settle({kCancelled}), "close fd7");
  EXPECT_EQ(existing.copy.Settle({0}), "cancelled");
  EXPECT_EQ(existing.copy.copy().old_target(), OldTarget::kKept);
}

// Nothing would have the name.
TEST(FileCopyTargetTest, StoppedAfterTheOldTargetWasRemovedItIsStillMade) {
  Existing existing(RemovingDestination());
  existing.copy.Settle({0});
  EXPECT_EQ(existing.copy.Settle({0}), "open T new 644>fd");
  existing.copy.Stop();
  EXPECT_EQ(existing.copy.Settle({kCancelled}), "open T new 644>fd");
  EXPECT_EQ(existing.copy.Settle({8}), kWrite);
  EXPECT_EQ(existing.copy.Settle({100, 0, 0}), "copied");
}

TEST(FileCopyTargetTest, WhatWasMadeAnewInTheTargetsPlaceIsRemovedIfItFails) {
  Existing existing({.preserve = {}, .force = true},
                    [](CopyScript* copy) { copy->target_stat.stx_nlink = 2; });
  existing.copy.Settle({0, 0});
  existing.copy.Settle({-EACCES});
  existing.copy.Settle({0});
  existing.copy.Settle({0});
  EXPECT_EQ(existing.copy.Settle({8}), kWrite);
  EXPECT_EQ(existing.copy.Settle({-ENOSPC, kCancelled, kCancelled}),
            "fstat fd8 = lstat T");
  EXPECT_EQ(existing.copy.Settle({0, 0}), "unlink T");
}

TEST(FileCopyTargetTest, StoppedBeforeForceRemovesItItStays) {
  Existing existing({.preserve = {}, .force = true});
  existing.copy.Settle({0, 0});
  existing.copy.Stop();
  EXPECT_EQ(existing.copy.Settle({-EACCES}), "close fd7");
  EXPECT_EQ(existing.copy.Settle({0}), "cancelled");
}

// Else neither the old file nor the new one would be there.
TEST(FileCopyTargetTest, StoppedWhenForceHasRemovedItASmallFileTakesItsPlace) {
  Existing existing({.preserve = {}, .force = true});
  existing.copy.Settle({0, 0});
  existing.copy.Settle({-EACCES});
  existing.copy.Settle({0});
  existing.copy.Stop();
  EXPECT_EQ(existing.copy.Settle({0}), "open T new 644>fd");
  EXPECT_EQ(existing.copy.Settle({8}), kWrite);
  EXPECT_EQ(existing.copy.Settle({100, 0, 0}), "copied");
}

TEST(FileCopyTargetTest, WithForceItIsRemovedOnce) {
  Existing existing({.preserve = {}, .force = true});
  CopyScript& copy = existing.copy;
  copy.Settle({0, 0});
  copy.Settle({-EACCES});
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({-ENOENT}), "open T new 644>fd");  // Gone by itself: as well.
  EXPECT_EQ(copy.copy().old_target(), OldTarget::kKept);
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");  // It is back again.
  EXPECT_EQ(copy.Settle({0, 0}), "open T>fd");
  EXPECT_EQ(copy.Settle({-EACCES}), "close fd7");
  EXPECT_EQ(copy.Settle({0}), "failed: create T EACCES");
}

TEST(FileCopyTargetTest, WithForceATargetThatCanNotBeRemovedFails) {
  Existing existing({.preserve = {}, .force = true});
  existing.copy.Settle({0, 0});
  existing.copy.Settle({-EACCES});
  existing.copy.Settle({0});
  EXPECT_EQ(existing.copy.Settle({-EPERM}), "close fd7");
  EXPECT_EQ(existing.copy.Settle({0}), "failed: unlink T EPERM");
}

TEST(FileCopyTargetTest, WithForceOneThatCanNotBeLookedAtAgainFails) {
  Existing existing({.preserve = {}, .force = true});
  existing.copy.Settle({0, 0});
  existing.copy.Settle({-EACCES});
  EXPECT_EQ(existing.copy.Settle({-EIO}), "close fd7");
  EXPECT_EQ(existing.copy.Settle({0}), "failed: unlink T EIO");
}

TEST(FileCopyTargetTest, ForceLeavesATargetThatCanBeOpened) {
  Existing existing({.preserve = {}, .force = true});
  EXPECT_EQ(existing.Empty(), kWrite);
}

// --- When it fails ---

TEST(FileCopyTargetTest, AnExistingTargetIsEmptiedWhenTheCopyFails) {
  Existing existing;
  CopyScript& copy = existing.copy;
  EXPECT_EQ(existing.Empty(), kWrite);
  EXPECT_EQ(copy.Settle({-ENOSPC, kCancelled, kCancelled}), "at once set size fd8 0");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "failed: write T ENOSPC");
  EXPECT_EQ(copy.copy().removal_error(), 0);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyTargetTest, TheReasonWhyItCouldNotBeEmptiedIsKept) {
  Existing existing;
  existing.Empty();
  existing.copy.Settle({30, kCancelled, kCancelled});
  existing.copy.Settle({-ENOSPC, kCancelled, kCancelled});
  EXPECT_EQ(existing.copy.Settle({-EIO}), "close fd8 = close fd7");
  EXPECT_EQ(existing.copy.Settle({0, 0}), "failed: write T ENOSPC");
  EXPECT_EQ(existing.copy.copy().removal_error(), EIO);
}

TEST(FileCopyTargetTest, StoppedHalfWayItIsEmptied) {
  Existing existing;
  existing.Empty();
  existing.copy.Stop();
  EXPECT_EQ(existing.copy.Settle({50, kCancelled, kCancelled}), "at once set size fd8 0");
  EXPECT_EQ(existing.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(existing.copy.Settle({0, 0}), "cancelled");
}

TEST(FileCopyTargetTest, StoppedBeforeItIsEmptiedItKeepsItsContents) {
  Existing existing;
  existing.copy.Settle({0, 0});
  existing.copy.Settle({8});
  existing.copy.Stop();
  EXPECT_EQ(existing.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(existing.copy.Settle({0, 0}), "cancelled");
}

// --- When another copy writes to it ---

// A copy whose target, inode 2, is claimed by another copy.
struct Claimed {
  Claimed() {
    EXPECT_TRUE(other_desk.TryTake({.device = 0, .inode = 2, .file_system = &local},
                                   {.name = "T", .file_system = &local}, false, &other));
    FileCopyPolicy policy;
    policy.claims = &desk;
    existing.emplace(policy);
    existing->Open();
  }
  ~Claimed() { other_desk.Release(&other); }

  // Whether nobody has claimed the target.
  bool is_free() {
    TargetClaims::Claim claim;
    const bool is_free =
        desk.TryTake({.device = 0, .inode = 2, .file_system = &local},
                     {.name = "T", .file_system = &local}, false, &claim);
    desk.Release(&claim);
    return is_free;
  }

  FileSystem local{/*device=*/0, LocalKind()};
  TargetClaims claims;
  TargetClaims::Desk other_desk{&claims, SystemKernel()};
  TargetClaims::Desk desk{&claims, SystemKernel()};
  TargetClaims::Claim other;
  std::optional<Existing> existing;
};

TEST(FileCopyTargetTest, ATargetThatAnotherCopyWritesToIsWaitedFor) {
  Claimed claimed;
  CopyScript& copy = claimed.existing->copy;
  EXPECT_EQ(claimed.existing->next, "awaits target");
  EXPECT_FALSE(copy.copy().done());
  EXPECT_EQ(copy.RetryTarget(), "awaits target");
  claimed.other_desk.Release(&claimed.other);
  // Its name may lead elsewhere by now.
  EXPECT_EQ(copy.RetryTarget(), "at once lstat T");
  EXPECT_FALSE(claimed.is_free());
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
  EXPECT_EQ(copy.Settle({0}), kWrite);
  EXPECT_FALSE(claimed.is_free());
  EXPECT_EQ(copy.Settle({100, 0, 0}), "copied");
  EXPECT_TRUE(claimed.is_free());
}

TEST(FileCopyTargetTest, ANewTargetIsItsOwnUntilItIsClosed) {
  TargetClaims claims;
  TargetClaims::Desk desk(&claims, SystemKernel());
  TargetClaims::Desk other_desk(&claims, SystemKernel());
  FileSystem local(/*device=*/0, LocalKind());
  // Whether another copy may have any file there.
  const auto is_free = [&] {
    TargetClaims::Claim claim;
    const bool is_free = other_desk.TryTake(
        {.device = 0, .inode = 2, .file_system = &local, .is_any = true},
        {.name = "T", .file_system = &local}, false, &claim);
    other_desk.Release(&claim);
    return is_free;
  };
  FileCopyPolicy policy;
  policy.claims = &desk;
  for (const uint64_t size : {100, 5000}) {
    CopyScript copy({.policy = policy, .size = size});
    copy.LookAtSource();
    EXPECT_FALSE(is_free());
    copy.Stop();
    // Either made or not.
    copy.Settle(size == 100 ? std::vector<int32_t>{0, 100, 0, 0}
                            : std::vector<int32_t>{-ENOSPC});
    if (!copy.copy().done()) copy.Settle({0});
    EXPECT_TRUE(is_free());
  }
}

TEST(FileCopyTargetTest, ATargetThatTheOtherCopyHasRemovedIsMadeAnew) {
  for (const int32_t look : {0, -ENOENT}) {
    Claimed claimed;
    CopyScript& copy = claimed.existing->copy;
    claimed.other_desk.Release(&claimed.other);
    copy.RetryTarget();
    copy.target_link_stat.stx_ino = 3;  // Somebody may have made another one.
    EXPECT_EQ(copy.Settle({look}), "close fd8");
    EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
    EXPECT_TRUE(claimed.is_free());
    EXPECT_EQ(copy.Settle({9}), "write fd9 100@0 - close fd9 = close fd7");
    EXPECT_EQ(copy.Settle({100, 0, 0}), "copied");
    EXPECT_TRUE(copy.all_blocks_back());
  }
}

// A chain is carried out either by the ring or by calls, never partly by both.
TEST(FileCopyTargetTest, WhereAClosingDidNotRunTheWholeLastChainIsCarriedOutAtOnce) {
  Claimed claimed;
  CopyScript& copy = claimed.existing->copy;
  claimed.other_desk.Release(&claimed.other);
  copy.RetryTarget();
  EXPECT_EQ(copy.Settle({-ENOENT}), "close fd8");
  EXPECT_EQ(copy.Settle({kCancelled}), "at once close fd8");
  EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({9}),
            "at once write fd9 100@0 - at once close fd9 = at once close fd7");
  EXPECT_EQ(copy.Settle({100, 0, 0}), "copied");
}

// There, two names of one file may have two inode numbers.
TEST(FileCopyTargetTest, OnOtherFileSystemsAllFilesWithSeveralNamesAreOneTarget) {
  FileSystem local{/*device=*/0, LocalKind()};
  TargetClaims claims;
  TargetClaims::Desk desk(&claims, SystemKernel());
  FileCopyPolicy policy;
  policy.claims = &desk;
  CopyScript first({.policy = policy, .local = false});
  CopyScript second({.policy = policy, .local = false});
  second.target_fd_stat.stx_ino = 3;
  std::string next;
  for (CopyScript* copy : {&first, &second}) {
    copy->target_fd_stat.stx_nlink = 2;
    copy->LookAtSource();
    copy->Settle({0});
    copy->Settle({-EEXIST});
    copy->Settle({0, 0});
    copy->Settle({8});
    next = copy->Settle({0});
  }
  EXPECT_EQ(next, "awaits target");
  first.Stop();
  first.Settle({0});
  EXPECT_EQ(first.Settle({0, 0}), "cancelled");
  EXPECT_EQ(second.RetryTarget(), "at once lstat T");
  second.Stop();
  second.Settle({0});
  EXPECT_EQ(second.Settle({0, 0}), "cancelled");
}

TEST(FileCopyTargetTest, ALinksTargetIsConfirmedThroughIt) {
  FileSystem local{/*device=*/0, LocalKind()};
  TargetClaims claims;
  TargetClaims::Desk desk(&claims, SystemKernel());
  FileCopyPolicy policy;
  policy.claims = &desk;
  Existing existing(policy, TargetIsALink);
  EXPECT_EQ(existing.Open(), "at once stat T");
  EXPECT_EQ(existing.copy.Settle({0}), "at once set size fd8 0");
  existing.copy.Settle({0});
  EXPECT_EQ(existing.copy.Settle({100, 0, 0}), "copied");
}

TEST(FileCopyTargetTest, OneThatIsReplacedAgainAndAgainIsGivenUp) {
  FileSystem local{/*device=*/0, LocalKind()};
  TargetClaims claims;
  TargetClaims::Desk desk(&claims, SystemKernel());
  FileCopyPolicy policy;
  policy.claims = &desk;
  Existing existing(policy);
  CopyScript& copy = existing.copy;
  int times = 0;
  for (; existing.Open() == "at once lstat T" && times < 1000; ++times) {
    copy.target_link_stat.stx_ino = 3;
    if (copy.Settle({0}) != "close fd8") break;
    EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
    copy.target_link_stat.stx_ino = 2;
    EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  }
  EXPECT_EQ(times, kRetriesMax);
  EXPECT_EQ(copy.Settle({0, 0}), "refused: target replaced");
  EXPECT_TRUE(copy.all_blocks_back());
}

// Once the kernel has not got round to closing one.
TEST(FileCopyTargetTest, WhatIsLetGoAgainIsClosedAtOnce) {
  TargetClaims claims;
  TargetClaims::Desk desk(&claims, SystemKernel());
  FileCopyPolicy policy;
  policy.claims = &desk;
  Existing existing(policy);
  CopyScript& copy = existing.copy;
  for (const bool is_first : {true, false}) {
    EXPECT_EQ(existing.Open(), "at once lstat T");
    copy.target_link_stat.stx_ino = 3;
    EXPECT_EQ(copy.Settle({0}), is_first ? "close fd8" : "at once close fd8");
    if (is_first) {
      EXPECT_EQ(copy.Settle({kCancelled}), "at once close fd8");
    }
    EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
    copy.target_link_stat.stx_ino = 2;
    EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  }
}

TEST(FileCopyTargetTest, StoppedWhileItIsConfirmedItKeepsItsContents) {
  Claimed claimed;
  CopyScript& copy = claimed.existing->copy;
  claimed.other_desk.Release(&claimed.other);
  copy.RetryTarget();
  copy.Stop();
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "cancelled");
  EXPECT_TRUE(claimed.is_free());
}

TEST(FileCopyTargetTest, AStoppedCopyWaitsNoLongerForItsTarget) {
  Claimed claimed;
  CopyScript& copy = claimed.existing->copy;
  copy.Stop();
  EXPECT_EQ(copy.RetryTarget(), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "cancelled");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyTargetTest, HoweverACopyEndsItGivesItsClaimBack) {
  struct Case {
    const char* name;
    void (*end)(CopyScript*);
  };
  const Case cases[] = {
      {"same file",
       [](CopyScript* copy) {
         copy->source_stat.stx_ino = 2;
         copy->LookAtSource();
         copy->Settle({-EEXIST, kCancelled, kCancelled, kCancelled});
         copy->Settle({0, 0});
         EXPECT_EQ(copy->Settle({0}), "refused: same file");
       }},
      {"new, written",
       [](CopyScript* copy) {
         copy->LookAtSource();
         EXPECT_EQ(copy->Settle({0, 100, 0, 0}), "copied");
       }},
      {"new, not made",
       [](CopyScript* copy) {
         copy->LookAtSource();
         copy->Settle({-ENOSPC, kCancelled, kCancelled, kCancelled});
         EXPECT_EQ(copy->Settle({0}), "failed: create T ENOSPC");
       }},
      {"existing, failed",
       [](CopyScript* copy) {
         copy->LookAtSource();
         copy->Settle({-EEXIST, kCancelled, kCancelled, kCancelled});
         copy->Settle({0, 0});
         copy->Settle({8});
         copy->Settle({0});
         copy->Settle({0});
         copy->Settle({-EIO});
         EXPECT_EQ(copy->Settle({0, 0}), "failed: create T EIO");
       }},
  };
  for (const Case& ending : cases) {
    SCOPED_TRACE(ending.name);
    FileSystem local{/*device=*/0, LocalKind()};
    TargetClaims claims;
    TargetClaims::Desk desk(&claims,
                            SystemKernel());  // Stops the program if a claim is left.
    FileCopyPolicy policy;
    policy.claims = &desk;
    CopyScript copy({.policy = policy});
    ending.end(&copy);
    TargetClaims::Claim claim;
    EXPECT_TRUE(desk.TryTake({.device = 0, .inode = 2, .file_system = &local},
                             {.name = "T", .file_system = &local}, false, &claim));
    desk.Release(&claim);
  }
}

}  // namespace
}  // namespace ringcp

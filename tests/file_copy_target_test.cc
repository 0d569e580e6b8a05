// The state machine of one file's copy where the target exists already; copy_script.h
// explains the notation.

#include <sys/stat.h>

#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include "core/file_copy.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;

// A copy whose target exists: what it wants next. With `made`, its source and target are
// changed first.
struct Existing {
  explicit Existing(
      const FileCopyPolicy& policy = {},
      const std::function<void(CopyScript*)>& made = [](CopyScript*) {})
      : copy({.policy = policy}) {
    made(&copy);
    copy.Start();
    copy.Settle({0, 0});
    next = copy.Settle({-EEXIST, kCancelled, kCancelled, kCancelled, kCancelled});
  }
  CopyScript copy;
  std::string next;
};

void TargetIsALink(CopyScript* copy) { copy->target_link_stat.stx_mode = S_IFLNK | 0777; }

TEST(FileCopyTargetTest, AnExistingFileIsOverwritten) {
  Existing existing;
  CopyScript& copy = existing.copy;
  EXPECT_EQ(existing.next, "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "open T truncated>s1");
  EXPECT_EQ(copy.Settle({0}), "read s0 100@0 - write s1 100@0");
  EXPECT_EQ(copy.Settle({100, 100}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_found.value(), 100);
}

TEST(FileCopyTargetTest, ALargeFileFindsAnExistingTargetToo) {
  CopyScript copy({.size = 5000});
  copy.Start();
  copy.Settle({0, 0});
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "open T truncated>s1");
}

TEST(FileCopyTargetTest, ALinkToAFileIsWrittenThrough) {
  Existing existing({}, TargetIsALink);
  EXPECT_EQ(existing.copy.Settle({0, 0}), "open T truncated following>s1");
}

TEST(FileCopyTargetTest, WithNoClobberItIsLeftAlone) {
  Existing existing({.preserve = {}, .no_clobber = true});
  EXPECT_EQ(existing.next, "lstat T - stat T");
  EXPECT_EQ(existing.copy.Settle({0, 0}), "close s0");
  EXPECT_EQ(existing.copy.Settle({0}), "skipped");
}

TEST(FileCopyTargetTest, WithNoClobberADanglingLinkIsRefusedAllTheSame) {
  Existing existing({.preserve = {}, .no_clobber = true}, TargetIsALink);
  EXPECT_EQ(existing.copy.Settle({0, -ENOENT}), "close s0");
  EXPECT_EQ(existing.copy.Settle({0}), "refused: dangling");
}

TEST(FileCopyTargetTest, WithNoClobberAnUnreadableSourceMattersOnlyForANewTarget) {
  for (const int target : {0, -ENOENT}) {
    FileCopyPolicy policy;
    policy.no_clobber = true;
    CopyScript copy({.policy = policy});
    copy.Start();
    EXPECT_EQ(copy.Settle({-EACCES, -ECANCELED}), "lstat S - stat T");
    EXPECT_EQ(copy.Settle({0, target}),
              target == 0 ? "skipped" : "failed: open S EACCES");
  }
}

TEST(FileCopyTargetTest, WithNoClobberASourceThatCanNotBeLookedAtIsAFailureAllTheSame) {
  FileCopyPolicy policy;
  policy.no_clobber = true;
  CopyScript copy({.policy = policy});
  copy.Start();
  copy.Settle({-EACCES, -ECANCELED});
  EXPECT_EQ(copy.Settle({-EACCES, 0}), "failed: stat S EACCES");
}

TEST(FileCopyTargetTest, WhatWasMadeAnewInTheTargetsPlaceIsRemovedIfItFails) {
  Existing existing({.preserve = {}, .force = true},
                    [](CopyScript* copy) { copy->target_stat.stx_nlink = 2; });
  EXPECT_EQ(existing.copy.Settle({0, 0}), "open T truncated>s1");
  EXPECT_EQ(existing.copy.Settle({-EACCES}), "unlink T");
  EXPECT_EQ(existing.copy.Settle({0}), "open T new 644>s1");
  std::string next = existing.copy.Settle({0});
  EXPECT_EQ(next, "read s0 100@0 - write s1 100@0");
  EXPECT_EQ(existing.copy.Settle({100, -ENOSPC}), "close s1 = close s0");
  EXPECT_EQ(existing.copy.Settle({0, 0}), "unlink T");
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
    EXPECT_EQ(existing.copy.Settle(refused.stats), "close s0") << refused.outcome;
    EXPECT_EQ(existing.copy.Settle({0}), refused.outcome);
  }
}

TEST(FileCopyTargetTest, AFileOfTheSameNumberOnAnotherDeviceIsAnotherFile) {
  Existing existing({}, [](CopyScript* copy) {
    copy->target_stat.stx_ino = copy->source_stat.stx_ino;
    copy->target_stat.stx_dev_minor = 9;
  });
  EXPECT_EQ(existing.copy.Settle({0, 0}), "open T truncated>s1");
}

TEST(FileCopyTargetTest, ATargetThatIsGoneMeanwhileIsMadeAnew) {
  // Kernels differ in whether the failed lstat cancels the stat behind it.
  for (const int32_t stat_result : {-ENOENT, kCancelled}) {
    Existing existing;
    EXPECT_EQ(existing.copy.Settle({-ENOENT, stat_result}), "open T new 644>s1");
    EXPECT_EQ(existing.copy.Settle({0}), "read s0 100@0 - write s1 100@0");
  }
}

TEST(FileCopyTargetTest, ATargetThatComesAndGoesIsGivenUp) {
  Existing existing;
  CopyScript& copy = existing.copy;
  std::string next = copy.Settle({-ENOENT, -ENOENT});
  int times = 0;
  for (; next == "open T new 644>s1" && times < 1000; ++times) {
    ASSERT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
    next = copy.Settle({-ENOENT, -ENOENT});
  }
  EXPECT_LE(times, kRetriesMax);
  EXPECT_EQ(next, "close s0");
  EXPECT_EQ(copy.Settle({0}), "failed: stat T ENOENT");
}

TEST(FileCopyTargetTest, OneThatCanNotBeOpenedFails) {
  for (const int error : {EACCES, ETXTBSY, EPERM}) {
    Existing existing;
    EXPECT_EQ(existing.copy.Settle({0, 0}), "open T truncated>s1");
    EXPECT_EQ(existing.copy.Settle({-error}), "close s0");
    EXPECT_EQ(existing.copy.Settle({0}), "failed: create T " + ErrnoName(error));
  }
}

TEST(FileCopyTargetTest, WithForceOneThatCanNotBeOpenedIsReplaced) {
  Existing existing({.preserve = {}, .force = true});
  CopyScript& copy = existing.copy;
  EXPECT_EQ(copy.Settle({0, 0}), "open T truncated>s1");
  EXPECT_EQ(copy.Settle({-EACCES}), "unlink T");
  EXPECT_EQ(copy.Settle({0}), "open T new 644>s1");
  EXPECT_EQ(copy.Settle({0}), "read s0 100@0 - write s1 100@0");
  EXPECT_EQ(copy.Settle({100, 100}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

TEST(FileCopyTargetTest, StoppedBeforeForceRemovesItItStays) {
  Existing existing({.preserve = {}, .force = true});
  existing.copy.Settle({0, 0});
  existing.copy.Stop();
  EXPECT_EQ(existing.copy.Settle({-EACCES}), "close s0");
  EXPECT_EQ(existing.copy.Settle({0}), "cancelled");
}

TEST(FileCopyTargetTest, StoppedWhenForceHasRemovedItNothingTakesItsPlace) {
  Existing existing({.preserve = {}, .force = true});
  existing.copy.Settle({0, 0});
  existing.copy.Settle({-EACCES});
  existing.copy.Stop();
  EXPECT_EQ(existing.copy.Settle({0}), "close s0");
  EXPECT_EQ(existing.copy.Settle({0}), "cancelled");
}

TEST(FileCopyTargetTest, WithForceItIsRemovedOnce) {
  Existing existing({.preserve = {}, .force = true});
  CopyScript& copy = existing.copy;
  copy.Settle({0, 0});
  copy.Settle({-EACCES});
  EXPECT_EQ(copy.Settle({-ENOENT}), "open T new 644>s1");  // Gone by itself: as well.
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");   // Back again.
  EXPECT_EQ(copy.Settle({0, 0}), "open T truncated>s1");
  EXPECT_EQ(copy.Settle({-EACCES}), "close s0");
  EXPECT_EQ(copy.Settle({0}), "failed: create T EACCES");
}

TEST(FileCopyTargetTest, WithForceOneThatCanNotBeRemovedFails) {
  Existing existing({.preserve = {}, .force = true});
  existing.copy.Settle({0, 0});
  existing.copy.Settle({-EACCES});
  EXPECT_EQ(existing.copy.Settle({-EPERM}), "close s0");
  EXPECT_EQ(existing.copy.Settle({0}), "failed: unlink T EPERM");
}

TEST(FileCopyTargetTest, ForceLeavesATargetThatCanBeOpened) {
  Existing existing({.preserve = {}, .force = true});
  existing.copy.Settle({0, 0});
  EXPECT_EQ(existing.copy.Settle({0}), "read s0 100@0 - write s1 100@0");
}

TEST(FileCopyTargetTest, AnInterruptedOpenLooksAtTheTargetAgain) {
  Existing existing;
  CopyScript& copy = existing.copy;
  copy.Settle({0, 0});
  EXPECT_EQ(copy.Settle({-EINTR}), "open T new 644>s1");
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "open T truncated>s1");
  EXPECT_EQ(copy.Settle({0}), "read s0 100@0 - write s1 100@0");
}

TEST(FileCopyTargetTest, OneThatWasTruncatedIsRemovedWhenTheCopyFails) {
  Existing existing;
  CopyScript& copy = existing.copy;
  copy.Settle({0, 0});
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({100, -ENOSPC}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(copy.Settle({0}), "failed: write T ENOSPC");
}

TEST(FileCopyTargetTest, OneThatOtherNamesLeadToIsEmptiedWhenTheCopyFails) {
  for (const auto& made : {std::function<void(CopyScript*)>(TargetIsALink),
                           std::function<void(CopyScript*)>([](CopyScript* copy) {
                             copy->target_stat.stx_nlink = 2;
                           })}) {
    Existing existing({}, made);
    CopyScript& copy = existing.copy;
    copy.Settle({0, 0});
    copy.Settle({0});
    EXPECT_EQ(copy.Settle({100, -ENOSPC}), "install s1");
    EXPECT_EQ(copy.Settle({9}), "set size fd9 0");
    EXPECT_EQ(copy.Settle({0}), "close s1 = close fd9 = close s0");
    EXPECT_EQ(copy.Settle({0, 0, 0}), "failed: write T ENOSPC");
  }
}

TEST(FileCopyTargetTest, WhereItCanNotBeEmptiedByASlotItStaysAsItIs) {
  Existing existing({}, TargetIsALink);
  CopyScript& copy = existing.copy;
  copy.Settle({0, 0});
  copy.Settle({0});
  copy.Stop();
  EXPECT_EQ(copy.Settle({100, 50}), "install s1");
  EXPECT_EQ(copy.Settle({-EINVAL}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "cancelled");
}

TEST(FileCopyTargetTest, WithLinksKeptOneOfSeveralNamesIsReplaced) {
  Existing existing({.preserve = {.links = true}},
                    [](CopyScript* copy) { copy->target_stat.stx_nlink = 2; });
  EXPECT_EQ(existing.copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(existing.copy.Settle({0}), "open T new 644>s1");
}

}  // namespace
}  // namespace ringcp

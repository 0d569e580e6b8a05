// The state machine of one file's copy, fed with made-up results; copy_script.h explains
// the notation. Attributes are in file_copy_attributes_test.cc.

#include "core/file_copy.h"

#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;
constexpr char kWhole[] =
    "open T new 644>s1 - read s0 100@0 - write s1 100@0 - close s1 = close s0";

// A copy whose source has been opened, and what it wants next.
struct Opened {
  explicit Opened(const CopyScript::Setup& setup = {}) : copy(setup) {
    copy.Start();
    next = copy.Settle({0, 0});
  }
  CopyScript copy;
  std::string next;
};

// One that has found its target existing: its two stats come next.
struct FoundTarget : Opened {
  explicit FoundTarget(const CopyScript::Setup& setup = {}) : Opened(setup) {
    next = copy.Settle({-EEXIST, kCancelled, kCancelled, kCancelled, kCancelled});
  }
};

// One of three blocks that is reading and writing.
struct Pumping : Opened {
  explicit Pumping(CopyScript::Setup setup = {})
      : Opened([&] {
          setup.size = 3 * CopyScript::kBlock;
          return setup;
        }()) {
    next = copy.Settle({0});
  }
};

// --- One block ---

TEST(FileCopyTest, AFileOfOneBlockIsCopiedByTwoChains) {
  CopyScript copy;
  EXPECT_EQ(copy.Start(), "open S>s0 - lstat S");
  EXPECT_EQ(copy.Settle({0, 0}), kWhole);
  EXPECT_EQ(copy.Settle({0, 100, 100, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 100);
  EXPECT_EQ(copy.counters().bytes_found.value(), 100);
  EXPECT_EQ(copy.counters().short_reads.value(), 0);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyTest, AFileOfExactlyOneBlockIsCopiedWholeToo) {
  Opened opened({.size = CopyScript::kBlock});
  EXPECT_EQ(opened.next,
            "open T new 644>s1 - read s0 4096@0 - write s1 4096@0 - close s1 = close s0");
}

TEST(FileCopyTest, ALinkAsSourceIsFollowedIfAsked) {
  CopyScript copy({.follow_source = true});
  EXPECT_EQ(copy.Start(), "open S following>s0 - stat S");
}

TEST(FileCopyTest, AShortReadIsContinuedWhereItEnded) {
  Opened opened;
  CopyScript& copy = opened.copy;
  EXPECT_EQ(copy.Settle({0, 60, kCancelled, kCancelled, kCancelled}), "write s1 60@0");
  EXPECT_EQ(copy.Settle({60}), "read s0 40@60 - write s1 40@60");
  EXPECT_EQ(copy.Settle({40, 40}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().short_reads.value(), 1);
  EXPECT_EQ(copy.counters().bytes_done.value(), 100);
}

TEST(FileCopyTest, AShortWriteIsContinuedWithoutReadingAgain) {
  Opened opened;
  CopyScript& copy = opened.copy;
  EXPECT_EQ(copy.Settle({0, 100, 30, kCancelled, kCancelled}), "write s1 70@30");
  EXPECT_EQ(copy.Settle({69}), "write s1 1@99");
  EXPECT_EQ(copy.Settle({1}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().short_writes.value(), 2);
  EXPECT_EQ(copy.counters().bytes_done.value(), 100);
}

TEST(FileCopyTest, ASourceThatShrankIsCopiedUpToItsEnd) {
  Opened opened;
  CopyScript& copy = opened.copy;
  EXPECT_EQ(copy.Settle({0, 60, kCancelled, kCancelled, kCancelled}), "write s1 60@0");
  EXPECT_EQ(copy.Settle({60}), "read s0 40@60 - write s1 40@60");
  EXPECT_EQ(copy.Settle({0, kCancelled}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

TEST(FileCopyTest, ASourceThatIsEmptyByNowGivesAnEmptyTarget) {
  Opened opened;
  EXPECT_EQ(opened.copy.Settle({0, 0, kCancelled, kCancelled, kCancelled}),
            "close s1 = close s0");
  EXPECT_EQ(opened.copy.Settle({0, 0}), "copied");
}

TEST(FileCopyTest, InterruptedReadsAndWritesAreTriedAgain) {
  Opened opened;
  CopyScript& copy = opened.copy;
  EXPECT_EQ(copy.Settle({0, -EINTR, kCancelled, kCancelled, kCancelled}),
            "read s0 100@0 - write s1 100@0");
  EXPECT_EQ(copy.Settle({-EAGAIN, kCancelled}), "read s0 100@0 - write s1 100@0");
  EXPECT_EQ(copy.Settle({100, -EINTR}), "write s1 100@0");
  EXPECT_EQ(copy.Settle({0}), "write s1 100@0");  // Written nothing: likewise.
  EXPECT_EQ(copy.Settle({100}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().retries.value(), 4);
}

TEST(FileCopyTest, TryingAgainIsBoundedUnlessThereIsProgress) {
  for (const int error : {EINTR, EAGAIN}) {
    Opened opened;
    CopyScript& copy = opened.copy;
    ASSERT_EQ(copy.Settle({0, 100, 1, kCancelled, kCancelled}), "write s1 99@1");
    for (int i = 0; i < kRetriesMax; ++i) {
      ASSERT_EQ(copy.Settle({-error}), "write s1 99@1");
    }
    ASSERT_EQ(copy.Settle({1}), "write s1 98@2");  // Progress: all over again.
    for (int i = 0; i < kRetriesMax; ++i) {
      ASSERT_EQ(copy.Settle({-error}), "write s1 98@2");
    }
    EXPECT_EQ(copy.Settle({-error}), "close s1 = close s0");
    EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
    EXPECT_EQ(copy.Settle({0}),
              error == EINTR ? "failed: write T EIO" : "failed: write T EAGAIN");
    EXPECT_TRUE(copy.all_blocks_back());
  }
}

TEST(FileCopyTest, AnInterruptedOpenIsTriedAgain) {
  CopyScript copy;
  copy.Start();
  EXPECT_EQ(copy.Settle({-EINTR, kCancelled}), "open S>s0 - lstat S");
  EXPECT_EQ(copy.Settle({0, 0}), kWhole);
  EXPECT_EQ(copy.Settle({-EINTR, kCancelled, kCancelled, kCancelled, kCancelled}),
            "open T new 644>s1");
  EXPECT_EQ(copy.Settle({-EAGAIN}), "open T new 644>s1");
  EXPECT_EQ(copy.Settle({0}), "read s0 100@0 - write s1 100@0");
}

TEST(FileCopyTest, ALeaseOnTheSourceIsWaitedFor) {
  CopyScript copy;
  copy.Start();
  EXPECT_EQ(copy.Settle({-EAGAIN, kCancelled}), "open S waiting>s0 - lstat S");
}

TEST(FileCopyTest, StoppedItWaitsForNoLease) {
  CopyScript copy;
  copy.Start();
  copy.Stop();
  EXPECT_EQ(copy.Settle({-EAGAIN, kCancelled}), "cancelled");
}

TEST(FileCopyTest, WhatCanNotBeOpenedFails) {
  struct Case {
    int error_number;
    const char* outcome;
  };
  for (const Case& failing :
       {Case{EACCES, "failed: open S EACCES"}, Case{ENOENT, "failed: stat S ENOENT"},
        Case{EMFILE, "failed: open S EMFILE"}, Case{ELOOP, "source is other"}}) {
    CopyScript copy;
    copy.Start();
    EXPECT_EQ(copy.Settle({-failing.error_number, kCancelled}), failing.outcome);
  }
}

TEST(FileCopyTest, AFailedStatOfTheSourceClosesIt) {
  CopyScript copy;
  copy.Start();
  EXPECT_EQ(copy.Settle({0, -EIO}), "close s0");
  EXPECT_EQ(copy.Settle({0}), "failed: stat S EIO");
}

TEST(FileCopyTest, ASourceThatIsNoRegularFileAnyMoreIsRefused) {
  for (const mode_t type : {S_IFDIR, S_IFIFO, S_IFLNK, S_IFCHR}) {
    CopyScript copy;
    copy.source_stat.stx_mode = static_cast<uint16_t>(type | 0644);
    copy.Start();
    EXPECT_EQ(copy.Settle({0, 0}), "close s0");
    EXPECT_EQ(copy.Settle({0}), "source is other");
  }
}

TEST(FileCopyTest, AFailedReadOrWriteRemovesTheTarget) {
  struct Case {
    std::vector<int32_t> results;
    const char* outcome;
  };
  const Case cases[] = {
      {{0, -EIO, kCancelled, kCancelled, kCancelled}, "failed: read S EIO"},
      {{0, 100, -ENOSPC, kCancelled, kCancelled}, "failed: write T ENOSPC"},
      {{0, 100, -EDQUOT, kCancelled, kCancelled}, "failed: write T EDQUOT"},
  };
  for (const Case& failing : cases) {
    Opened opened;
    EXPECT_EQ(opened.copy.Settle(failing.results), "close s1 = close s0");
    EXPECT_EQ(opened.copy.Settle({0, 0}), "unlink T");
    EXPECT_EQ(opened.copy.Settle({0}), failing.outcome);
    EXPECT_TRUE(opened.copy.all_blocks_back());
  }
}

TEST(FileCopyTest, AFailedCloseRemovesTheTarget) {
  Opened opened;
  EXPECT_EQ(opened.copy.Settle({0, 100, 100, -EIO, 0}), "unlink T");
  EXPECT_EQ(opened.copy.Settle({0}), "failed: close T EIO");
}

TEST(FileCopyTest, ALaterFailedCloseRemovesTheTargetAsWell) {
  Opened opened;
  opened.copy.Settle({0, 100, 99, kCancelled, kCancelled});
  EXPECT_EQ(opened.copy.Settle({1}), "close s1 = close s0");
  EXPECT_EQ(opened.copy.Settle({-EDQUOT, 0}), "unlink T");
  EXPECT_EQ(opened.copy.Settle({0}), "failed: close T EDQUOT");
}

TEST(FileCopyTest, HowClosingTheSourceEndsDoesNotMatter) {
  Opened opened;
  EXPECT_EQ(opened.copy.Settle({0, 100, 100, 0, -EIO}), "copied");
}

TEST(FileCopyTest, AnInterruptedCloseHasClosedTheFile) {
  Opened whole;
  EXPECT_EQ(whole.copy.Settle({0, 100, 100, -EINTR, 0}), "copied");
  Opened later;
  later.copy.Settle({0, 100, 99, kCancelled, kCancelled});
  later.copy.Settle({1});
  EXPECT_EQ(later.copy.Settle({-EINTR, 0}), "copied");
}

TEST(FileCopyTest, WhyAHalfWrittenTargetCouldNotBeRemovedIsKept) {
  Opened opened;
  opened.copy.Settle({0, 100, -ENOSPC, kCancelled, kCancelled});
  opened.copy.Settle({0, 0});
  EXPECT_EQ(opened.copy.Settle({-EROFS}), "failed: write T ENOSPC");
  EXPECT_EQ(opened.copy.copy().removal_error(), EROFS);
}

TEST(FileCopyTest, AHalfWrittenTargetThatIsGoneAlreadyNeedsNoRemoving) {
  Opened opened;
  opened.copy.Settle({0, 100, -ENOSPC, kCancelled, kCancelled});
  opened.copy.Settle({0, 0});
  EXPECT_EQ(opened.copy.Settle({-ENOENT}), "failed: write T ENOSPC");
  EXPECT_EQ(opened.copy.copy().removal_error(), 0);
}

TEST(FileCopyTest, WhatCanNotBeCreatedFails) {
  for (const int error : {EACCES, ENOSPC, EROFS, ENOENT, ENAMETOOLONG}) {
    Opened opened;
    EXPECT_EQ(
        opened.copy.Settle({-error, kCancelled, kCancelled, kCancelled, kCancelled}),
        "close s0");
    EXPECT_EQ(opened.copy.Settle({0}), "failed: create T " + ErrnoName(error));
    EXPECT_TRUE(opened.copy.all_blocks_back());
  }
}

// --- Without slots ---

TEST(FileCopyTest, WithoutSlotsOrdinaryDescriptorsAreUsed) {
  CopyScript copy({.policy = {.preserve = {}, .use_slots = false}});
  EXPECT_EQ(copy.Start(), "open S>fd");
  EXPECT_EQ(copy.Settle({7}), "fstat fd7");
  EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), "read fd7 100@0 - write fd8 100@0");
  EXPECT_EQ(copy.Settle({100, 100}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

// --- Stopping ---

TEST(FileCopyTest, StoppedBeforeTheTargetIsThereItLeavesNothing) {
  CopyScript copy;
  copy.Start();
  copy.Stop();
  EXPECT_EQ(copy.Settle({0, 0}), "close s0");
  EXPECT_EQ(copy.Settle({0}), "cancelled");
}

TEST(FileCopyTest, StoppedWhenTheTargetBecameCompleteItHasCopied) {
  Opened opened;
  opened.copy.Stop();
  EXPECT_EQ(opened.copy.Settle({0, 100, 100, 0, 0}), "copied");
}

TEST(FileCopyTest, StoppedHalfWayItRemovesTheTarget) {
  Opened opened;
  opened.copy.Stop();
  EXPECT_EQ(opened.copy.Settle({0, 100, 99, kCancelled, kCancelled}),
            "close s1 = close s0");
  EXPECT_EQ(opened.copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(opened.copy.Settle({0}), "cancelled");
  EXPECT_TRUE(opened.copy.all_blocks_back());
}

TEST(FileCopyTest, StoppedWithAFailureItHasFailed) {
  Opened opened;
  opened.copy.Stop();
  opened.copy.Settle({0, 100, -EIO, kCancelled, kCancelled});
  opened.copy.Settle({0, 0});
  EXPECT_EQ(opened.copy.Settle({0}), "failed: write T EIO");
}

TEST(FileCopyTest, StoppedWithManyLanesItWaitsForAllOfThem) {
  Pumping pumping;
  CopyScript& copy = pumping.copy;
  copy.Stop();
  EXPECT_EQ(copy.Settle(1, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(0, {4096, 100}), "");
  EXPECT_EQ(copy.Settle(2, {4096, 4096}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(copy.Settle({0}), "cancelled");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyTest, StoppedBeforeTheExistingTargetIsOpenedItLeavesThatAlone) {
  FoundTarget found;
  found.copy.Stop();
  EXPECT_EQ(found.copy.Settle({0, 0}), "close s0");
  EXPECT_EQ(found.copy.Settle({0}), "cancelled");
}

// --- Several links ---

TEST(FileCopyTest, AFileWithSeveralLinksWaitsForADecision) {
  for (const bool proceeds : {true, false}) {
    CopyScript copy({.policy = {.preserve = {.links = true}}});
    copy.source_stat.stx_nlink = 2;
    copy.Start();
    EXPECT_EQ(copy.Settle({0, 0}), "multiply linked");
    EXPECT_EQ(copy.copy().stat().stx_ino, 1u);
    if (proceeds) {
      EXPECT_EQ(copy.Proceed(), kWhole);
      EXPECT_EQ(copy.Settle({0, 100, 100, 0, 0}), "copied");
    } else {
      EXPECT_EQ(copy.Abandon(), "close s0");
      EXPECT_EQ(copy.Settle({0}), "abandoned");
      EXPECT_EQ(copy.counters().bytes_found.value(), 0);
    }
  }
}

TEST(FileCopyTest, SeveralLinksDoNotMatterUnlessTheyAreToBeKept) {
  CopyScript copy;
  copy.source_stat.stx_nlink = 2;
  copy.Start();
  EXPECT_EQ(copy.Settle({0, 0}), kWhole);
}

TEST(FileCopyTest, ACopyCanBeUsedAgain) {
  Opened opened;
  opened.copy.Settle({0, 100, -EIO, kCancelled, kCancelled});
  opened.copy.Settle({0, 0});
  opened.copy.Settle({0});
  EXPECT_EQ(opened.copy.Start(), "open S>s0 - lstat S");
  EXPECT_EQ(opened.copy.Settle({0, 0}), kWhole);
  EXPECT_EQ(opened.copy.Settle({0, 100, 100, 0, 0}), "copied");
}

}  // namespace
}  // namespace ringcp

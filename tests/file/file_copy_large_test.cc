// Tests the state machine of one file's copy if one block is not enough or the size is
// not known. copy_script.h explains the notation.

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/file/file_copy.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;

// A copy with open files, and what it wants next.
struct Pumping {
  explicit Pumping(const CopyScript::Setup& setup) : copy(setup) {
    next = copy.OpenBoth();
  }

  // Confirms the end and closes the files. Returns the outcome.
  std::string End(uint64_t end) {
    EXPECT_EQ(next, absl::StrCat("at once read fd7 4096@", end));
    EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
    std::string outcome = copy.Settle({0, 0});
    EXPECT_TRUE(copy.all_blocks_back());
    return outcome;
  }

  // Removes the half-written target. Returns the outcome.
  std::string Remove() {
    EXPECT_EQ(next, "fstat fd8 = lstat T");
    EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
    EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
    std::string outcome = copy.Settle({0, 0});
    EXPECT_TRUE(copy.all_blocks_back());
    return outcome;
  }

  CopyScript copy;
  std::string next;
};

TEST(FileCopyLargeTest, EachBlockHasALaneOfItsOwn) {
  Pumping pumping({.size = 10'000});
  CopyScript& copy = pumping.copy;
  EXPECT_EQ(pumping.next,
            "0: read fd7 4096@0 - write fd8 4096@0 | "
            "1: read fd7 4096@4096 - write fd8 4096@4096 | "
            "2: read fd7 1808@8192 - write fd8 1808@8192");
  EXPECT_EQ(copy.Settle(2, {1808, 1808}), "");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  pumping.next = copy.Settle(1, {4096, 4096});
  EXPECT_EQ(pumping.End(10'000), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 10'000);
}

// The first read comes together with the stat, before the size is known.
TEST(FileCopyLargeTest, TheFirstBlockIsReadAgainWhateverTheFirstReadGave) {
  for (const int32_t first : {4096, 17, 0, -EIO}) {
    CopyScript copy({.size = 5000});
    copy.OpenSource();
    EXPECT_EQ(copy.Settle({0, first}), "open T new 644>fd");
    EXPECT_EQ(copy.Settle({8}).substr(0, 38), "0: read fd7 4096@0 - write fd8 4096@0 ");
  }
}

TEST(FileCopyLargeTest, ALaneThatIsFreeTakesTheNextBlock) {
  Pumping pumping({.size = 12'288, .extra_blocks = 1});
  EXPECT_EQ(pumping.next,
            "0: read fd7 4096@0 - write fd8 4096@0 | "
            "1: read fd7 4096@4096 - write fd8 4096@4096");
  EXPECT_EQ(pumping.copy.Settle(1, {4096, 4096}),
            "1: read fd7 4096@8192 - write fd8 4096@8192");
  EXPECT_EQ(pumping.copy.Settle(1, {4096, 4096}), "");
  pumping.next = pumping.copy.Settle(0, {4096, 4096});
  EXPECT_EQ(pumping.End(12'288), "copied");
}

TEST(FileCopyLargeTest, WithoutBlocksToBorrowItGoesOnWithItsOwn) {
  Pumping pumping({.size = 8192, .extra_blocks = 0});
  EXPECT_EQ(pumping.next, "read fd7 4096@0 - write fd8 4096@0");
  EXPECT_EQ(pumping.copy.Settle({4096, 4096}),
            "read fd7 4096@4096 - write fd8 4096@4096");
  pumping.next = pumping.copy.Settle({4096, 4096});
  EXPECT_EQ(pumping.End(8192), "copied");
}

TEST(FileCopyLargeTest, ALastLaneIsContinuedAfterTheFirstHasEnded) {
  struct Case {
    std::vector<int32_t> results;
    const char* next;
  };
  const Case cases[] = {
      {{4000, kCancelled}, "1: write fd8 4000@4096"},
      {{4096, 4000}, "1: write fd8 96@8096"},
      {{-EINTR, kCancelled}, "1: read fd7 4096@4096 - write fd8 4096@4096"},
      {{4096, -EAGAIN}, "1: write fd8 4096@4096"},
      {{4096, kCancelled}, "1: write fd8 4096@4096"},
      {{4096, 0}, "1: write fd8 4096@4096"},
  };
  for (const Case& unfinished : cases) {
    Pumping pumping({.size = 8192});
    EXPECT_EQ(pumping.copy.Settle(0, {4096, 4096}), "");
    EXPECT_EQ(pumping.copy.Settle(1, unfinished.results), unfinished.next);
  }
}

TEST(FileCopyLargeTest, WithoutABlockForTheFirstLaneTheOthersGoOn) {
  Pumping pumping({.size = 20'480, .extra_blocks = 1});
  CopyScript& copy = pumping.copy;
  EXPECT_EQ(copy.Settle(0, {4096, 100}), "write fd8 3996@100");
  EXPECT_EQ(copy.Settle(1, {4096, 100}), "1: write fd8 3996@4196");
  EXPECT_EQ(copy.Settle(0, {3996}), "read fd7 4096@8192 - write fd8 4096@8192");
  EXPECT_EQ(copy.Settle(1, {3996}), "1: read fd7 4096@12288 - write fd8 4096@12288");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "read fd7 4096@16384 - write fd8 4096@16384");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(1, {4096, 1}), "1: write fd8 4095@12289");
  pumping.next = copy.Settle(1, {4095});
  EXPECT_EQ(pumping.End(20'480), "copied");
}

TEST(FileCopyLargeTest, AFailedLaneEndsTheOthers) {
  Pumping pumping({.size = 10 * 4096});
  CopyScript& copy = pumping.copy;
  EXPECT_EQ(copy.Settle(3, {4096, -ENOSPC}), "");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(1, {100, kCancelled}), "");  // Not continued.
  EXPECT_EQ(copy.Settle(2, {-EIO, kCancelled}), "");
  for (const int lane : {4, 5, 6}) EXPECT_EQ(copy.Settle(lane, {4096, 4096}), "");
  pumping.next = copy.Settle(7, {4096, -EINTR});
  EXPECT_EQ(pumping.Remove(), "failed: write T ENOSPC");  // The first failure counts.
}

// Other lanes read or wrote beyond the end before the source was cut.
TEST(FileCopyLargeTest, ASourceThatWasCutGivesATargetThatEndsWhereTheFirstReadMetTheEnd) {
  // In whatever order they do.
  for (const auto& [one, other] : {std::pair(3, 1), std::pair(1, 3)}) {
    Pumping pumping({.size = 20'480});
    CopyScript& copy = pumping.copy;
    EXPECT_EQ(copy.Settle(4, {4096, 4096}), "");
    EXPECT_EQ(copy.Settle(one, {0, kCancelled}), "");
    EXPECT_EQ(copy.Settle(other, {0, kCancelled}), "");  // Between two others.
    EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
    EXPECT_EQ(copy.Settle(2, {4096, 4096}), "at once set size fd8 4096");
    pumping.next = copy.Settle({0});
    EXPECT_EQ(pumping.End(4096), "copied");
  }
}

TEST(FileCopyLargeTest, ASourceCutWithinABlockGivesATargetThatEndsThere) {
  Pumping pumping({.size = 12'288});
  CopyScript& copy = pumping.copy;
  EXPECT_EQ(copy.Settle(2, {0, kCancelled}), "");
  EXPECT_EQ(copy.Settle(1, {1000, kCancelled}), "1: write fd8 1000@4096");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(1, {1000}), "1: read fd7 3096@5096 - write fd8 3096@5096");
  EXPECT_EQ(copy.Settle(1, {0, kCancelled}), "at once set size fd8 5096");
  pumping.next = copy.Settle({0});
  EXPECT_EQ(pumping.End(5096), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 5096);
}

TEST(FileCopyLargeTest, WhatHasGrownAgainSinceItWasCutIsCopied) {
  Pumping pumping({.size = 8192});
  CopyScript& copy = pumping.copy;
  copy.Settle(1, {0, kCancelled});
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "at once set size fd8 4096");
  EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@4096");
  EXPECT_EQ(copy.Settle({10}), "write fd8 10@4096");
  pumping.next = copy.Settle({10});
  EXPECT_EQ(pumping.End(4106), "copied");
}

TEST(FileCopyLargeTest, ATargetThatCanNotBeCutIsRemoved) {
  Pumping pumping({.size = 8192});
  pumping.copy.Settle(1, {0, kCancelled});
  pumping.copy.Settle(0, {4096, 4096});
  pumping.next = pumping.copy.Settle({-EIO});
  EXPECT_EQ(pumping.Remove(), "failed: write T EIO");
}

TEST(FileCopyLargeTest, ASourceThatGrowsIsCopiedToItsRealEnd) {
  Pumping pumping({.size = 5000});
  CopyScript& copy = pumping.copy;
  EXPECT_EQ(pumping.next,
            "0: read fd7 4096@0 - write fd8 4096@0 | "
            "1: read fd7 904@4096 - write fd8 904@4096");
  copy.Settle(0, {4096, 4096});
  EXPECT_EQ(copy.Settle(1, {904, 904}), "at once read fd7 4096@5000");
  EXPECT_EQ(copy.Settle({-EINTR}), "at once read fd7 4096@5000");
  EXPECT_EQ(copy.Settle({4096}), "write fd8 4096@5000");
  EXPECT_EQ(copy.Settle({96}), "write fd8 4000@5096");
  EXPECT_EQ(copy.Settle({4000}), "at once read fd7 4096@9096");
  EXPECT_EQ(copy.Settle({4}), "write fd8 4@9096");
  pumping.next = copy.Settle({4});
  EXPECT_EQ(pumping.End(9100), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 9100);
}

TEST(FileCopyLargeTest, AFailureBeyondTheReportedSizeFailsTheCopy) {
  for (const bool reads : {true, false}) {
    Pumping pumping({.size = 5000});
    CopyScript& copy = pumping.copy;
    copy.Settle(0, {4096, 4096});
    copy.Settle(1, {904, 904});
    if (!reads) copy.Settle({4096});
    pumping.next = copy.Settle({-ENOSPC});
    EXPECT_EQ(pumping.Remove(),
              reads ? "failed: read S ENOSPC" : "failed: write T ENOSPC");
  }
}

TEST(FileCopyLargeTest, StoppedBeforeItsEndIsLookedForItRemovesTheTarget) {
  Pumping pumping({.size = 5000});
  CopyScript& copy = pumping.copy;
  copy.Settle(0, {4096, 4096});
  copy.Stop();
  pumping.next = copy.Settle(1, {904, 904});
  EXPECT_EQ(pumping.Remove(), "cancelled");
}

TEST(FileCopyLargeTest, StoppedWhileItGrowsItRemovesTheTarget) {
  Pumping pumping({.size = 5000});
  CopyScript& copy = pumping.copy;
  copy.Settle(0, {4096, 4096});
  copy.Settle(1, {904, 904});
  copy.Stop();
  pumping.next = copy.Settle({4096});
  EXPECT_EQ(pumping.Remove(), "cancelled");
}

TEST(FileCopyLargeTest, FilesBeyondFourGigabytesHaveTheirOffsets) {
  constexpr uint32_t kGigabyte = uint32_t{1} << 30;
  Pumping pumping(
      {.size = 5 * uint64_t{kGigabyte} + 1, .extra_blocks = 0, .block = kGigabyte});
  CopyScript& copy = pumping.copy;
  for (int i = 0; i < 3; ++i) copy.Settle({kGigabyte, kGigabyte});
  EXPECT_EQ(copy.Settle({kGigabyte, kGigabyte}),
            "read fd7 1073741824@4294967296 - write fd8 1073741824@4294967296");
  EXPECT_EQ(copy.Settle({kGigabyte, 1}), "write fd8 1073741823@4294967297");
  EXPECT_EQ(copy.Settle({kGigabyte - 1}),
            "read fd7 1@5368709120 - write fd8 1@5368709120");
  EXPECT_EQ(copy.Settle({1, 1}), "at once read fd7 1073741824@5368709121");
}

}  // namespace
}  // namespace ringcp

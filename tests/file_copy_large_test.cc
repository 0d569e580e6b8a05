// The state machine of one file's copy where one block is not enough, or the size is not
// known; copy_script.h explains the notation.

#include <cerrno>
#include <string>

#include "core/file_copy.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;

// A copy whose files are open, and what it wants next.
struct Pumping {
  explicit Pumping(const CopyScript::Setup& setup) : copy(setup) {
    copy.Start();
    copy.Settle({0, 0});
    next = copy.Settle({0});
  }
  CopyScript copy;
  std::string next;
};

TEST(FileCopyLargeTest, EachBlockHasALaneOfItsOwn) {
  CopyScript copy({.size = 10'000});
  copy.Start();
  EXPECT_EQ(copy.Settle({0, 0}), "open T new 644>s1");
  EXPECT_EQ(copy.Settle({0}),
            "0: read s0 4096@0 - write s1 4096@0 | "
            "1: read s0 4096@4096 - write s1 4096@4096 | "
            "2: read s0 1808@8192 - write s1 1808@8192");
  EXPECT_EQ(copy.Settle(2, {1808, 1808}), "");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(1, {4096, 4096}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 10'000);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyLargeTest, ALaneThatIsFreeTakesTheNextBlock) {
  Pumping pumping({.size = 12'288, .extra_blocks = 1});
  EXPECT_EQ(pumping.next,
            "0: read s0 4096@0 - write s1 4096@0 | "
            "1: read s0 4096@4096 - write s1 4096@4096");
  EXPECT_EQ(pumping.copy.Settle(1, {4096, 4096}),
            "1: read s0 4096@8192 - write s1 4096@8192");
  EXPECT_EQ(pumping.copy.Settle(1, {4096, 4096}), "");
  EXPECT_EQ(pumping.copy.Settle(0, {4096, 4096}), "close s1 = close s0");
}

TEST(FileCopyLargeTest, WithoutBlocksToBorrowItGoesOnWithItsOwn) {
  Pumping pumping({.size = 8192, .extra_blocks = 0});
  EXPECT_EQ(pumping.next, "read s0 4096@0 - write s1 4096@0");
  EXPECT_EQ(pumping.copy.Settle({4096, 4096}), "read s0 4096@4096 - write s1 4096@4096");
  EXPECT_EQ(pumping.copy.Settle({4096, 4096}), "close s1 = close s0");
}

TEST(FileCopyLargeTest, ALastLaneIsContinuedAfterTheFirstHasEnded) {
  struct Case {
    std::vector<int32_t> results;
    const char* next;
  };
  const Case cases[] = {
      {{4000, kCancelled}, "1: write s1 4000@4096"},
      {{4096, 4000}, "1: write s1 96@8096"},
      {{-EINTR, kCancelled}, "1: read s0 4096@4096 - write s1 4096@4096"},
      {{4096, -EAGAIN}, "1: write s1 4096@4096"},
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
  EXPECT_EQ(copy.Settle(0, {4096, 100}), "write s1 3996@100");
  EXPECT_EQ(copy.Settle(1, {4096, 100}), "1: write s1 3996@4196");
  EXPECT_EQ(copy.Settle(0, {3996}), "read s0 4096@8192 - write s1 4096@8192");
  EXPECT_EQ(copy.Settle(1, {3996}), "1: read s0 4096@12288 - write s1 4096@12288");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "read s0 4096@16384 - write s1 4096@16384");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(1, {4096, 1}), "1: write s1 4095@12289");
  EXPECT_EQ(copy.Settle(1, {4095}), "close s1 = close s0");
}

TEST(FileCopyLargeTest, AFailedLaneEndsTheOthers) {
  Pumping pumping({.size = 10 * 4096});
  CopyScript& copy = pumping.copy;
  EXPECT_EQ(copy.Settle(3, {4096, -ENOSPC}), "");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(1, {100, kCancelled}), "");  // Not continued.
  EXPECT_EQ(copy.Settle(2, {-EIO, kCancelled}), "");
  for (const int lane : {4, 5, 6}) EXPECT_EQ(copy.Settle(lane, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(7, {4096, -EINTR}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(copy.Settle({0}), "failed: write T ENOSPC");  // The first failure.
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyLargeTest, ASourceThatShrankEndsWhereItEnds) {
  Pumping pumping({.size = 12'288});
  CopyScript& copy = pumping.copy;
  EXPECT_EQ(copy.Settle(2, {0, kCancelled}), "");
  EXPECT_EQ(copy.Settle(1, {1000, kCancelled}), "1: write s1 1000@4096");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(1, {1000}), "1: read s0 3096@5096 - write s1 3096@5096");
  EXPECT_EQ(copy.Settle(1, {0, kCancelled}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 5096);
}

TEST(FileCopyLargeTest, ASourceThatGrowsIsCopiedUpToTheSizeItHad) {
  // Never asked for more, so it can't be seen.
  Pumping pumping({.size = 5000});
  EXPECT_EQ(
      pumping.next,
      "0: read s0 4096@0 - write s1 4096@0 | 1: read s0 904@4096 - write s1 904@4096");
}

TEST(FileCopyLargeTest, AnEmptyFileIsReadOnceToSeeThatItIs) {
  Pumping pumping({.size = 0});
  EXPECT_EQ(pumping.next, "read s0 4096@0");
  EXPECT_EQ(pumping.copy.Settle({0}), "close s1 = close s0");
  EXPECT_EQ(pumping.copy.Settle({0, 0}), "copied");
  EXPECT_TRUE(pumping.copy.all_blocks_back());
}

TEST(FileCopyLargeTest, AFileThatTellsNoSizeIsReadToItsEnd) {
  Pumping pumping({.size = 0});
  CopyScript& copy = pumping.copy;
  EXPECT_EQ(copy.Settle({4096}), "write s1 4096@0");
  EXPECT_EQ(copy.Settle({4096}), "read s0 4096@4096");
  EXPECT_EQ(copy.Settle({10}), "write s1 10@4096");
  EXPECT_EQ(copy.Settle({4}), "write s1 6@4100");
  EXPECT_EQ(copy.Settle({6}), "read s0 4096@4106");
  EXPECT_EQ(copy.Settle({-EINTR}), "read s0 4096@4106");
  EXPECT_EQ(copy.Settle({0}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 4106);
  EXPECT_EQ(copy.counters().short_reads.value(), 0);  // A short read is no news there.
}

TEST(FileCopyLargeTest, AFailureWhileReadingAnUnknownSizeRemovesTheTarget) {
  Pumping pumping({.size = 0});
  CopyScript& copy = pumping.copy;
  copy.Settle({4096});
  copy.Settle({4096});
  EXPECT_EQ(copy.Settle({-EIO}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(copy.Settle({0}), "failed: read S EIO");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyLargeTest, FilesBeyondFourGigabytesHaveTheirOffsets) {
  constexpr uint32_t kGigabyte = uint32_t{1} << 30;
  Pumping pumping(
      {.size = 5 * uint64_t{kGigabyte} + 1, .extra_blocks = 0, .block = kGigabyte});
  CopyScript& copy = pumping.copy;
  for (int i = 0; i < 3; ++i) copy.Settle({kGigabyte, kGigabyte});
  EXPECT_EQ(copy.Settle({kGigabyte, kGigabyte}),
            "read s0 1073741824@4294967296 - write s1 1073741824@4294967296");
  EXPECT_EQ(copy.Settle({kGigabyte, 1}), "write s1 1073741823@4294967297");
  EXPECT_EQ(copy.Settle({kGigabyte - 1}), "read s0 1@5368709120 - write s1 1@5368709120");
  EXPECT_EQ(copy.Settle({1, 1}), "close s1 = close s0");
}

}  // namespace
}  // namespace ringcp

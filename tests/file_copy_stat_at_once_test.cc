// Copies whose source's stat is known before it is opened: the chains that follow from
// that. copy_script.h explains the notation.

#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <vector>

#include "core/file_copy.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;
constexpr char kBoth[] =
    "open S>s0 - open T new 644>s1 - read s0 100@0 - write s1 100@0 - close s1 = close "
    "s0";

CopyScript::Setup AtOnce(CopyScript::Setup setup = {}) {
  setup.calls_at_once = CallsAtOnce::kStat;
  return setup;
}

// The results of the chain that opens both files when the ops from `position` on did not
// run because of `result`.
std::vector<int32_t> SeveredAt(size_t position, int32_t result) {
  std::vector<int32_t> results = {0, 0, 100, 100, 0, 0};
  results[position] = result;
  for (size_t i = position + 1; i < results.size(); ++i) results[i] = kCancelled;
  return results;
}

TEST(FileCopyStatAtOnceTest, ASmallFileIsCopiedByOneChain) {
  CopyScript copy(AtOnce());
  EXPECT_EQ(copy.Start(), "at once lstat S");
  EXPECT_EQ(copy.Settle({0}), kBoth);
  EXPECT_EQ(copy.Settle({0, 0, 100, 100, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_found.value(), 100);
  EXPECT_EQ(copy.counters().bytes_done.value(), 100);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyStatAtOnceTest, AttributesAreSetBehindTheChain) {
  CopyScript copy(AtOnce({.policy = {.preserve = {.timestamps = true}, .user = 0}}));
  copy.Start();
  EXPECT_EQ(copy.Settle({0}),
            "open S>s0 - open T new 644>s1 - read s0 100@0 - write s1 100@0 - install s1 "
            "- close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0, 100, 100, 9, 0, 0}), "futimens fd9 11 22");
  EXPECT_EQ(copy.Settle({0}), "close fd9");
  EXPECT_EQ(copy.Settle({0}), "copied");
}

// ... and looked at again, because what is opened may be another file by now.
TEST(FileCopyStatAtOnceTest, OtherSizesAreOpenedFirst) {
  for (const uint64_t size : {uint64_t{0}, uint64_t{CopyScript::kBlock} + 1}) {
    CopyScript copy(AtOnce({.size = size}));
    copy.Start();
    EXPECT_EQ(copy.Settle({0}), "open S>s0 - lstat S");
    EXPECT_EQ(copy.Settle({0, 0}), "open T new 644>s1");
  }
}

TEST(FileCopyStatAtOnceTest, WhatTakesDescriptorsIsOpenedOnlyOnce) {
  CopyScript copy(AtOnce({.policy = {.preserve = {.mode = true}}}));
  copy.source_stat.stx_mode = S_IFREG | 04755;
  copy.Start();
  EXPECT_EQ(copy.Settle({0}), "open S>fd");
  EXPECT_EQ(copy.Settle({7}), "fstat fd7");
}

TEST(FileCopyStatAtOnceTest, WithoutSlotsTheStatIsTakenByDescriptor) {
  CopyScript::Setup setup = AtOnce();
  setup.policy.use_slots = false;
  CopyScript copy(setup);
  EXPECT_EQ(copy.Start(), "open S>fd");
}

TEST(FileCopyStatAtOnceTest, WhenTheStatFailsOpeningTellsWhy) {
  CopyScript copy(AtOnce());
  copy.Start();
  EXPECT_EQ(copy.Settle({-ENOENT}), "open S>s0 - lstat S");
  EXPECT_EQ(copy.Settle({-ENOENT, kCancelled}), "failed: stat S ENOENT");
}

TEST(FileCopyStatAtOnceTest, ASourceThatIsNoFileIsRefusedUnopened) {
  CopyScript copy(AtOnce());
  copy.source_stat.stx_mode = S_IFIFO | 0644;
  copy.Start();
  EXPECT_EQ(copy.Settle({0}), "source is other");
}

TEST(FileCopyStatAtOnceTest, AFileWithSeveralLinksIsDecidedUponUnopened) {
  CopyScript copy(AtOnce({.policy = {.preserve = {.links = true}}}));
  copy.source_stat.stx_nlink = 2;
  copy.Start();
  EXPECT_EQ(copy.Settle({0}), "multiply linked");
  EXPECT_EQ(copy.Proceed(), kBoth);
}

TEST(FileCopyStatAtOnceTest, AbandonedItHasNothingToClose) {
  CopyScript copy(AtOnce({.policy = {.preserve = {.links = true}}}));
  copy.source_stat.stx_nlink = 2;
  copy.Start();
  copy.Settle({0});
  EXPECT_EQ(copy.Abandon(), "abandoned");
}

TEST(FileCopyStatAtOnceTest, ASourceThatCantBeOpenedLeavesNothing) {
  CopyScript copy(AtOnce());
  copy.Start();
  copy.Settle({0});
  EXPECT_EQ(copy.Settle(SeveredAt(0, -EACCES)), "failed: open S EACCES");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyStatAtOnceTest, AFailedOpenIsRetriedAndCountedOnce) {
  CopyScript copy(AtOnce());
  copy.Start();
  copy.Settle({0});
  // Somebody may hold a lease on the source: then it is waited for.
  EXPECT_EQ(copy.Settle(SeveredAt(0, -EAGAIN)), "open S waiting>s0 - lstat S");
  EXPECT_EQ(copy.Settle({0, 0}),
            "open T new 644>s1 - read s0 100@0 - write s1 100@0 - close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 100, 100, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_found.value(), 100);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyStatAtOnceTest, ATargetThatExistsIsLookedAtWithTheSourceOpen) {
  CopyScript copy(AtOnce());
  copy.Start();
  copy.Settle({0});
  EXPECT_EQ(copy.Settle(SeveredAt(1, -EEXIST)), "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "open T truncated>s1");
  EXPECT_EQ(copy.Settle({0}), "read s0 100@0 - write s1 100@0");
  EXPECT_EQ(copy.Settle({100, 100}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

TEST(FileCopyStatAtOnceTest, AShortReadIsContinuedWhereItEnded) {
  CopyScript copy(AtOnce());
  copy.Start();
  copy.Settle({0});
  EXPECT_EQ(copy.Settle(SeveredAt(2, 60)), "write s1 60@0");
  EXPECT_EQ(copy.Settle({60}), "read s0 40@60 - write s1 40@60");
}

TEST(FileCopyStatAtOnceTest, StoppedBeforeItIsOpenedItTouchesNothing) {
  CopyScript copy(AtOnce());
  copy.Start();
  copy.Stop();
  EXPECT_EQ(copy.Settle({0}), "cancelled");
}

}  // namespace
}  // namespace ringcp

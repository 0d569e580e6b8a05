// Tests copies of files that are in memory, whose ops are carried out at once instead of
// being queued. copy_script.h explains the notation; file_copy_clone_test.cc tests
// clones.

#include <cerrno>
#include <string>

#include "core/file/file_copy.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

CopyScript::Setup AtOnce(CopyScript::Setup setup = {}) {
  setup.calls_at_once = CallsAtOnce::kAll;
  return setup;
}

// Copies a small file up to the opened target. Returns what comes next.
std::string Open(CopyScript* copy) {
  EXPECT_EQ(copy->Start(), "at once open S>fd");
  EXPECT_EQ(copy->Settle({7}), "at once fstat fd7");
  EXPECT_EQ(copy->Settle({0}), "at once read fd7 4096@0");
  EXPECT_EQ(copy->Settle({100}), "at once open T new 644>fd");
  return copy->Settle({8});
}

// Does the same for a large file.
std::string OpenLarge(CopyScript* copy) {
  EXPECT_EQ(copy->Start(), "at once open S>fd");
  EXPECT_EQ(copy->Settle({7}), "at once fstat fd7");
  EXPECT_EQ(copy->Settle({0}), "at once open T new 644>fd");
  return copy->Settle({8});
}

TEST(FileCopyAtOnceTest, ASmallFileTakesNoChain) {
  CopyScript copy(AtOnce());
  EXPECT_EQ(Open(&copy),
            "at once write fd8 100@0 - at once close fd8 = at once close fd7");
  EXPECT_EQ(copy.Settle({100, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().files_at_once.value(), 1);
  EXPECT_EQ(copy.counters().bytes_found.value(), 100);
  EXPECT_EQ(copy.counters().bytes_done.value(), 100);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyAtOnceTest, OnAnUnknownFileSystemItTakesNoChainEither) {
  CopyScript copy(AtOnce({.local = false}));
  copy.OpenSource();
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({100}), "at once read fd7 1024@100");
  EXPECT_EQ(copy.Settle({0}), "at once open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}),
            "at once write fd8 100@0 - at once fstat fd8 unasked = at once close fd8 = "
            "at once close fd7");
  EXPECT_EQ(copy.Settle({100, 0, 0, 0}), "copied");
}

TEST(FileCopyAtOnceTest, AttributesAreSetByTheDescriptorThatIsOpen) {
  CopyScript copy(AtOnce({.policy = {.preserve = {.timestamps = true}, .user = 0}}));
  EXPECT_EQ(Open(&copy), "at once write fd8 100@0");
  EXPECT_EQ(copy.Settle({100}), "at once futimens fd8 11 22");
  EXPECT_EQ(copy.Settle({0}), "at once close fd8 = at once close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

TEST(FileCopyAtOnceTest, AFileThatTellsNoSizeIsReadToItsEnd) {
  CopyScript copy(AtOnce({.size = 0, .local = false}));
  copy.OpenSource();
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({10}), "at once read fd7 1024@10");
  EXPECT_EQ(copy.Settle({1}), "at once open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), "at once read fd7 4096@0");
  EXPECT_EQ(copy.Settle({10}), "at once write fd8 10@0");
  EXPECT_FALSE(copy.copy().copies_blocks_at_once());
  EXPECT_EQ(copy.Settle({10}), "at once read fd7 4096@10");
  // It may have no end.
  EXPECT_TRUE(copy.copy().copies_blocks_at_once());
  EXPECT_EQ(copy.Settle({0}),
            "at once fstat fd8 unasked = at once close fd8 = at once close fd7");
}

TEST(FileCopyAtOnceTest, AFileThatKeepsGrowingMayHaveNoEndEither) {
  CopyScript copy(AtOnce());
  copy.OpenSource();
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({4096}), "at once read fd7 1024@4096");
  copy.Settle({1});
  EXPECT_EQ(copy.Settle({8}), "at once read fd7 100@0 - at once write fd8 100@0");
  EXPECT_FALSE(copy.copy().copies_blocks_at_once());
  EXPECT_EQ(copy.Settle({100, 100}), "at once read fd7 4096@100");
  EXPECT_FALSE(copy.copy().copies_blocks_at_once());
  EXPECT_EQ(copy.Settle({4096}), "at once write fd8 4096@100");
  EXPECT_FALSE(copy.copy().copies_blocks_at_once());
  EXPECT_EQ(copy.Settle({4096}), "at once read fd7 4096@4196");
  EXPECT_TRUE(copy.copy().copies_blocks_at_once());
}

TEST(FileCopyAtOnceTest, ALargeFileInThePageCacheIsCopiedBlockByBlock) {
  CopyScript copy(AtOnce({.size = CopyScript::kBlock + 1}));
  EXPECT_EQ(OpenLarge(&copy), "count cached fd7 2048");
  EXPECT_FALSE(copy.copy().copies_blocks_at_once());
  EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@0 - at once write fd8 4096@0");
  EXPECT_TRUE(copy.copy().copies_blocks_at_once());
  EXPECT_EQ(copy.Settle({4096, 4096}),
            "at once read fd7 1@4096 - at once write fd8 1@4096");
  EXPECT_EQ(copy.Settle({1, 1}), "at once read fd7 4096@4097");
  EXPECT_EQ(copy.Settle({0}), "at once close fd8 = at once close fd7");
  EXPECT_FALSE(copy.copy().copies_blocks_at_once());
}

TEST(FileCopyAtOnceTest, ALargeFileThatIsNotInThePageCacheIsOnlyOpened) {
  CopyScript copy(AtOnce({.size = CopyScript::kBlock + 1}));
  copy.cached = false;
  EXPECT_EQ(OpenLarge(&copy), "count cached fd7 2048");
  EXPECT_EQ(copy.Settle({0}),
            "0: read fd7 4096@0 - write fd8 4096@0 | 1: read fd7 1@4096 - write fd8 "
            "1@4096");
  copy.Settle(0, {4096, 4096});
  EXPECT_EQ(copy.Settle(1, {1, 1}), "at once read fd7 4096@4097");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
}

TEST(FileCopyAtOnceTest, BetweenHolesTheFirstPieceTellsWhetherTheFileIsCached) {
  CopyScript copy(AtOnce({.size = 4 * CopyScript::kBlock}));
  copy.source_stat.stx_blocks = 16;
  copy.data = {{0, 4096}, {8192, 12'288}};
  copy.cached = false;  // That is where the sample was taken.
  EXPECT_EQ(OpenLarge(&copy), "count cached fd7 8192");
  EXPECT_EQ(copy.Settle({0}), "at once seek data fd7 0");
  for (int i = 0; i < 3; ++i) copy.Settle({0});
  EXPECT_EQ(copy.Settle({0}), "at once seek data fd7 12288");
  EXPECT_EQ(copy.Settle({-ENXIO}), "at once read fd7 4096@0 - at once write fd8 4096@0");
  EXPECT_TRUE(copy.copy().copies_blocks_at_once());
}

TEST(FileCopyAtOnceTest, BlocksThatHadToBeWaitedForAreFollowedByChains) {
  CopyScript copy(AtOnce({.size = 3 * CopyScript::kBlock}));
  OpenLarge(&copy);
  copy.Settle({0});
  copy.LeaveToChains();
  EXPECT_EQ(copy.Settle({4096, 4096}),
            "0: read fd7 4096@4096 - write fd8 4096@4096 | 1: read fd7 4096@8192 - write "
            "fd8 4096@8192");
}

TEST(FileCopyAtOnceTest, SoIsALargeOneThatHasToLeaveThePageCache) {
  CopyScript::Setup setup = AtOnce({.size = CopyScript::kBlock + 1});
  setup.policy.page_cache = PageCache::kDrop;
  CopyScript copy(setup);
  EXPECT_EQ(OpenLarge(&copy),
            "0: uncached read fd7 4096@0 - uncached write fd8 4096@0 | 1: uncached read "
            "fd7 1@4096 - uncached write fd8 1@4096");
}

TEST(FileCopyAtOnceTest, ATargetThatExistsIsLookedAtOpenedAndEmptiedAtOnce) {
  CopyScript copy(AtOnce());
  copy.OpenSource();
  copy.Settle({0});
  copy.Settle({100});
  EXPECT_EQ(copy.Settle({-EEXIST}), "at once lstat T - at once stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "at once open T>fd");
  EXPECT_EQ(copy.Settle({8}), "at once fstat fd8");
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
  EXPECT_EQ(copy.Settle({0}),
            "at once write fd8 100@0 - at once close fd8 = at once close fd7");
}

TEST(FileCopyAtOnceTest, ALeaseOnTheSourceDoesNotStopTheThread) {
  CopyScript copy(AtOnce());
  copy.Start();
  EXPECT_EQ(copy.Settle({-EAGAIN}), "open S waiting>fd");
}

TEST(FileCopyAtOnceTest, ALeaseOnTheTargetDoesNotStopTheThread) {
  CopyScript copy(AtOnce());
  copy.OpenSource();
  copy.Settle({0});
  copy.Settle({100});
  copy.Settle({-EEXIST});
  EXPECT_EQ(copy.Settle({0, 0}), "at once open T>fd");
  EXPECT_EQ(copy.Settle({-EAGAIN}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
  EXPECT_EQ(copy.Settle({0, 0}), "open T waiting>fd");
}

TEST(FileCopyAtOnceTest, AHalfWrittenTargetIsRemovedAtOnce) {
  CopyScript copy(AtOnce());
  Open(&copy);
  EXPECT_EQ(copy.Settle({-ENOSPC, -ECANCELED, -ECANCELED}),
            "at once fstat fd8 = at once lstat T");
  EXPECT_EQ(copy.Settle({0, 0}), "at once unlink T");
  EXPECT_EQ(copy.Settle({0}), "at once close fd8 = at once close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "failed: write T ENOSPC");
  EXPECT_TRUE(copy.all_blocks_back());
}

// It has run in any case: closed again, its number might be another file's by now.
TEST(FileCopyAtOnceTest, ACloseByACallIsNotRepeated) {
  CopyScript copy(AtOnce());
  Open(&copy);
  EXPECT_EQ(copy.Settle({100, -ECANCELED, 0}), "failed: close T ECANCELED");
}

}  // namespace
}  // namespace ringcp

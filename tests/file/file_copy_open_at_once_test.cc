// Tests copies whose source is opened and looked at by calls at once, while all other ops
// are queued. copy_script.h explains the notation.

#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "core/file/file_copy.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

CopyScript::Setup AtOnce(CopyScript::Setup setup = {}) {
  setup.calls_at_once = CallsAtOnce::kOpen;
  return setup;
}

TEST(FileCopyOpenAtOnceTest, ASmallFileIsCopiedByTwoChains) {
  CopyScript copy(AtOnce());
  EXPECT_EQ(copy.Start(), "at once open S>fd");
  EXPECT_EQ(copy.Settle({7}), "at once fstat fd7");
  EXPECT_EQ(copy.Settle({0}), "read fd7 4096@0");
  EXPECT_EQ(copy.Settle({100}),
            "open T new 644>s0 - write s0 100@0 - close s0 = close fd7");
  EXPECT_EQ(copy.Settle({0, 100, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_found.value(), 100);
  EXPECT_EQ(copy.counters().bytes_done.value(), 100);
  EXPECT_EQ(copy.counters().files_at_once.value(), 0);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyOpenAtOnceTest, ALargeFileIsNotReadBeforeItsTargetIsOpen) {
  CopyScript copy(AtOnce({.size = CopyScript::kBlock + 1}));
  copy.OpenSource();
  EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}),
            "0: read fd7 4096@0 - write fd8 4096@0 | 1: read fd7 1@4096 - write fd8 "
            "1@4096");
}

TEST(FileCopyOpenAtOnceTest, AnEmptyFileIsReadToSeeThatItIs) {
  CopyScript copy(AtOnce({.size = 0}));
  EXPECT_EQ(copy.LookAtSource(), "read fd7 4096@0");
  EXPECT_EQ(copy.Settle({0}), "open T new 644>s0 - close s0 = close fd7");
}

TEST(FileCopyOpenAtOnceTest, ASourceThatIsNoFileIsRefusedUnread) {
  CopyScript copy(AtOnce());
  copy.source_stat.stx_mode = S_IFIFO | 0644;
  EXPECT_EQ(copy.LookAtSource(), "close fd7");
  EXPECT_EQ(copy.Settle({0}), "source is other");
}

TEST(FileCopyOpenAtOnceTest, AFileWithSeveralLinksIsDecidedUponUnread) {
  CopyScript copy(AtOnce({.policy = {.preserve = {.links = true}}}));
  copy.source_stat.stx_nlink = 2;
  EXPECT_EQ(copy.LookAtSource(), "multiply linked");
  EXPECT_EQ(copy.Proceed(), "read fd7 4096@0");
}

TEST(FileCopyOpenAtOnceTest, ASourceThatCantBeOpenedLeavesNothing) {
  CopyScript copy(AtOnce());
  copy.Start();
  EXPECT_EQ(copy.Settle({-EACCES}), "failed: open S EACCES");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyOpenAtOnceTest, ALeaseOnTheSourceDoesNotStopTheThread) {
  CopyScript copy(AtOnce());
  copy.Start();
  EXPECT_EQ(copy.Settle({-EAGAIN}), "open S waiting>fd");
  EXPECT_EQ(copy.Settle({7}), "fstat fd7 - no pipe fd7 - read fd7 4096@0");
}

TEST(FileCopyOpenAtOnceTest, StoppedBeforeItIsLookedAtItTouchesNothing) {
  CopyScript copy(AtOnce());
  copy.OpenSource();
  copy.Stop();
  EXPECT_EQ(copy.Settle({0}), "close fd7");
  EXPECT_EQ(copy.Settle({0}), "cancelled");
}

}  // namespace
}  // namespace ringcp

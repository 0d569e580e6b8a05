// Tests the state machine of one file's copy with made-up results. copy_script.h explains
// the notation. Attributes are in file_copy_attributes_test.cc, unknown file systems in
// file_copy_remote_test.cc.

#include "core/file/file_copy.h"

#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;
constexpr char kWhole[] = "open T new 644>s0 - write s0 100@0 - close s0 = close fd7";

// A copy whose source has been looked at, and what it wants next.
struct Opened {
  explicit Opened(const CopyScript::Setup& setup = {}) : copy(setup) {
    next = copy.LookAtSource();
  }
  CopyScript copy;
  std::string next;
};

// A copy that has found its target existing: the two stats of the target come next.
struct FoundTarget : Opened {
  explicit FoundTarget(const CopyScript::Setup& setup = {}) : Opened(setup) {
    next = copy.Settle({-EEXIST, kCancelled, kCancelled, kCancelled});
  }
};

// A copy of 100 bytes whose write in the chain fell short, so that the target now has an
// ordinary descriptor. `next` is what it wants next.
struct Continued : Opened {
  explicit Continued(int32_t written = 1) {
    EXPECT_EQ(copy.Settle({0, written, kCancelled, kCancelled}), "install s0 = close s0");
    next = copy.Settle({8, 0});
  }
};

// A copy of three blocks that is reading and writing.
struct Pumping : Opened {
  explicit Pumping(CopyScript::Setup setup = {})
      : Opened([&] {
          setup.size = 3 * CopyScript::kBlock;
          return setup;
        }()) {
    next = copy.Settle({8});
  }
};

// Removes an open, half-written target of the copy. Returns the outcome.
std::string RemoveOpen(CopyScript* copy) {
  EXPECT_EQ(copy->Settle({0, 0}), "unlink T");
  EXPECT_EQ(copy->Settle({0}), "close fd8 = close fd7");
  std::string outcome = copy->Settle({0, 0});
  EXPECT_TRUE(copy->all_blocks_back());
  return outcome;
}

// --- One block ---

TEST(FileCopyTest, AFileOfOneBlockIsCopiedByThreeChains) {
  CopyScript copy;
  EXPECT_EQ(copy.Start(), "open S>fd");
  EXPECT_EQ(copy.Settle({7}), "fstat fd7 - no pipe fd7 - read fd7 4096@0");
  EXPECT_EQ(copy.Settle({0, 100}), kWhole);
  EXPECT_EQ(copy.Settle({0, 100, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 100);
  EXPECT_EQ(copy.counters().bytes_found.value(), 100);
  EXPECT_EQ(copy.counters().short_reads.value(), 0);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyTest, TheEndOfAFileOfExactlyOneBlockIsConfirmed) {
  Opened opened({.size = CopyScript::kBlock});
  EXPECT_EQ(opened.next, "at once read fd7 1024@4096");
  EXPECT_EQ(opened.copy.Settle({0}),
            "open T new 644>s0 - write s0 4096@0 - close s0 = close fd7");
}

TEST(FileCopyTest, AnEmptyFileIsNotWritten) {
  Opened opened({.size = 0});
  EXPECT_EQ(opened.next, "open T new 644>s0 - close s0 = close fd7");
  EXPECT_EQ(opened.copy.Settle({0, 0, 0}), "copied");
  EXPECT_TRUE(opened.copy.all_blocks_back());
}

TEST(FileCopyTest, ALinkAsSourceIsFollowedIfAsked) {
  CopyScript copy({.follow_source = true});
  EXPECT_EQ(copy.Start(), "open S following>fd");
}

// What the directory listed, or what a stat by name returned, may have been another file.
TEST(FileCopyTest, ContentsModeAndOwnerAreThoseOfTheFileThatWasOpened) {
  CopyScript copy({.policy = {.preserve = {.mode = true, .ownership = true}, .user = 0}});
  copy.OpenSource();
  copy.source_stat.stx_mode = S_IFREG | 0600;
  copy.source_stat.stx_uid = 5;
  copy.source_stat.stx_size = 3;
  copy.target_fd_stat.stx_uid = 0;
  copy.target_fd_stat.stx_mode = S_IFREG | 0600;
  EXPECT_EQ(copy.Settle({0, 3}), "listxattr fd7");
  EXPECT_EQ(copy.Settle({0}),
            "open T new 600>s0 - write s0 3@0 - install s0 - close s0 = close fd7");
  EXPECT_EQ(copy.Settle({0, 3, 8, 0, 0}), "at once fstat fd8");
  EXPECT_EQ(copy.Settle({0}), "fchown fd8 5:1");
}

// Otherwise the file would stay open until another one takes its slot.
TEST(FileCopyTest, ASlotWhoseCloseDidNotRunIsClosedAgain) {
  CopyScript copy({.policy = {.preserve = {.timestamps = true}}});
  copy.OpenSource();
  EXPECT_EQ(copy.Settle({0, 100}),
            "open T new 644>s0 - write s0 100@0 - install s0 - close s0 = close fd7");
  EXPECT_EQ(copy.Settle({0, 100, 8, kCancelled, kCancelled}), "close s0");
  EXPECT_EQ(copy.Settle({kCancelled}), "close s0");
  EXPECT_EQ(copy.Settle({0}), "futimens fd8 11 22");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

TEST(FileCopyTest, ASlotThatWasInstalledAfterwardsIsClosedAgainToo) {
  Opened opened;
  EXPECT_EQ(opened.copy.Settle({0, 60, kCancelled, kCancelled}), "install s0 = close s0");
  EXPECT_EQ(opened.copy.Settle({8, kCancelled}), "close s0");
  EXPECT_EQ(opened.copy.Settle({0}), "write fd8 40@60 - close fd8 = close fd7");
  EXPECT_EQ(opened.copy.Settle({40, 0, 0}), "copied");
}

TEST(FileCopyTest, AShortReadIsNoEndBeforeThatIsConfirmed) {
  CopyScript copy;
  copy.OpenSource();
  EXPECT_EQ(copy.Settle({0, 60}), "at once read fd7 1024@60");
  // The source was cut.
  EXPECT_EQ(copy.Settle({0}), "open T new 644>s0 - write s0 60@0 - close s0 = close fd7");
  EXPECT_EQ(copy.Settle({0, 60, 0, 0}), "copied");
}

TEST(FileCopyTest, AfterAShortReadItIsReadFromItsBeginning) {
  CopyScript copy;
  copy.OpenSource();
  EXPECT_EQ(copy.Settle({0, 60}), "at once read fd7 1024@60");
  EXPECT_EQ(copy.Settle({1}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), "read fd7 100@0 - write fd8 100@0");
  EXPECT_EQ(copy.Settle({100, 100}), "at once read fd7 4096@100");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 100);
}

TEST(FileCopyTest, AnErrorBehindAShortReadFails) {
  CopyScript copy;
  copy.OpenSource();
  copy.Settle({0, 60});
  EXPECT_EQ(copy.Settle({-EIO}), "close fd7");
  EXPECT_EQ(copy.Settle({0}), "failed: read S EIO");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyTest, ASmallSourceThatHasGrownIsCopiedToItsEnd) {
  CopyScript copy;
  copy.OpenSource();
  EXPECT_EQ(copy.Settle({0, 300}),
            "open T new 644>s0 - write s0 300@0 - close s0 = close fd7");
  EXPECT_EQ(copy.Settle({0, 300, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 300);
}

TEST(FileCopyTest, ASourceThatHasGrownBeyondABlockIsCopiedAsALargeOne) {
  CopyScript copy;
  copy.OpenSource();
  EXPECT_EQ(copy.Settle({0, 4096}), "at once read fd7 1024@4096");
  EXPECT_EQ(copy.Settle({1}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), "read fd7 100@0 - write fd8 100@0");
  EXPECT_EQ(copy.Settle({100, 100}), "at once read fd7 4096@100");
  EXPECT_EQ(copy.Settle({4096}), "write fd8 4096@100");
  EXPECT_EQ(copy.Settle({4096}), "at once read fd7 4096@4196");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 4196);
}

TEST(FileCopyTest, ASourceThatIsEmptyByNowGivesAnEmptyTarget) {
  CopyScript copy;
  copy.OpenSource();
  EXPECT_EQ(copy.Settle({0, 0}), "at once read fd7 1024@0");
  EXPECT_EQ(copy.Settle({0}), "open T new 644>s0 - close s0 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0, 0}), "copied");
}

TEST(FileCopyTest, AShortWriteIsContinuedWithoutReadingAgain) {
  Opened opened;
  CopyScript& copy = opened.copy;
  EXPECT_EQ(copy.Settle({0, 30, kCancelled, kCancelled}), "install s0 = close s0");
  EXPECT_EQ(copy.Settle({8, 0}), "write fd8 70@30 - close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({69, kCancelled, kCancelled}),
            "write fd8 1@99 - close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({1, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().short_writes.value(), 2);
  EXPECT_EQ(copy.counters().bytes_done.value(), 100);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyTest, InterruptedReadsAndWritesAreTriedAgain) {
  CopyScript copy;
  copy.OpenSource();
  EXPECT_EQ(copy.Settle({0, -EINTR}), "read fd7 4096@0");
  EXPECT_EQ(copy.Settle({-EAGAIN}), "read fd7 4096@0");
  EXPECT_EQ(copy.Settle({100}), kWhole);
  EXPECT_EQ(copy.Settle({0, -EINTR, kCancelled, kCancelled}), "install s0 = close s0");
  EXPECT_EQ(copy.Settle({8, 0}), "write fd8 100@0 - close fd8 = close fd7");
  // It wrote nothing, which counts the same.
  EXPECT_EQ(copy.Settle({0, kCancelled, kCancelled}),
            "write fd8 100@0 - close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({100, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().retries.value(), 4);
}

// For want of memory, for example; see kernel.h.
TEST(FileCopyTest, OpsThatTheKernelDidNotRunAreTriedAgain) {
  CopyScript copy;
  copy.Start();
  EXPECT_EQ(copy.Settle({kCancelled}), "open S>fd");
  EXPECT_EQ(copy.Settle({7}), "fstat fd7 - no pipe fd7 - read fd7 4096@0");
  EXPECT_EQ(copy.Settle({0, kCancelled}), "read fd7 4096@0");
  EXPECT_EQ(copy.Settle({100}), kWhole);
  EXPECT_EQ(copy.Settle({kCancelled, kCancelled, kCancelled, kCancelled}),
            "open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), "write fd8 100@0 - close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({kCancelled, kCancelled, kCancelled}),
            "write fd8 100@0 - close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({100, 0, kCancelled}), "at once close fd7");
  EXPECT_EQ(copy.Settle({0}), "copied");
}

TEST(FileCopyTest, AChainThatWasCutBehindTheWriteHasItsTargetInstalled) {
  Opened opened;
  EXPECT_EQ(opened.copy.Settle({0, 100, kCancelled, kCancelled}),
            "install s0 = close s0");
  EXPECT_EQ(opened.copy.Settle({kCancelled, kCancelled}), "install s0 = close s0");
  EXPECT_EQ(opened.copy.Settle({8, 0}), "close fd8 = close fd7");
  EXPECT_EQ(opened.copy.Settle({0, 0}), "copied");
}

TEST(FileCopyTest, FilesWhoseClosingWasCancelledAreClosedAtOnce) {
  Pumping pumping;
  CopyScript& copy = pumping.copy;
  for (const int lane : {0, 1}) copy.Settle(lane, {4096, 4096});
  EXPECT_EQ(copy.Settle(2, {4096, 4096}), "at once read fd7 4096@12288");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({kCancelled, kCancelled}),
            "at once close fd8 = at once close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

TEST(FileCopyTest, TryingAgainIsBoundedUnlessThereIsProgress) {
  for (const int error : {EINTR, EAGAIN}) {
    Continued continued;
    CopyScript& copy = continued.copy;
    const char* const first = "write fd8 99@1 - close fd8 = close fd7";
    const char* const second = "write fd8 98@2 - close fd8 = close fd7";
    ASSERT_EQ(continued.next, first);
    for (int i = 0; i < kRetriesMax; ++i) {
      ASSERT_EQ(copy.Settle({-error, kCancelled, kCancelled}), first);
    }
    // Progress: the count begins again.
    ASSERT_EQ(copy.Settle({1, kCancelled, kCancelled}), second);
    for (int i = 0; i < kRetriesMax; ++i) {
      ASSERT_EQ(copy.Settle({-error, kCancelled, kCancelled}), second);
    }
    EXPECT_EQ(copy.Settle({-error, kCancelled, kCancelled}), "fstat fd8 = lstat T");
    EXPECT_EQ(RemoveOpen(&copy),
              error == EINTR ? "failed: write T EIO" : "failed: write T EAGAIN");
  }
}

TEST(FileCopyTest, ReadingIsNotTriedForEver) {
  CopyScript copy;
  copy.OpenSource();
  std::string next = copy.Settle({0, -EAGAIN});
  int times = 1;
  for (; next == "read fd7 4096@0" && times < 1000; ++times) {
    next = copy.Settle({-EAGAIN});
  }
  EXPECT_EQ(times, kRetriesMax + 1);
  EXPECT_EQ(next, "close fd7");
  EXPECT_EQ(copy.Settle({0}), "failed: read S EAGAIN");
}

TEST(FileCopyTest, AnInterruptedOpenIsTriedAgain) {
  CopyScript copy;
  copy.Start();
  EXPECT_EQ(copy.Settle({-EINTR}), "open S>fd");
  EXPECT_EQ(copy.Settle({7}), "fstat fd7 - no pipe fd7 - read fd7 4096@0");
  EXPECT_EQ(copy.Settle({0, 100}), kWhole);
  EXPECT_EQ(copy.Settle({-EINTR, kCancelled, kCancelled, kCancelled}),
            "open T new 644>fd");
  EXPECT_EQ(copy.Settle({-EAGAIN}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), "write fd8 100@0 - close fd8 = close fd7");
}

TEST(FileCopyTest, ALeaseOnTheSourceIsWaitedFor) {
  CopyScript copy;
  copy.Start();
  EXPECT_EQ(copy.Settle({-EAGAIN}), "open S waiting>fd");
}

TEST(FileCopyTest, AStoppedCopyWaitsForNoLease) {
  CopyScript copy;
  copy.Start();
  copy.Stop();
  EXPECT_EQ(copy.Settle({-EAGAIN}), "cancelled");
}

TEST(FileCopyTest, WhatCanNotBeOpenedFails) {
  struct Case {
    int error_number;
    const char* outcome;
  };
  for (const Case& failing :
       {Case{EACCES, "failed: open S EACCES"}, Case{ENOENT, "failed: stat S ENOENT"},
        Case{EMFILE, "failed: open S EMFILE"}, Case{ELOOP, "source is other"},
        Case{ENXIO, "source is other"}}) {
    CopyScript copy;
    copy.Start();
    EXPECT_EQ(copy.Settle({-failing.error_number}), failing.outcome);
  }
}

TEST(FileCopyTest, AFailedStatOfTheSourceClosesIt) {
  // Kernels differ in whether the failed stat cancels the read after it.
  for (const int32_t read : {100, kCancelled}) {
    CopyScript copy;
    copy.OpenSource();
    EXPECT_EQ(copy.Settle({-EIO, read}), "close fd7");
    EXPECT_EQ(copy.Settle({0}), "failed: stat S EIO");
    EXPECT_TRUE(copy.all_blocks_back());
  }
}

TEST(FileCopyTest, ASourceThatIsNoRegularFileAnyMoreIsRefused) {
  for (const mode_t type : {S_IFDIR, S_IFIFO, S_IFLNK, S_IFCHR}) {
    CopyScript copy;
    copy.source_stat.stx_mode = static_cast<uint16_t>(type | 0644);
    copy.OpenSource();
    EXPECT_EQ(copy.Settle({0, -EINVAL}), "close fd7");
    EXPECT_EQ(copy.Settle({0}), "source is other");
    EXPECT_TRUE(copy.all_blocks_back());
  }
}

TEST(FileCopyTest, AFailedReadLeavesNoTarget) {
  CopyScript copy;
  copy.OpenSource();
  EXPECT_EQ(copy.Settle({0, -EIO}), "close fd7");
  EXPECT_EQ(copy.Settle({0}), "failed: read S EIO");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyTest, AFailedWriteRemovesTheTarget) {
  for (const int error : {ENOSPC, EDQUOT}) {
    Opened opened;
    EXPECT_EQ(opened.copy.Settle({0, -error, kCancelled, kCancelled}),
              "install s0 = close s0");
    EXPECT_EQ(opened.copy.Settle({8, 0}), "fstat fd8 = lstat T");
    EXPECT_EQ(RemoveOpen(&opened.copy), "failed: write T " + ErrnoName(error));
  }
}

TEST(FileCopyTest, SomebodyElsesFileUnderItsNameIsLeftAlone) {
  struct Case {
    const char* name;
    void (*replace)(CopyScript*);
  };
  const Case cases[] = {
      {"another inode", [](CopyScript* copy) { copy->target_link_stat.stx_ino = 4711; }},
      {"another device",
       [](CopyScript* copy) { copy->target_link_stat.stx_dev_minor = 9; }},
      {"the same number, made later",
       [](CopyScript* copy) { copy->target_link_stat.stx_btime.tv_nsec = 1; }},
  };
  for (const Case& replaced : cases) {
    Opened opened;
    opened.copy.Settle({0, -ENOSPC, kCancelled, kCancelled});
    replaced.replace(&opened.copy);
    EXPECT_EQ(opened.copy.Settle({8, 0}), "fstat fd8 = lstat T");
    // Wherever the file is now, it is not left half-written.
    EXPECT_EQ(opened.copy.Settle({0, 0}), "at once set size fd8 0") << replaced.name;
    EXPECT_EQ(opened.copy.Settle({0}), "close fd8 = close fd7");
    EXPECT_EQ(opened.copy.Settle({0, 0}), "failed: write T ENOSPC");
    EXPECT_EQ(opened.copy.copy().removal_error(), 0);
  }
}

TEST(FileCopyTest, ATargetThatCanNotBeIdentifiedStaysAndThatIsKept) {
  struct Case {
    std::vector<int32_t> stats;
    int removal_error;
  };
  for (const Case& failing : {Case{{-EIO, 0}, EIO}, Case{{0, -EACCES}, EACCES}}) {
    Opened opened;
    opened.copy.Settle({0, -ENOSPC, kCancelled, kCancelled});
    opened.copy.Settle({8, 0});
    EXPECT_EQ(opened.copy.Settle(failing.stats), "close fd8 = close fd7");
    EXPECT_EQ(opened.copy.Settle({0, 0}), "failed: write T ENOSPC");
    EXPECT_EQ(opened.copy.copy().removal_error(), failing.removal_error);
  }
}

TEST(FileCopyTest, ATargetWithoutADescriptorStaysAndWhyIsKept) {
  Opened opened;
  opened.copy.Settle({0, -ENOSPC, kCancelled, kCancelled});
  EXPECT_EQ(opened.copy.Settle({-EMFILE, 0}), "close fd7");
  EXPECT_EQ(opened.copy.Settle({0}), "failed: write T ENOSPC");
  EXPECT_EQ(opened.copy.copy().removal_error(), EMFILE);
}

TEST(FileCopyTest, AFailedCloseOfTheTargetFails) {
  Opened opened;
  EXPECT_EQ(opened.copy.Settle({0, 100, -EIO, 0}), "failed: close T EIO");
}

TEST(FileCopyTest, HowClosingTheSourceEndsDoesNotMatter) {
  Opened opened;
  EXPECT_EQ(opened.copy.Settle({0, 100, 0, -EIO}), "copied");
}

// The file is closed, but its data may not have been flushed.
TEST(FileCopyTest, AnInterruptedCloseOfTheTargetFailsToo) {
  Opened whole;
  EXPECT_EQ(whole.copy.Settle({0, 100, -EINTR, 0}), "failed: close T EINTR");
  Continued continued;
  EXPECT_EQ(continued.copy.Settle({99, -EINTR, 0}), "failed: close T EINTR");
}

TEST(FileCopyTest, WhyAHalfWrittenTargetCouldNotBeRemovedIsKept) {
  Opened opened;
  opened.copy.Settle({0, -ENOSPC, kCancelled, kCancelled});
  opened.copy.Settle({8, 0});
  EXPECT_EQ(opened.copy.Settle({0, 0}), "unlink T");
  // Some file systems can't remove an open file.
  EXPECT_EQ(opened.copy.Settle({-EROFS}), "at once set size fd8 0");
  EXPECT_EQ(opened.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(opened.copy.Settle({0, 0}), "lstat T");
  EXPECT_EQ(opened.copy.Settle({0}), "unlink T");
  EXPECT_EQ(opened.copy.Settle({-EROFS}), "failed: write T ENOSPC");
  EXPECT_EQ(opened.copy.copy().removal_error(), EROFS);
}

TEST(FileCopyTest, AHalfWrittenTargetThatIsGoneAlreadyNeedsNoRemoving) {
  Opened looked;
  looked.copy.Settle({0, -ENOSPC, kCancelled, kCancelled});
  looked.copy.Settle({8, 0});
  looked.copy.target_fd_stat.stx_nlink = 0;
  EXPECT_EQ(looked.copy.Settle({0, -ENOENT}), "close fd8 = close fd7");
  looked.copy.Settle({0, 0});
  EXPECT_EQ(looked.copy.copy().removal_error(), 0);

  Opened removed;
  removed.copy.Settle({0, -ENOSPC, kCancelled, kCancelled});
  removed.copy.Settle({8, 0});
  removed.copy.Settle({0, 0});
  EXPECT_EQ(removed.copy.Settle({-ENOENT}), "close fd8 = close fd7");
  removed.copy.Settle({0, 0});
  EXPECT_EQ(removed.copy.copy().removal_error(), 0);
}

TEST(FileCopyTest, WhatCanNotBeCreatedFails) {
  for (const int error : {EACCES, ENOSPC, EROFS, ENOENT, ENAMETOOLONG}) {
    Opened opened;
    EXPECT_EQ(opened.copy.Settle({-error, kCancelled, kCancelled, kCancelled}),
              "close fd7");
    EXPECT_EQ(opened.copy.Settle({0}), "failed: create T " + ErrnoName(error));
    EXPECT_TRUE(opened.copy.all_blocks_back());
  }
}

// --- Without slots ---

TEST(FileCopyTest, WithoutSlotsTheTargetHasAnOrdinaryDescriptor) {
  Opened opened({.policy = {.preserve = {}, .use_slots = false}});
  EXPECT_EQ(opened.next, "open T new 644>fd");
  EXPECT_EQ(opened.copy.Settle({8}), "write fd8 100@0 - close fd8 = close fd7");
  EXPECT_EQ(opened.copy.Settle({100, 0, 0}), "copied");
}

TEST(FileCopyTest, WithAllQueuedNothingButTheConfirmationIsAtOnce) {
  Opened opened(
      {.policy = {.preserve = {.mode = true, .timestamps = true}, .queues_all = true}});
  EXPECT_EQ(opened.next, "listxattr fd7");  // It has no opcode, like futimens.
  EXPECT_EQ(opened.copy.Settle({0}),
            "open T new 644>s0 - write s0 100@0 - install s0 - close s0 = close fd7");
  EXPECT_EQ(opened.copy.Settle({0, 100, 8, 0, 0}), "fstat fd8");
  EXPECT_EQ(opened.copy.Settle({0}), "futimens fd8 11 22");
  EXPECT_EQ(opened.copy.Settle({0}), "close fd8");
  EXPECT_EQ(opened.copy.Settle({0}), "copied");
}

TEST(FileCopyTest, WithAllQueuedTheLookForTheEndIsQueuedOnAKnownFileSystem) {
  CopyScript copy({.policy = {.preserve = {}, .queues_all = true}, .size = 5000});
  copy.OpenBoth();
  copy.Settle(0, {4096, 4096});
  EXPECT_EQ(copy.Settle(1, {904, 904}), "read fd7 4096@5000");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
}

TEST(FileCopyTest, OnOtherFileSystemsACallLooksForTheEnd) {
  CopyScript copy(
      {.policy = {.preserve = {}, .queues_all = true}, .size = 5000, .local = false});
  copy.OpenBoth();
  copy.Settle(0, {4096, 4096});
  EXPECT_EQ(copy.Settle(1, {904, 904}), "at once read fd7 4096@5000");
}

// --- Stopping ---

TEST(FileCopyTest, StoppedBeforeTheTargetIsThereItLeavesNothing) {
  CopyScript copy;
  copy.OpenSource();
  copy.Stop();
  EXPECT_EQ(copy.Settle({0, 100}), "close fd7");
  EXPECT_EQ(copy.Settle({0}), "cancelled");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyTest, StoppedWhileItsEndIsConfirmedItLeavesNothing) {
  Opened opened({.size = CopyScript::kBlock});
  opened.copy.Stop();
  EXPECT_EQ(opened.copy.Settle({0}), "close fd7");
  EXPECT_EQ(opened.copy.Settle({0}), "cancelled");
  EXPECT_TRUE(opened.copy.all_blocks_back());
}

TEST(FileCopyTest, StoppedWhenTheTargetBecameCompleteItHasCopied) {
  Opened opened;
  opened.copy.Stop();
  EXPECT_EQ(opened.copy.Settle({0, 100, 0, 0}), "copied");
}

TEST(FileCopyTest, StoppedHalfWayItRemovesTheTarget) {
  Opened opened;
  opened.copy.Stop();
  EXPECT_EQ(opened.copy.Settle({0, 99, kCancelled, kCancelled}), "install s0 = close s0");
  EXPECT_EQ(opened.copy.Settle({8, 0}), "fstat fd8 = lstat T");
  EXPECT_EQ(RemoveOpen(&opened.copy), "cancelled");
}

TEST(FileCopyTest, StoppedWithAFailureItHasFailed) {
  Opened opened;
  opened.copy.Stop();
  opened.copy.Settle({0, -EIO, kCancelled, kCancelled});
  opened.copy.Settle({8, 0});
  EXPECT_EQ(RemoveOpen(&opened.copy), "failed: write T EIO");
}

TEST(FileCopyTest, StoppedWithManyLanesItWaitsForAllOfThem) {
  Pumping pumping;
  CopyScript& copy = pumping.copy;
  copy.Stop();
  EXPECT_EQ(copy.Settle(1, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(0, {4096, 100}), "");
  EXPECT_EQ(copy.Settle(2, {4096, 4096}), "fstat fd8 = lstat T");
  EXPECT_EQ(RemoveOpen(&copy), "cancelled");
}

// The source has been cut, so that nothing is left to be read; but of one block a part
// was not written.
TEST(FileCopyTest, StoppedWhereItsSourceEndsItMissesTheBlockThatItDropped) {
  Pumping pumping;
  CopyScript& copy = pumping.copy;
  copy.Stop();
  EXPECT_EQ(copy.Settle(2, {0, -ECANCELED}), "");
  EXPECT_EQ(copy.Settle(1, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(0, {4096, 100}), "fstat fd8 = lstat T");
  EXPECT_EQ(RemoveOpen(&copy), "cancelled");
}

TEST(FileCopyTest, StoppedBeforeTheExistingTargetIsOpenedItLeavesThatAlone) {
  FoundTarget found;
  found.copy.Stop();
  EXPECT_EQ(found.copy.Settle({0, 0}), "close fd7");
  EXPECT_EQ(found.copy.Settle({0}), "cancelled");
  EXPECT_TRUE(found.copy.all_blocks_back());
}

// --- Several links ---

TEST(FileCopyTest, AFileWithSeveralLinksWaitsForADecision) {
  for (const bool proceeds : {true, false}) {
    CopyScript copy({.policy = {.preserve = {.links = true}}});
    copy.source_stat.stx_nlink = 2;
    EXPECT_EQ(copy.LookAtSource(), "multiply linked");
    EXPECT_EQ(copy.copy().stat().stx_ino, 1u);
    if (proceeds) {
      EXPECT_EQ(copy.Proceed(), kWhole);
      EXPECT_EQ(copy.Settle({0, 100, 0, 0}), "copied");
    } else {
      EXPECT_EQ(copy.Abandon(), "close fd7");
      EXPECT_EQ(copy.Settle({0}), "abandoned");
      EXPECT_EQ(copy.counters().bytes_found.value(), 0);
    }
    EXPECT_TRUE(copy.all_blocks_back());
  }
}

TEST(FileCopyTest, SeveralLinksDoNotMatterUnlessTheyAreToBeKept) {
  CopyScript copy;
  copy.source_stat.stx_nlink = 2;
  EXPECT_EQ(copy.LookAtSource(), kWhole);
}

TEST(FileCopyTest, ACopyCanBeUsedAgain) {
  Opened opened;
  opened.copy.Settle({0, -ENOSPC, kCancelled, kCancelled});
  opened.copy.Settle({8, 0});
  RemoveOpen(&opened.copy);
  EXPECT_EQ(opened.copy.LookAtSource(), kWhole);
  EXPECT_EQ(opened.copy.Settle({0, 100, 0, 0}), "copied");
}

}  // namespace
}  // namespace ringcp

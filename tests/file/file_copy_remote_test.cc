// Tests the state machine of one file's copy on unknown file systems, which may report an
// error when a file is closed, and any size. copy_script.h explains the notation.

#include <sys/sysmacros.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "core/file/file_copy.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"
#include "tests/file_system_kinds.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;
constexpr char kWriteAndClose[] =
    "write fd8 100@0 - fstat fd8 unasked = close fd8 = close fd7";

// A copy that has read its source, and what it wants next.
struct Read {
  explicit Read(CopyScript::Setup setup = {}) : copy((setup.local = false, setup)) {
    next = copy.LookAtSource();
    if (next.starts_with("at once read")) next = copy.Settle({0});
  }
  CopyScript copy;
  std::string next;
};

// A copy whose target existed: it is open as descriptor 8, and empty.
struct Overwriting : Read {
  explicit Overwriting(bool is_link = false) {
    if (is_link) copy.target_link_stat.stx_mode = S_IFLNK | 0777;
    copy.Settle({-EEXIST});
    copy.Settle({0, 0});
    copy.Settle({8});
    EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
    next = copy.Settle({0});
  }
};

// Empties and closes the new target, and then removes it, by ops that are `how`: queued
// or at once. Returns the outcome.
std::string RemoveClosed(CopyScript* copy, const std::string& next,
                         const std::string& how = "") {
  EXPECT_EQ(next, "at once set size fd8 0");
  EXPECT_EQ(copy->Settle({0}), absl::StrCat(how, "fstat fd8 unasked = ", how,
                                            "close fd8 = ", how, "close fd7"));
  EXPECT_EQ(copy->Settle({0, -EIO, 0}), absl::StrCat(how, "lstat T"));
  EXPECT_EQ(copy->Settle({0}), absl::StrCat(how, "unlink T"));
  return copy->Settle({0});
}

TEST(FileCopyRemoteTest, ATargetIsClosedAsADescriptorSoThatErrorsAreSeen) {
  Read read;
  CopyScript& copy = read.copy;
  EXPECT_EQ(read.next, "open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), kWriteAndClose);
  EXPECT_EQ(copy.Settle({100, 0, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 100);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyRemoteTest, TheEndOfASmallFileIsConfirmed) {
  CopyScript copy({.local = false});
  copy.OpenSource();
  EXPECT_EQ(copy.Settle({0, 100}), "at once read fd7 1024@100");
  EXPECT_EQ(copy.Settle({-EINTR}), "at once read fd7 1024@100");
  EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
}

TEST(FileCopyRemoteTest, AnErrorBeyondTheReportedSizeFails) {
  CopyScript copy({.local = false});
  copy.LookAtSource();
  EXPECT_EQ(copy.Settle({-EIO}), "close fd7");
  EXPECT_EQ(copy.Settle({0}), "failed: read S EIO");
  EXPECT_TRUE(copy.all_blocks_back());
}

// A ring reads nothing at or beyond the size that is reported.
TEST(FileCopyRemoteTest, AFileOfTooSmallASizeIsReadToItsEnd) {
  CopyScript copy({.local = false});
  copy.LookAtSource();
  EXPECT_EQ(copy.Settle({1}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), "read fd7 100@0 - write fd8 100@0");
  EXPECT_EQ(copy.Settle({100, 100}), "at once read fd7 4096@100");
  EXPECT_EQ(copy.Settle({50}), "write fd8 50@100");
  EXPECT_EQ(copy.Settle({50}), "at once read fd7 4096@150");
  EXPECT_EQ(copy.Settle({0}), "fstat fd8 unasked = close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 150);
}

TEST(FileCopyRemoteTest, ALargeFileOfTooSmallASizeIsReadToItsEnd) {
  CopyScript copy({.size = 5000, .local = false});
  copy.OpenBoth();
  copy.Settle(0, {4096, 4096});
  EXPECT_EQ(copy.Settle(1, {904, 904}), "at once read fd7 4096@5000");
  EXPECT_EQ(copy.Settle({4096}), "write fd8 4096@5000");
  EXPECT_EQ(copy.Settle({4096}), "at once read fd7 4096@9096");
  EXPECT_EQ(copy.Settle({0}), "fstat fd8 unasked = close fd8 = close fd7");
}

TEST(FileCopyRemoteTest, AFileThatTellsNoSizeIsReadToItsEnd) {
  CopyScript copy({.size = 0, .local = false});
  copy.OpenSource();
  EXPECT_EQ(copy.Settle({0, 0}), "at once read fd7 1024@0");
  EXPECT_EQ(copy.Settle({1}), "open T new 644>fd");
  // The ring may say that there is nothing however often it is asked.
  EXPECT_EQ(copy.Settle({8}), "read fd7 4096@0");
  EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@0");
  EXPECT_EQ(copy.Settle({10}), "write fd8 10@0");
  EXPECT_EQ(copy.Settle({4}), "write fd8 6@4");
  EXPECT_EQ(copy.Settle({6}), "read fd7 4096@10");
  EXPECT_EQ(copy.Settle({-EINTR}), "read fd7 4096@10");
  EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@10");
  EXPECT_EQ(copy.Settle({-EINTR}), "at once read fd7 4096@10");
  EXPECT_EQ(copy.Settle({0}), "fstat fd8 unasked = close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 10);
  EXPECT_EQ(copy.counters().short_reads.value(), 0);  // A short read is normal there.
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyRemoteTest, AFailureWhileReadingAnUnknownSizeRemovesTheTarget) {
  CopyScript copy({.size = 0, .local = false});
  copy.OpenSource();
  copy.Settle({0, 0});
  copy.Settle({1});
  copy.Settle({8});
  copy.Settle({4096});
  copy.Settle({4096});
  EXPECT_EQ(RemoveClosed(&copy, copy.Settle({-EIO})), "failed: read S EIO");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyRemoteTest, AFileMountedOverOneOfAKnownFileSystemIsNotKnown) {
  for (const uint32_t minor : {8, 9}) {
    FileSystem above(makedev(0, 8), LocalKind());
    CopyScript copy({.source_file_system = &above});
    copy.source_stat.stx_dev_minor = minor;
    EXPECT_EQ(copy.LookAtSource().starts_with("at once read fd7 1024@100"), minor != 8);
  }
}

// --- What closing reports ---

TEST(FileCopyRemoteTest, ATargetThatCanNotBeStoredIsRemoved) {
  Read read;
  CopyScript& copy = read.copy;
  copy.Settle({8});
  EXPECT_EQ(copy.Settle({100, 0, -EDQUOT, 0}), "lstat T");
  EXPECT_EQ(copy.Settle({0}), "unlink T");
  EXPECT_EQ(copy.Settle({0}), "failed: close T EDQUOT");
  EXPECT_EQ(copy.copy().removal_error(), 0);
  EXPECT_TRUE(copy.all_blocks_back());
}

// Once the target is gone, it does not matter that it could not be emptied.
TEST(FileCopyRemoteTest, TheReasonWhyAHalfWrittenTargetStaysIsKept) {
  for (const int error : {0, ENOENT, EROFS}) {
    Read read;
    CopyScript& copy = read.copy;
    copy.Settle({8});
    copy.Settle({-ENOSPC, kCancelled, kCancelled, kCancelled});
    EXPECT_EQ(copy.Settle({-EIO}), "fstat fd8 unasked = close fd8 = close fd7");
    copy.Settle({0, 0, 0});
    copy.Settle({0});
    EXPECT_EQ(copy.Settle({-error}), "failed: write T ENOSPC");
    EXPECT_EQ(copy.copy().removal_error(), error == EROFS ? EROFS : 0);
  }
  Read unknown;
  unknown.copy.Settle({8});
  unknown.copy.Settle({-ENOSPC, kCancelled, kCancelled, kCancelled});
  unknown.copy.Settle({0});
  EXPECT_EQ(unknown.copy.Settle({-ENOMEM, 0, 0}), "failed: write T ENOSPC");
  EXPECT_EQ(unknown.copy.copy().removal_error(), ENOMEM);
}

TEST(FileCopyRemoteTest, SomebodyElsesFileUnderItsNameIsLeftAlone) {
  Read read;
  read.copy.Settle({8});
  EXPECT_EQ(read.copy.Settle({100, 0, -EIO, 0}), "lstat T");
  read.copy.target_link_stat.stx_ino = 4711;
  EXPECT_EQ(read.copy.Settle({0}), "failed: close T EIO");
  EXPECT_EQ(read.copy.copy().removal_error(), 0);
}

TEST(FileCopyRemoteTest, WhatCouldNotBeIdentifiedBeforeItWasClosedIsLeftAlone) {
  Read read;
  read.copy.Settle({8});
  EXPECT_EQ(read.copy.Settle({100, -ENOMEM, -EIO, 0}), "failed: close T EIO");
  // ... and the failure is kept.
  EXPECT_EQ(read.copy.copy().removal_error(), ENOMEM);
}

TEST(FileCopyRemoteTest, WithAttributesItIsIdentifiedBeforeItIsClosedToo) {
  Read read({.policy = {.preserve = {.timestamps = true}}});
  CopyScript& copy = read.copy;
  EXPECT_EQ(copy.Settle({8}), "write fd8 100@0");
  EXPECT_EQ(copy.Settle({100}), "futimens fd8 11 22");
  EXPECT_EQ(copy.Settle({0}), "fstat fd8 unasked = close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, -ENOSPC, 0}), "lstat T");
  EXPECT_EQ(copy.Settle({0}), "unlink T");
  EXPECT_EQ(copy.Settle({0}), "failed: close T ENOSPC");
}

TEST(FileCopyRemoteTest, AnExistingTargetThatCanNotBeStoredIsEmptied) {
  Overwriting overwriting;
  CopyScript& copy = overwriting.copy;
  EXPECT_EQ(overwriting.next, "write fd8 100@0 - close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({100, -ENOSPC, 0}), "open T>fd");
  EXPECT_EQ(copy.Settle({9}), "fstat fd9");
  EXPECT_EQ(copy.Settle({0}), "at once set size fd9 0");
  EXPECT_EQ(copy.Settle({0}), "close fd9");
  EXPECT_EQ(copy.Settle({-EIO}), "failed: close T ENOSPC");
  EXPECT_EQ(copy.copy().removal_error(), 0);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyRemoteTest, ATargetBehindALinkIsFoundThroughIt) {
  Overwriting overwriting(/*is_link=*/true);
  EXPECT_EQ(overwriting.copy.Settle({100, -ENOSPC, 0}), "open T following>fd");
}

TEST(FileCopyRemoteTest, AnotherFileThatHasTakenItsNameIsNotEmptied) {
  Overwriting overwriting;
  CopyScript& copy = overwriting.copy;
  copy.Settle({100, -ENOSPC, 0});
  copy.Settle({9});
  copy.target_fd_stat.stx_ino = 4711;
  EXPECT_EQ(copy.Settle({0}), "close fd9");
  EXPECT_EQ(copy.Settle({0}), "failed: close T ENOSPC");
  EXPECT_EQ(copy.copy().removal_error(), 0);
}

TEST(FileCopyRemoteTest, TheReasonWhyAnExistingTargetCouldNotBeEmptiedIsKept) {
  for (const int error : {EIO, ENOENT}) {  // ENOENT: it is gone.
    Overwriting opening;
    opening.copy.Settle({100, -ENOSPC, 0});
    EXPECT_EQ(opening.copy.Settle({-error}), "failed: close T ENOSPC");
    EXPECT_EQ(opening.copy.copy().removal_error(), error == EIO ? EIO : 0);
  }
  Overwriting looking;
  looking.copy.Settle({100, -ENOSPC, 0});
  looking.copy.Settle({9});
  EXPECT_EQ(looking.copy.Settle({-ESTALE}), "close fd9");
  EXPECT_EQ(looking.copy.Settle({0}), "failed: close T ENOSPC");
  EXPECT_EQ(looking.copy.copy().removal_error(), ESTALE);

  Overwriting emptying;
  emptying.copy.Settle({100, -ENOSPC, 0});
  emptying.copy.Settle({9});
  emptying.copy.Settle({0});
  EXPECT_EQ(emptying.copy.Settle({-EIO}), "close fd9");
  EXPECT_EQ(emptying.copy.Settle({0}), "failed: close T ENOSPC");
  EXPECT_EQ(emptying.copy.copy().removal_error(), EIO);
}

TEST(FileCopyRemoteTest, ALargeTargetThatCanNotBeStoredIsRemoved) {
  CopyScript copy({.size = 5000, .local = false});
  copy.OpenBoth();
  copy.Settle(0, {4096, 4096});
  copy.Settle(1, {904, 904});
  EXPECT_EQ(copy.Settle({0}), "fstat fd8 unasked = close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, -EDQUOT, 0}), "lstat T");
  EXPECT_EQ(copy.Settle({0}), "unlink T");
  EXPECT_EQ(copy.Settle({0}), "failed: close T EDQUOT");
}

TEST(FileCopyRemoteTest, AFailedWriteIsReportedInsteadOfAFailedClose) {
  Read read;
  CopyScript& copy = read.copy;
  copy.Settle({8});
  EXPECT_EQ(
      RemoveClosed(&copy, copy.Settle({-ENOSPC, kCancelled, kCancelled, kCancelled})),
      "failed: write T ENOSPC");
}

// FUSE reports EIO for a queued write that was stored in part.
TEST(FileCopyRemoteTest, AfterAQueuedWriteFailedAllIsWrittenByACall) {
  for (const bool works : {true, false}) {
    Read read;
    CopyScript& copy = read.copy;
    EXPECT_EQ(copy.Settle({8}), kWriteAndClose);
    EXPECT_EQ(copy.Settle({60, kCancelled, kCancelled, kCancelled}),
              "write fd8 40@60 - fstat fd8 unasked = close fd8 = close fd7");
    EXPECT_EQ(copy.Settle({-EIO, kCancelled, kCancelled, kCancelled}),
              "at once write fd8 100@0 - at once fstat fd8 unasked = at once close fd8 = "
              "at once close fd7");
    EXPECT_EQ(copy.counters().bytes_done.value(), 0);
    if (works) {
      EXPECT_EQ(copy.Settle({100, 0, 0, 0}), "copied");
      EXPECT_EQ(copy.counters().bytes_done.value(), 100);
    } else {
      const std::string next = copy.Settle({-EIO, kCancelled, kCancelled, kCancelled});
      EXPECT_EQ(RemoveClosed(&copy, next, "at once "), "failed: write T EIO");
    }
  }
}

constexpr char kLookAnew[] = "at once fstat fd8 = at once lstat T";
constexpr char kLetGo[] = "at once set size fd8 0 = at once close fd8";

// The error may be about an earlier write, and the open file may be unusable from then
// on, so everything is copied anew.
TEST(FileCopyRemoteTest, AfterAQueuedWriteOfALargeFileFailedAllIsCopiedAnewByCalls) {
  for (const int error : {EIO, EINVAL, ESPIPE}) {
    for (const bool is_forgotten : {true, false}) {
      CopyScript copy({.size = 3 * 4096, .local = false});
      copy.OpenBoth();
      EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
      EXPECT_EQ(copy.Settle(1, {4096, -error}), "");
      EXPECT_EQ(copy.Settle(2, {4096, 4096}), kLookAnew);
      EXPECT_EQ(copy.Settle({0, 0}), kLetGo);
      EXPECT_EQ(copy.Settle({-EIO, -ECANCELED}), "at once lstat T");
      EXPECT_EQ(copy.counters().bytes_done.value(), 0);
      std::string next;
      if (is_forgotten) {
        EXPECT_EQ(copy.Settle({-ENOENT}), "at once open T new 644>fd");
        next = copy.Settle({8});
      } else {
        EXPECT_EQ(copy.Settle({0}), "at once open T truncated>fd");
        EXPECT_EQ(copy.Settle({-EINTR}), "at once open T truncated>fd");
        EXPECT_EQ(copy.Settle({8}), "at once fstat fd8");
        next = copy.Settle({0});
      }
      EXPECT_EQ(next, "at once read fd7 4096@0 - at once write fd8 4096@0");
      copy.LeaveToChains();  // Even if the calls have to wait.
      EXPECT_EQ(copy.Settle({4096, 4096}),
                "at once read fd7 4096@4096 - at once write fd8 4096@4096");
      EXPECT_EQ(copy.Settle({4096, 4096}),
                "at once read fd7 4096@8192 - at once write fd8 4096@8192");
      EXPECT_EQ(copy.Settle({4096, 4096}), "at once read fd7 4096@12288");
      EXPECT_EQ(copy.counters().bytes_done.value(), 3 * 4096);
      const std::string closing = copy.Settle({0});
      if (is_forgotten) {
        EXPECT_EQ(closing,
                  "at once fstat fd8 unasked = at once close fd8 = at once close fd7");
        EXPECT_EQ(copy.Settle({0, 0, 0}), "copied");
      } else {
        EXPECT_EQ(closing, "at once close fd8 = at once close fd7");
        EXPECT_EQ(copy.Settle({0, 0}), "copied");
      }
    }
  }
}

// A copy of two blocks whose second write failed with EINVAL, and which closes its target
// to open it anew.
struct LetGo {
  explicit LetGo(bool exists = false) : copy({.size = 2 * 4096, .local = false}) {
    copy.LookAtSource();
    if (exists) {
      EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
      EXPECT_EQ(copy.Settle({0, 0}), "open T>fd");
      copy.Settle({8});
      EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
      copy.Settle({0});
    } else {
      copy.Settle({8});
    }
    copy.Settle(0, {4096, -EINVAL});
    EXPECT_EQ(copy.Settle(1, {4096, 4096}), kLookAnew);
    next = copy.Settle({0, 0});
  }
  CopyScript copy;
  std::string next;
};

TEST(FileCopyRemoteTest, ASecondFailureIsFinal) {
  LetGo let_go;
  CopyScript& copy = let_go.copy;
  copy.Settle({0, 0});
  copy.Settle({0});
  copy.Settle({8});
  EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@0 - at once write fd8 4096@0");
  EXPECT_EQ(copy.Settle({4096, -EIO}), "at once set size fd8 0");
  EXPECT_EQ(copy.Settle({0}), "at once close fd8 = at once close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "at once lstat T");
  EXPECT_EQ(copy.Settle({0}), "at once unlink T");
  EXPECT_EQ(copy.Settle({0}), "failed: write T EIO");
}

// The first failure is reported.
TEST(FileCopyRemoteTest, WhatCanNotBeCopiedAnewFailsByItsFirstError) {
  CopyScript unknown({.size = 2 * 4096, .local = false});
  unknown.OpenBoth();
  unknown.Settle(0, {4096, -EINVAL});
  unknown.Settle(1, {4096, 4096});
  EXPECT_EQ(unknown.Settle({-ENOMEM, 0}), kLetGo);
  EXPECT_EQ(unknown.Settle({0, 0}), "at once lstat T");
  EXPECT_EQ(unknown.Settle({0}), "at once close fd7");
  EXPECT_EQ(unknown.Settle({0}), "failed: write T EINVAL");
  EXPECT_EQ(unknown.copy().removal_error(), ENOMEM);

  LetGo unopened;
  unopened.copy.Settle({0, 0});
  unopened.copy.Settle({0});
  EXPECT_EQ(unopened.copy.Settle({-EIO}), "at once lstat T");
  EXPECT_EQ(unopened.copy.Settle({0}), "at once unlink T");
  EXPECT_EQ(unopened.copy.Settle({0}), "at once close fd7");
  EXPECT_EQ(unopened.copy.Settle({0}), "failed: write T EINVAL");

  // A file that somebody else has put there is left alone, even if it comes late.
  LetGo taken;
  taken.copy.Settle({0, 0});
  EXPECT_EQ(taken.copy.Settle({-ENOENT}), "at once open T new 644>fd");
  EXPECT_EQ(taken.copy.Settle({-EEXIST}), "at once close fd7");
  EXPECT_EQ(taken.copy.Settle({0}), "failed: write T EINVAL");
}

// The target was open for writing, but its mode does not let the copy open it so again.
TEST(FileCopyRemoteTest, ATargetThatMayNotBeReopenedForWritingIsMadeAgain) {
  LetGo let_go;
  CopyScript& copy = let_go.copy;
  copy.Settle({0, 0});
  EXPECT_EQ(copy.Settle({0}), "at once open T truncated>fd");
  EXPECT_EQ(copy.Settle({-EACCES}), "at once lstat T");
  EXPECT_EQ(copy.Settle({0}), "at once unlink T");
  EXPECT_EQ(copy.Settle({0}), "at once open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), "at once read fd7 4096@0 - at once write fd8 4096@0");
}

TEST(FileCopyRemoteTest, WhatTookItsNameWhenItCouldNotBeOpenedAgainIsLeft) {
  LetGo let_go;
  CopyScript& copy = let_go.copy;
  copy.Settle({0, 0});
  EXPECT_EQ(copy.Settle({0}), "at once open T truncated>fd");
  copy.target_link_stat.stx_ino = 4711;
  EXPECT_EQ(copy.Settle({-EACCES}), "at once lstat T");
  EXPECT_EQ(copy.Settle({0}), "at once open T new 644>fd");
  EXPECT_EQ(copy.Settle({-EEXIST}), "at once close fd7");
  EXPECT_EQ(copy.Settle({0}), "failed: write T EINVAL");
}

TEST(FileCopyRemoteTest, ACopyThatIsStoppedWhileItBeginsAnewLeavesNothing) {
  LetGo let_go;
  let_go.copy.Stop();
  EXPECT_EQ(let_go.copy.Settle({0, 0}), "at once lstat T");
  EXPECT_EQ(let_go.copy.Settle({0}), "at once unlink T");
  EXPECT_EQ(let_go.copy.Settle({0}), "at once close fd7");
  EXPECT_EQ(let_go.copy.Settle({0}), "cancelled");
}

// If each look reports another inode number, only the open file can be used.
TEST(FileCopyRemoteTest,
     ATargetThatItsNameDoesNotLeadToIsCopiedToAnewThroughTheOpenFile) {
  for (const bool works : {true, false}) {
    CopyScript copy({.size = 2 * 4096, .local = false});
    copy.OpenBoth();
    copy.Settle(0, {4096, -EIO});
    copy.target_link_stat.stx_ino = 4711;
    EXPECT_EQ(copy.Settle(1, {4096, 4096}), kLookAnew);
    EXPECT_EQ(copy.Settle({0, 0}), "at once set size fd8 0");
    if (works) {
      EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@0 - at once write fd8 4096@0");
    } else {
      EXPECT_EQ(copy.Settle({-EINVAL}), "at once set size fd8 0");
      EXPECT_EQ(copy.Settle({-EINVAL}), "at once close fd8 = at once close fd7");
      EXPECT_EQ(copy.Settle({0, 0}), "at once lstat T");
      EXPECT_EQ(copy.Settle({0}), "failed: write T EIO");
      EXPECT_EQ(copy.copy().removal_error(), EINVAL);
    }
  }
}

// A read of the last bytes is none of whole pages.
TEST(FileCopyRemoteTest, ItsSourceIsReadThroughThePageCacheThen) {
  FileCopyPolicy policy;
  policy.page_cache = PageCache::kBypass;
  CopyScript copy({.policy = policy, .size = 2 * 4096 + 100, .local = false});
  copy.OpenBoth();
  copy.Settle({0});
  copy.Settle({0});
  copy.Settle(0, {4096, -EIO});
  EXPECT_EQ(copy.Settle(1, {4096, 4096}),
            absl::StrCat("at once direct off fd7 fd8 = ", kLookAnew));
}

TEST(FileCopyRemoteTest, WithoutRoomNothingIsCopiedAnew) {
  for (const int error : {ENOSPC, EDQUOT, EFBIG}) {
    CopyScript copy({.size = 2 * 4096, .local = false});
    copy.OpenBoth();
    copy.Settle(0, {4096, -error});
    RemoveClosed(&copy, copy.Settle(1, {4096, 4096}));
  }
}

// A target that existed before is reopened, but only if its name still leads to it.
TEST(FileCopyRemoteTest, AnOldTargetIsCopiedToAnewIfItIsStillThere) {
  for (const bool is_there : {true, false}) {
    LetGo let_go(/*exists=*/true);
    CopyScript& copy = let_go.copy;
    EXPECT_EQ(let_go.next, kLetGo);
    if (!is_there) copy.target_link_stat.stx_ino = 4711;
    EXPECT_EQ(copy.Settle({0, -EIO}), "at once lstat T");
    if (!is_there) {
      EXPECT_EQ(copy.Settle({0}), "at once open T>fd");
      copy.target_fd_stat.stx_ino = 4711;
      EXPECT_EQ(copy.Settle({8}), "at once fstat fd8");
      EXPECT_EQ(copy.Settle({0}), "at once close fd8 = at once close fd7");
      continue;
    }
    EXPECT_EQ(copy.Settle({0}), "at once open T truncated>fd");
    EXPECT_EQ(copy.Settle({8}), "at once fstat fd8");
    EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@0 - at once write fd8 4096@0");
  }
}

// The op did not run, because the kernel lacked a thread for it.
TEST(FileCopyRemoteTest, WhatIsLetGoIsClosedInAnyCase) {
  Read read;
  CopyScript& copy = read.copy;
  copy.Settle({-EEXIST});
  copy.Settle({0, 0});
  copy.Settle({8});
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({-EOPNOTSUPP}), "close fd8");
  EXPECT_EQ(copy.Settle({kCancelled}), "at once close fd8");
  EXPECT_EQ(copy.Settle({0}), "open T truncated>fd");
}

// A file that exists may open only with O_TRUNC.
TEST(FileCopyRemoteTest, ATargetThatOpensOnlyWithTruncationIsTruncated) {
  for (const int error : {EPERM, EACCES, EINVAL, EOPNOTSUPP, ENOSPC, EDQUOT}) {
    for (const bool opens : {true, false}) {
      Read read;
      CopyScript& copy = read.copy;
      copy.Settle({-EEXIST});
      EXPECT_EQ(copy.Settle({0, 0}), "open T>fd");
      EXPECT_EQ(copy.Settle({-error}), "open T truncated>fd");
      if (!opens) {
        EXPECT_EQ(copy.Settle({-error}), "close fd7");
        continue;
      }
      EXPECT_EQ(copy.Settle({8}), "at once fstat fd8");
      EXPECT_EQ(copy.Settle({0}), "write fd8 100@0 - close fd8 = close fd7");
      EXPECT_EQ(copy.Settle({50, kCancelled, kCancelled}),
                "write fd8 50@50 - close fd8 = close fd7");
      // Its old contents are lost, so it is emptied.
      EXPECT_EQ(copy.Settle({-ENOSPC, kCancelled, kCancelled}), "at once set size fd8 0");
      EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
      EXPECT_EQ(copy.Settle({0, 0}), "failed: write T ENOSPC");
    }
  }
}

TEST(FileCopyRemoteTest, ATargetThatCanNotBeResizedIsReopenedToBeTruncated) {
  Read read;
  CopyScript& copy = read.copy;
  copy.Settle({-EEXIST});
  copy.Settle({0, 0});
  copy.Settle({8});
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
  EXPECT_EQ(copy.Settle({-EOPNOTSUPP}), "close fd8");
  EXPECT_EQ(copy.Settle({0}), "open T truncated>fd");
  EXPECT_EQ(copy.Settle({8}), "at once fstat fd8");
  EXPECT_EQ(copy.Settle({0}), "write fd8 100@0 - close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({100, 0, 0}), "copied");
}

}  // namespace
}  // namespace ringcp

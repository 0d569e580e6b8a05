// Tests the state machine of one file's copy if the file is offered to other workers.
// copy_script.h explains the notation.

#include <cerrno>
#include <string>

#include "core/file/file_copy.h"
#include "core/file/shared_file.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"
#include "tests/system_kernel.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;

FileCopyPolicy Sharing(SharedFiles* files) {
  FileCopyPolicy policy;
  policy.shared_files = files;
  return policy;
}

// A source of four blocks that is offered to a second worker.
struct Shared {
  Shared() : copy({.policy = Sharing(&files), .size = 4 * CopyScript::kBlock}) {
    EXPECT_EQ(copy.LookAtSource(), "open T new 644>fd");
    EXPECT_EQ(copy.Settle({8}), "count cached fd7 8192");
    next = copy.Settle({0});
  }

  SharedFiles files{2, 4 * CopyScript::kBlock};
  CopyScript copy;
  std::string next;
};

TEST(FileCopySharedTest, InThePageCacheFewBlocksAreOnTheirWay) {
  Shared shared;
  EXPECT_EQ(shared.next,
            "0: read fd7 4096@0 - write fd8 4096@0 | "
            "1: read fd7 4096@4096 - write fd8 4096@4096 | "
            "2: read fd7 4096@8192 - write fd8 4096@8192 | "
            "3: read fd7 4096@12288 - write fd8 4096@12288");
}

FileCopyPolicy ReadingDirectly(SharedFiles* files) {
  FileCopyPolicy policy = Sharing(files);
  policy.direct_reads = true;
  return policy;
}

// Opens both files of a copy whose source is not in the page cache. The copy then asks
// how much of it is.
void OpenUncached(CopyScript* copy) {
  copy->cached = false;
  copy->OpenBoth();
}

// Removes a half-written target, where `next` is what comes next. Returns the outcome.
std::string Remove(CopyScript* copy, const std::string& next) {
  EXPECT_EQ(next, "fstat fd8 = lstat T");
  EXPECT_EQ(copy->Settle({0, 0}), "unlink T");
  EXPECT_EQ(copy->Settle({0}), "close fd8 = close fd7");
  std::string outcome = copy->Settle({0, 0});
  EXPECT_TRUE(copy->all_blocks_back());
  return outcome;
}

TEST(FileCopySharedTest, OnADeviceAllBlocksAreOnTheirWayAndNobodyHelps) {
  for (const int counted : {0, -ENOSYS}) {
    SharedFiles files(1, 4096);
    CopyScript copy({.policy = ReadingDirectly(&files), .size = 100 * 4096});
    OpenUncached(&copy);
    std::string next = copy.Settle({counted});
    if (counted == 0) {
      EXPECT_EQ(next, "direct on fd7");
      next = copy.Settle({0});
    }
    EXPECT_NE(next.find(" | 7: "), std::string::npos);
    SharedFile* none = nullptr;
    EXPECT_EQ(files.Join(SystemKernel(), &none), SharedFiles::Joined::kOver);
  }
}

// A large copy that has learned that its source is not in the page cache.
struct Uncached {
  Uncached() : copy({.policy = ReadingDirectly(&files), .size = 2 * 4096 + 100}) {
    OpenUncached(&copy);
    next = copy.Settle({0});
  }
  SharedFiles files{1, 4096};
  CopyScript copy;
  std::string next;
};

TEST(FileCopySharedTest, ASourceOnADeviceIsReadPastThePageCache) {
  Uncached uncached;
  CopyScript& copy = uncached.copy;
  EXPECT_EQ(uncached.next, "direct on fd7");
  EXPECT_EQ(copy.Settle({0}),
            "0: read fd7 4096@0 - write fd8 4096@0 | 1: read fd7 4096@4096 - write fd8 "
            "4096@4096");
  copy.Settle(0, {4096, 4096});
  EXPECT_EQ(copy.Settle(1, {4096, 4096}), "direct off fd7");
  EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@8192");
  EXPECT_EQ(copy.Settle({100}), "write fd8 100@8192");
  EXPECT_EQ(copy.Settle({100}), "at once read fd7 4096@8292");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 2 * 4096 + 100);
  EXPECT_EQ(copy.counters().files_direct.value(), 0);
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopySharedTest, WhatCanNotBeReadPastThePageCacheIsReadThroughIt) {
  Uncached uncached;
  EXPECT_NE(uncached.copy.Settle({-EINVAL}).find("2: read fd7 100@8192"),
            std::string::npos);
}

TEST(FileCopySharedTest, OnceRefusedTheNextFileIsReadThroughThePageCacheUntried) {
  Uncached first;
  first.copy.Settle({-EINVAL});
  EXPECT_TRUE(first.copy.file_system()->refuses_direct());
  SharedFiles files(1, 4096);
  CopyScript second({.policy = ReadingDirectly(&files),
                     .size = 2 * 4096 + 100,
                     .source_file_system = first.copy.file_system()});
  OpenUncached(&second);
  EXPECT_NE(second.Settle({0}).find("2: read fd7 100@8192"), std::string::npos);
}

TEST(FileCopySharedTest, ASourceThatRefusesADirectReadIsBegunAnew) {
  Uncached uncached;
  CopyScript& copy = uncached.copy;
  copy.Settle({0});
  copy.Settle(0, {4096, 4096});
  EXPECT_EQ(copy.Settle(1, {-EIO, -ECANCELED}), "direct off fd7");
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 0");
  EXPECT_EQ(copy.counters().bytes_done.value(), 0);
  EXPECT_NE(copy.Settle({0}).find("2: read fd7 100@8192"), std::string::npos);
}

TEST(FileCopySharedTest, ASourceThatKeepsODirectOnFailsTheCopy) {
  Uncached uncached;
  CopyScript& copy = uncached.copy;
  copy.Settle({0});
  copy.Settle(0, {4096, 4096});
  EXPECT_EQ(copy.Settle(1, {4096, 4096}), "direct off fd7");
  EXPECT_EQ(Remove(&copy, copy.Settle({-EIO})), "failed: read S EIO");
}

TEST(FileCopySharedTest, AFailedWriteOfWhatWasReadPastThePageCacheFails) {
  Uncached uncached;
  CopyScript& copy = uncached.copy;
  copy.Settle({0});
  copy.Settle(0, {4096, 4096});
  EXPECT_EQ(Remove(&copy, copy.Settle(1, {4096, -ENOSPC})), "failed: write T ENOSPC");
}

TEST(FileCopySharedTest, WithoutAHelperItIsCopiedAlone) {
  Shared shared;
  for (const int lane : {0, 1, 2}) EXPECT_EQ(shared.copy.Settle(lane, {4096, 4096}), "");
  EXPECT_EQ(shared.copy.Settle(3, {4096, 4096}), "at once read fd7 4096@16384");
  EXPECT_EQ(shared.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(shared.copy.Settle({0, 0}), "copied");
}

// A copy of eight blocks: lanes 2 and 3 have the third and fourth, a helper the fifth.
struct Helped {
  Helped() : copy({.policy = Sharing(&files), .size = 8 * CopyScript::kBlock}) {
    copy.OpenBoth();
    copy.Settle({0});
    files.Join(SystemKernel(), &file);
    uint64_t offset = 0;
    EXPECT_EQ(file->Take(CopyScript::kBlock, &offset), CopyScript::kBlock);
    EXPECT_EQ(offset, 16'384u);
    EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");  // Fewer lanes with a helper.
    EXPECT_EQ(copy.Settle(1, {4096, 4096}), "");
  }

  // Copies what is left, up to the last block.
  void CopyRest() {
    EXPECT_EQ(copy.Settle(2, {4096, 4096}), "");
    EXPECT_EQ(copy.Settle(3, {4096, 4096}), "read fd7 4096@20480 - write fd8 4096@20480");
    EXPECT_EQ(copy.Settle({4096, 4096}), "read fd7 4096@24576 - write fd8 4096@24576");
    EXPECT_EQ(copy.Settle({4096, 4096}), "read fd7 4096@28672 - write fd8 4096@28672");
  }

  // Makes the helper leave. Returns what comes next.
  std::string Leave() {
    files.Leave(file);
    return copy.Resume();
  }
  // The same if the target is then removed. Returns the outcome.
  std::string LeaveAndRemove() { return Remove(&copy, Leave()); }

  SharedFiles files{2, 8 * CopyScript::kBlock};
  CopyScript copy;
  SharedFile* file = nullptr;
};

TEST(FileCopySharedTest, TheFilesStayOpenUntilTheHelperHasLeft) {
  Helped helped;
  helped.CopyRest();
  EXPECT_EQ(helped.copy.Settle(0, {4096, 4096}), "awaits helper");
  EXPECT_EQ(helped.copy.Resume(), "awaits helper");
  EXPECT_EQ(helped.Leave(), "at once read fd7 4096@32768");
  EXPECT_EQ(helped.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(helped.copy.Settle({0, 0}), "copied");
  EXPECT_TRUE(helped.copy.all_blocks_back());
}

TEST(FileCopySharedTest, WhatFailsForTheHelperFailsTheCopy) {
  Helped helped;
  helped.file->Fail(Operation::kWrite, ENOSPC);
  EXPECT_EQ(helped.copy.Settle(2, {4096, 100}), "");  // Not continued.
  EXPECT_EQ(helped.copy.Settle(3, {4096, 4096}), "awaits helper");
  EXPECT_EQ(helped.LeaveAndRemove(), "failed: write T ENOSPC");
}

TEST(FileCopySharedTest, ABlockThatTheHelperGaveUpIsMissed) {
  Helped helped;
  helped.CopyRest();
  EXPECT_EQ(helped.copy.Settle(0, {4096, 4096}), "awaits helper");
  helped.file->Stop();
  helped.file->DropBlock();
  EXPECT_EQ(helped.LeaveAndRemove(), "cancelled");
}

// The source has been cut, so that nothing is left to be read.
TEST(FileCopySharedTest, ABlockThatTheStoppedCopyDroppedIsMissed) {
  Shared shared;
  shared.copy.Stop();
  EXPECT_EQ(shared.copy.Settle(3, {0, kCancelled}), "");
  EXPECT_EQ(shared.copy.Settle(2, {4096, 4096}), "");
  EXPECT_EQ(shared.copy.Settle(1, {4096, 4096}), "");
  EXPECT_EQ(Remove(&shared.copy, shared.copy.Settle(0, {4096, 100})), "cancelled");
}

TEST(FileCopySharedTest, AFailureLeavesTheHelperNothingToDo) {
  Helped helped;
  EXPECT_EQ(helped.copy.Settle(2, {-EIO, kCancelled}), "");
  uint64_t offset = 0;
  EXPECT_EQ(helped.file->Take(4096, &offset), 0u);
  EXPECT_EQ(helped.copy.Settle(3, {4096, 4096}), "awaits helper");
  EXPECT_EQ(helped.LeaveAndRemove(), "failed: read S EIO");
}

TEST(FileCopySharedTest, AStoppedCopyStillWaitsForTheHelper) {
  Helped helped;
  helped.copy.Stop();
  EXPECT_EQ(helped.copy.Settle(2, {4096, 4096}), "");
  EXPECT_EQ(helped.copy.Settle(3, {4096, 4096}), "awaits helper");
  EXPECT_EQ(helped.LeaveAndRemove(), "cancelled");
}

TEST(FileCopySharedTest, ASourceThatWasCutEndsWhereTheFirstOfBothMetItsEnd) {
  struct Case {
    uint64_t helper_found;
    const char* next;
  };
  for (const Case& cut : {Case{16'384, "at once set size fd8 8192"},
                          Case{4096, "at once set size fd8 4096"}}) {
    Helped helped;
    helped.file->FindEnd(cut.helper_found);
    EXPECT_EQ(helped.copy.Settle(3, {0, kCancelled}), "");
    EXPECT_EQ(helped.copy.Settle(2, {0, kCancelled}), "awaits helper");
    EXPECT_EQ(helped.Leave(), cut.next);
  }
}

TEST(FileCopySharedTest, ALargePieceOfASparseFileIsSharedOnceThoseBeforeItAreCopied) {
  SharedFiles files(2, 4 * CopyScript::kBlock);
  CopyScript copy({.policy = Sharing(&files), .size = 10 * CopyScript::kBlock});
  copy.source_stat.stx_blocks = 48;
  copy.data = {{0, 4096}, {8192, 24'576}, {32'768, 36'864}};
  copy.OpenBoth();
  EXPECT_EQ(copy.Settle({0}), "seek data fd7 0");
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 0");
  EXPECT_EQ(copy.Settle({0}), "seek data fd7 4096");
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 8192");
  EXPECT_EQ(copy.Settle({0}), "read fd7 4096@0 - write fd8 4096@0");
  EXPECT_EQ(copy.Settle({4096, 4096}), "seek data fd7 8192");
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 8192");
  EXPECT_EQ(copy.Settle({0}),
            "0: read fd7 4096@8192 - write fd8 4096@8192 | "
            "1: read fd7 4096@12288 - write fd8 4096@12288 | "
            "2: read fd7 4096@16384 - write fd8 4096@16384 | "
            "3: read fd7 4096@20480 - write fd8 4096@20480");
  for (const int lane : {0, 1, 2}) EXPECT_EQ(copy.Settle(lane, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(3, {4096, 4096}), "seek data fd7 24576");
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 32768");
  EXPECT_EQ(copy.Settle({0}), "seek data fd7 36864");
  EXPECT_EQ(copy.Settle({-ENXIO}), "read fd7 4096@32768 - write fd8 4096@32768");
  EXPECT_EQ(copy.Settle({4096, 4096}), "at once fstat fd7");
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 40960");
  EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@40960");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 40'960);
  EXPECT_TRUE(copy.all_blocks_back());
}

}  // namespace
}  // namespace ringcp

// Tests the state machine of one file's copy if both files are on a server that may copy
// them. copy_script.h explains the notation.

#include <linux/magic.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/file/file_copy.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/file_systems.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"
#include "tests/file_system_kinds.h"

namespace ringcp {
namespace {

constexpr uint64_t kMiB = 1024 * 1024;
constexpr char kClose[] = "fstat fd8 unasked = close fd8 = close fd7";
constexpr char kFirst[] = "write back fd7 - copy range fd7>fd8 10000@0";

FileCopyPolicy Policy(Reflink reflink = Reflink::kAuto,
                      PageCache page_cache = PageCache::kKeep) {
  FileCopyPolicy policy;
  policy.reflink = reflink;
  policy.page_cache = page_cache;
  return policy;
}

// A copy on one server that has opened its files and could not make a clone.
struct OnServer {
  explicit OnServer(uint64_t size = 10'000)
      : copy({.policy = Policy(), .size = size, .kind = &NfsKind()}) {
    next = copy.OpenBoth();
    EXPECT_EQ(next, "clone fd7>fd8");
    next = copy.Settle({-EOPNOTSUPP});
  }

  // Confirms the end of the source, and closes the files. Returns the outcome.
  std::string End(uint64_t end) {
    EXPECT_EQ(next, absl::StrCat("at once read fd7 4096@", end));
    EXPECT_EQ(copy.Settle({0}), kClose);
    std::string outcome = copy.Settle({0, 0, 0});
    EXPECT_TRUE(copy.all_blocks_back());
    return outcome;
  }

  // Ends the copy of 10,000 bytes, of which blocks are copied from `begin` on.
  std::string CopyBlocks(int begin) {
    std::string blocks;
    int lane = 0;
    for (int at = begin; at < 10'000; at += 4096, ++lane) {
      const int length = std::min(4096, 10'000 - at);
      absl::StrAppend(&blocks, lane > 0 ? " | " : "", lane, ": read fd7 ", length, "@",
                      at, " - write fd8 ", length, "@", at);
    }
    if (lane == 1) blocks = blocks.substr(3);
    EXPECT_EQ(next, blocks);
    for (int i = 0; i < lane; ++i) {
      const int length = std::min(4096, 10'000 - begin - i * 4096);
      next = copy.Settle(i, {length, length});
    }
    return End(10'000);
  }

  CopyScript copy;
  std::string next;
};

TEST(FileCopyServerTest, AServerCopiesPieceByPiece) {
  OnServer on(100 * kMiB);
  EXPECT_EQ(on.next, "write back fd7 - copy range fd7>fd8 16777216@0");
  EXPECT_EQ(on.copy.Settle({0, 16'777'216}), "copy range fd7>fd8 67108864@16777216");
  EXPECT_EQ(on.copy.counters().bytes_done.value(), 16'777'216);
  EXPECT_EQ(on.copy.Settle({67'108'864}), "copy range fd7>fd8 20971520@83886080");
  on.next = on.copy.Settle({20'971'520});
  EXPECT_EQ(on.End(100 * kMiB), "copied");
  EXPECT_EQ(on.copy.counters().bytes_done.value(), 100 * kMiB);
  EXPECT_EQ(on.copy.route().server, ContentsRoute::Means::kYes);
}

TEST(FileCopyServerTest, ItIsNotCarriedOutAtOnceThoughAllElseIs) {
  CopyScript copy({.policy = Policy(),
                   .size = 10'000,
                   .kind = &NfsKind(),
                   .calls_at_once = CallsAtOnce::kAll});
  copy.LookAtSource();
  EXPECT_EQ(copy.Settle({8}), "at once clone fd7>fd8");
  EXPECT_EQ(copy.Settle({-EOPNOTSUPP}), kFirst);
}

TEST(FileCopyServerTest, AfterEachRefusalBlocksAreCopied) {
  for (const int error : {EXDEV, EINVAL, EOPNOTSUPP, ENOSYS, EBADF, EPERM, EACCES,
                          ETXTBSY, ENOENT, EIO, ESTALE, ENOMEM, ENOSPC, EFBIG}) {
    SCOPED_TRACE(error);
    OnServer on;
    EXPECT_EQ(on.next, kFirst);
    on.next = on.copy.Settle({0, -error});
    EXPECT_EQ(on.CopyBlocks(0), "copied");
    EXPECT_EQ(on.copy.counters().bytes_done.value(), 10'000);
    EXPECT_EQ(on.copy.route().server, ContentsRoute::Means::kUnsupported);
    const bool is_for_all = error == EXDEV || error == EOPNOTSUPP || error == ENOSYS;
    EXPECT_EQ(on.copy.file_system()->may_copy_on_server(), !is_for_all);
  }
}

TEST(FileCopyServerTest, OnceAllIsRefusedNoOtherFileIsTried) {
  OnServer on;
  on.next = on.copy.Settle({0, -EOPNOTSUPP});
  EXPECT_EQ(on.CopyBlocks(0), "copied");
  // The refused clone is remembered as well.
  on.copy.LookAtSource();
  on.next = on.copy.Settle({8});
  EXPECT_EQ(on.CopyBlocks(0), "copied");
}

TEST(FileCopyServerTest, RefusedHalfWayItGoesOnFromThereAndTheNextFileIsTried) {
  for (const int error : {EOPNOTSUPP, EXDEV, EIO, EINVAL}) {
    OnServer on;
    EXPECT_EQ(on.copy.Settle({0, 5000}), "copy range fd7>fd8 5000@5000");
    on.next = on.copy.Settle({-error});
    EXPECT_EQ(on.CopyBlocks(5000), "copied");
    EXPECT_EQ(on.copy.counters().bytes_done.value(), 10'000);
    EXPECT_TRUE(on.copy.file_system()->may_copy_on_server());
  }
}

TEST(FileCopyServerTest, AShortCopyIsContinuedWhereItEnded) {
  OnServer on;
  EXPECT_EQ(on.copy.Settle({0, 1}), "copy range fd7>fd8 9999@1");
  EXPECT_EQ(on.copy.Settle({9000}), "copy range fd7>fd8 999@9001");
  on.next = on.copy.Settle({999});
  EXPECT_EQ(on.End(10'000), "copied");
}

TEST(FileCopyServerTest, NothingCopiedIsNotTheEnd) {
  OnServer at_once;
  at_once.next = at_once.copy.Settle({0, 0});
  EXPECT_EQ(at_once.CopyBlocks(0), "copied");

  OnServer half_way;
  half_way.copy.Settle({0, 8000});
  half_way.next = half_way.copy.Settle({0});
  EXPECT_EQ(half_way.CopyBlocks(8000), "copied");
  EXPECT_EQ(half_way.copy.counters().bytes_done.value(), 10'000);
}

TEST(FileCopyServerTest, WhereASourceWasCutAReadFindsTheEnd) {
  OnServer on;
  on.copy.Settle({0, 8000});
  EXPECT_EQ(on.copy.Settle({0}), "read fd7 2000@8000 - write fd8 2000@8000");
  EXPECT_EQ(on.copy.Settle({0, -ECANCELED}), "at once set size fd8 8000");
  on.next = on.copy.Settle({0});
  EXPECT_EQ(on.End(8000), "copied");
}

TEST(FileCopyServerTest, WhatASourceHasGotMeanwhileIsReadBehindIt) {
  OnServer on;
  EXPECT_EQ(on.copy.Settle({0, 10'000}), "at once read fd7 4096@10000");
  EXPECT_EQ(on.copy.Settle({100}), "write fd8 100@10000");
  on.next = on.copy.Settle({100});
  EXPECT_EQ(on.End(10'100), "copied");
}

TEST(FileCopyServerTest, AnInterruptedPieceIsAskedForAgain) {
  for (const int error : {EINTR, EAGAIN, ECANCELED}) {
    OnServer on;
    EXPECT_EQ(on.copy.Settle({0, -error}), kFirst);
    EXPECT_EQ(on.copy.Settle({0, 5000}), "copy range fd7>fd8 5000@5000");
    EXPECT_EQ(on.copy.Settle({-error}), "copy range fd7>fd8 5000@5000");
    for (int i = 0; i < kRetriesMax - 1; ++i) on.next = on.copy.Settle({-error});
    EXPECT_EQ(on.next, "copy range fd7>fd8 5000@5000");
    on.next = on.copy.Settle({-error});
    EXPECT_EQ(on.CopyBlocks(5000), "copied");
  }
}

TEST(FileCopyServerTest, ASourceThatCouldNotBeWrittenBackIsReadHere) {
  OnServer on;
  on.next = on.copy.Settle({-EIO, -ECANCELED});
  EXPECT_EQ(on.CopyBlocks(0), "copied");
  EXPECT_TRUE(on.copy.file_system()->may_copy_on_server());
}

TEST(FileCopyServerTest, ACancelledCopyEndsAfterThePieceOnItsWay) {
  OnServer on;
  on.copy.Stop();
  EXPECT_EQ(on.copy.Settle({0, 5000}), "fstat fd8 = lstat T");
}

TEST(FileCopyServerTest, TheErrorOfABlockSaysWhichFileIsAtFault) {
  OnServer on;
  on.copy.Settle({0, 8000});
  EXPECT_EQ(on.copy.Settle({-EIO}), "read fd7 2000@8000 - write fd8 2000@8000");
  EXPECT_EQ(on.copy.Settle({-EIO, -ECANCELED}), "fstat fd8 = lstat T");
  EXPECT_EQ(on.copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(on.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(on.copy.Settle({0, 0}), "failed: read S EIO");
}

// A source of ten blocks, of which [1, 3) and [5, 6) are data.
struct Sparse {
  Sparse() : copy({.policy = Policy(), .size = 40'960, .kind = &NfsKind()}) {
    copy.source_stat.stx_blocks = 24;
    copy.data = {{4096, 12'288}, {20'480, 24'576}};
    copy.OpenBoth();
    EXPECT_EQ(copy.Settle({-EOPNOTSUPP}), "seek data fd7 0");
    EXPECT_EQ(copy.Settle({0}), "seek hole fd7 4096");
  }

  // Ends the copy after the last hole. Returns the outcome.
  std::string End(const std::string& next) {
    EXPECT_EQ(next, "at once fstat fd7");
    EXPECT_EQ(copy.Settle({0}), "at once set size fd8 40960");
    EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@40960");
    EXPECT_EQ(copy.counters().bytes_done.value(), 40'960);
    EXPECT_EQ(copy.Settle({0}), kClose);
    return copy.Settle({0, 0, 0});
  }

  CopyScript copy;
};

TEST(FileCopyServerTest, HolesAreLeftOut) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  EXPECT_EQ(copy.Settle({0}), "write back fd7 - copy range fd7>fd8 8192@4096");
  EXPECT_EQ(copy.Settle({0, 8192}), "seek data fd7 12288");
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 20480");
  EXPECT_EQ(copy.Settle({0}), "copy range fd7>fd8 4096@20480");
  EXPECT_EQ(copy.Settle({4096}), "seek data fd7 24576");
  EXPECT_EQ(sparse.End(copy.Settle({-ENXIO})), "copied");
}

TEST(FileCopyServerTest, AfterARefusalBetweenHolesTheSearchGoesOnFromThere) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({0, 4096}), "copy range fd7>fd8 4096@8192");
  EXPECT_EQ(copy.Settle({-EINVAL}), "seek data fd7 8192");
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 8192");
  EXPECT_EQ(copy.Settle({0}), "seek data fd7 12288");
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 20480");
  EXPECT_EQ(copy.Settle({0}), "seek data fd7 24576");
  EXPECT_EQ(copy.Settle({-ENXIO}),
            "0: read fd7 4096@8192 - write fd8 4096@8192 | "
            "1: read fd7 4096@20480 - write fd8 4096@20480");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(sparse.End(copy.Settle(1, {4096, 4096})), "copied");
}

TEST(FileCopyServerTest, WhereHolesAreNotKnownZerosAreLookedForInBlocks) {
  CopyScript copy({.policy = Policy(), .size = 8192, .kind = &NfsKind()});
  copy.source_stat.stx_blocks = 8;
  copy.data = {{0, 8192}};
  copy.OpenBoth();
  EXPECT_EQ(copy.Settle({-EOPNOTSUPP}), "seek data fd7 0");
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 0");
  EXPECT_EQ(copy.Settle({0}), "0: read fd7 4096@0 | 1: read fd7 4096@4096");
}

TEST(FileCopyServerTest, OnlyWithinOneServerItIsAsked) {
  FileSystem server(/*device=*/0, NfsKind());
  FileSystem other(/*device=*/1, NfsKind());
  FileSystem local(/*device=*/2, LocalKind());
  const auto next = [](const FileCopyPolicy& policy, FileSystem* target,
                       const FileSystemKind& kind, uint64_t size) {
    CopyScript copy({.policy = policy,
                     .size = size,
                     .kind = &kind,
                     .source_file_system = nullptr,
                     .target_file_system = target});
    std::string text = copy.OpenBoth();
    return text.starts_with("clone") ? copy.Settle({-EINVAL}) : text;
  };
  EXPECT_EQ(next(Policy(), nullptr, NfsKind(), 10'000), kFirst);
  EXPECT_EQ(next(Policy(), nullptr, KindWithMagic(SMB2_SUPER_MAGIC), 10'000), kFirst);
  const std::string blocks = "0: read fd7 4096@0 - write fd8 4096@0";
  for (FileSystem* const target : {&other, &local}) {
    EXPECT_TRUE(next(Policy(), target, NfsKind(), 10'000).starts_with(blocks));
  }
  EXPECT_TRUE(next(Policy(), nullptr, LocalKind(), 10'000).starts_with(blocks));
  EXPECT_TRUE(next(Policy(), nullptr, OtherKind(), 10'000).starts_with(blocks));
  EXPECT_TRUE(
      next(Policy(Reflink::kNever), nullptr, NfsKind(), 10'000).starts_with(blocks));
  EXPECT_TRUE(next(Policy(Reflink::kAuto, PageCache::kDrop), nullptr, NfsKind(), 10'000)
                  .starts_with("0: uncached read fd7 4096@0"));
  EXPECT_EQ(next(Policy(Reflink::kAuto, PageCache::kBypass), nullptr, NfsKind(), 10'000),
            "direct on fd7 fd8 - fstat fd8");
  EXPECT_EQ(next(Policy(), nullptr, NfsKind(), 4096),
            "read fd7 4096@0 - write fd8 4096@0");
}

}  // namespace
}  // namespace ringcp

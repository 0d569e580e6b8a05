// Tests the state machine of one file's copy if the file has holes. copy_script.h
// explains the notation.

#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/file/file_copy.h"
#include "core/file/file_source.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;
constexpr int kRangesMax = FileSource::kRangesMax;

// A source of ten blocks, of which [1, 3) and [5, 6) are data.
struct Sparse {
  explicit Sparse(CopyScript::Setup setup = {})
      : copy((setup.size = uint64_t{10} * CopyScript::kBlock, setup)) {
    copy.source_stat.stx_blocks = 24;
    copy.data = {{4096, 12'288}, {20'480, 24'576}};
    next = copy.OpenBoth();
  }

  // Finds pieces until some are copied or there are no more. Returns what comes next.
  std::string Find() {
    while (next.starts_with("seek")) {
      const bool at_end = next == "seek data fd7 24576";
      next = copy.Settle({at_end ? -ENXIO : 0});
    }
    return next;
  }

  // Removes the target. Returns the outcome.
  std::string Remove() {
    EXPECT_EQ(next, "fstat fd8 = lstat T");
    EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
    EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
    std::string outcome = copy.Settle({0, 0});
    EXPECT_TRUE(copy.all_blocks_back());
    return outcome;
  }

  // Ends the copy after the last hole, with nothing behind it. Returns the outcome.
  std::string End() {
    EXPECT_EQ(next, "at once fstat fd7");
    EXPECT_EQ(copy.Settle({0}), "at once set size fd8 40960");
    EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@40960");
    EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
    std::string outcome = copy.Settle({0, 0});
    EXPECT_TRUE(copy.all_blocks_back());
    return outcome;
  }

  CopyScript copy;
  std::string next;
};

// A source in which every second block is a hole, beginning with the second, and of which
// the first pieces have been found.
struct ManyPieces {
  explicit ManyPieces(int pieces)
      : end_of_last(pieces * 8192 - 4096),
        copy({.size = uint64_t{2} * CopyScript::kBlock * pieces, .extra_blocks = 0}) {
    copy.source_stat.stx_blocks = 8 * pieces;
    for (int i = 0; i < pieces; ++i) copy.data.emplace_back(i * 8192, i * 8192 + 4096);
    next = copy.OpenBoth();
    Find();
  }

  // Finds pieces until some are copied or there are no more. Returns what comes next.
  std::string Find() {
    while (next.starts_with("seek")) {
      const bool at_end = next == absl::StrCat("seek data fd7 ", end_of_last);
      next = copy.Settle({at_end ? -ENXIO : 0});
    }
    return next;
  }

  // Copies pieces `begin` to `end`, one after the other. Returns what comes next.
  std::string CopyPieces(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      EXPECT_EQ(next,
                absl::StrCat("read fd7 4096@", i * 8192, " - write fd8 4096@", i * 8192));
      next = copy.Settle({4096, 4096});
    }
    return next;
  }

  const int end_of_last;
  CopyScript copy;
  std::string next;
};

TEST(FileCopySparseTest, PiecesAreFoundFirstAndThenCopiedTogether) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  EXPECT_EQ(sparse.next, "seek data fd7 0");
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 4096");
  EXPECT_EQ(copy.Settle({0}), "seek data fd7 12288");
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 20480");
  EXPECT_EQ(copy.Settle({0}), "seek data fd7 24576");
  EXPECT_EQ(copy.Settle({-ENXIO}),
            "0: read fd7 4096@4096 - write fd8 4096@4096 | "
            "1: read fd7 4096@8192 - write fd8 4096@8192 | "
            "2: read fd7 4096@20480 - write fd8 4096@20480");
  EXPECT_EQ(copy.counters().bytes_done.value(), 28'672);  // The bytes of the holes.
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(2, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(1, {4096, 1}), "1: write fd8 4095@8193");
  sparse.next = copy.Settle(1, {4095});
  EXPECT_EQ(sparse.End(), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 40'960);
  EXPECT_EQ(copy.route().holes, ContentsRoute::Holes::kAsked);
}

TEST(FileCopySparseTest, ALaneThatIsFreeTakesTheNextPiece) {
  Sparse sparse({.extra_blocks = 1});
  CopyScript& copy = sparse.copy;
  EXPECT_EQ(sparse.Find(),
            "0: read fd7 4096@4096 - write fd8 4096@4096 | "
            "1: read fd7 4096@8192 - write fd8 4096@8192");
  EXPECT_EQ(copy.Settle(1, {4096, 4096}),
            "1: read fd7 4096@20480 - write fd8 4096@20480");
  EXPECT_EQ(copy.Settle(1, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "at once fstat fd7");
}

TEST(FileCopySparseTest, PiecesBeyondWhatThePumpTakesAreFoundAfterwards) {
  ManyPieces many(kRangesMax + 2);
  EXPECT_EQ(many.CopyPieces(0, kRangesMax),
            absl::StrCat("seek data fd7 ", kRangesMax * 8192 - 4096));
  many.Find();
  EXPECT_EQ(many.CopyPieces(kRangesMax, kRangesMax + 2), "at once fstat fd7");
  EXPECT_EQ(many.copy.Settle({0}),
            absl::StrCat("at once set size fd8 ", (kRangesMax + 2) * 8192));
  many.copy.Settle({0});
  EXPECT_EQ(many.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(many.copy.Settle({0, 0}), "copied");
  EXPECT_EQ(many.copy.counters().bytes_done.value(), (kRangesMax + 2) * 8192);
}

TEST(FileCopySparseTest, ExactlyAsManyPiecesAsThePumpTakesLeaveNoneToFind) {
  ManyPieces many(kRangesMax);
  EXPECT_EQ(many.CopyPieces(0, kRangesMax),
            absl::StrCat("seek data fd7 ", kRangesMax * 8192 - 4096));
  EXPECT_EQ(many.copy.Settle({-ENXIO}), "at once fstat fd7");
  EXPECT_EQ(many.copy.Settle({0}),
            absl::StrCat("at once set size fd8 ", kRangesMax * 8192));
}

// The target was once left empty, because the end of the file copied before was taken for
// the end of this one.
TEST(FileCopySparseTest, AFileThatIsOneHoleHasItsSizeSetAlsoAfterOneThatWasCut) {
  CopyScript copy({.size = uint64_t{10} * CopyScript::kBlock, .extra_blocks = 0});
  copy.OpenBoth();
  EXPECT_EQ(copy.Settle({0, kCancelled}), "at once set size fd8 0");
  copy.Settle({0});
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({0, 0}), "copied");

  copy.source_stat.stx_blocks = 0;
  EXPECT_EQ(copy.OpenBoth(), "seek data fd7 0");
  EXPECT_EQ(copy.Settle({-ENXIO}), "at once fstat fd7");
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 40960");
}

TEST(FileCopySparseTest, AFileThatIsOneHoleHasOnlyItsSizeSet) {
  Sparse sparse;
  sparse.next = sparse.copy.Settle({-ENXIO});
  EXPECT_EQ(sparse.End(), "copied");
}

TEST(FileCopySparseTest, WithAllQueuedTheLastLookAtTheSizeIsQueuedToo) {
  Sparse sparse({.policy = {.preserve = {}, .queues_all = true}});
  EXPECT_EQ(sparse.copy.Settle({-ENXIO}), "fstat fd7");
}

TEST(FileCopySparseTest, ALastHoleThatWasCutIsNotMade) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  EXPECT_EQ(copy.Settle({-ENXIO}), "at once fstat fd7");
  copy.source_stat.stx_size = 5000;
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 5000");
  EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@5000");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
}

TEST(FileCopySparseTest, WhatHasGrownBehindTheLastHoleIsCopied) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  copy.Settle({-ENXIO});
  copy.source_stat.stx_size += 100;
  EXPECT_EQ(copy.Settle({0}), "at once set size fd8 40960");
  EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@40960");
  EXPECT_EQ(copy.Settle({100}), "write fd8 100@40960");
  EXPECT_EQ(copy.Settle({100}), "at once read fd7 4096@41060");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
}

TEST(FileCopySparseTest, ASourceThatCanNotBeLookedAtInTheEndFails) {
  Sparse sparse;
  sparse.copy.Settle({-ENXIO});
  sparse.next = sparse.copy.Settle({-EIO});
  EXPECT_EQ(sparse.Remove(), "failed: stat S EIO");
}

// --- Holes that the file system does not know ---

// A source whose file system reports all of it as data. Up to `lanes` blocks are on their
// way at the same time.
struct UnknownHoles : Sparse {
  explicit UnknownHoles(int lanes = 1) : Sparse({.extra_blocks = lanes - 1}) {
    copy.bytes_read = '\0';
    EXPECT_EQ(copy.Settle({-EINVAL}), "seek hole fd7 0");
    next = copy.Settle({-EINVAL});
  }
};

TEST(FileCopySparseTest, WhereHolesCanNotBeFoundZerosAreLeftOut) {
  UnknownHoles unknown;
  CopyScript& copy = unknown.copy;
  EXPECT_EQ(unknown.next, "read fd7 4096@0");
  for (uint64_t offset = 4096; offset < 40'960; offset += 4096) {
    EXPECT_EQ(copy.Settle({4096}), absl::StrCat("read fd7 4096@", offset));  // Zeros.
  }
  unknown.next = copy.Settle({4096});
  EXPECT_EQ(unknown.End(), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 40'960);
  EXPECT_EQ(copy.route().holes, ContentsRoute::Holes::kAskedAndZeros);
}

TEST(FileCopySparseTest, WhatIsNotZeroIsWritten) {
  UnknownHoles unknown;
  CopyScript& copy = unknown.copy;
  copy.bytes_read = 'x';
  EXPECT_EQ(copy.Settle({4096}), "write fd8 4096@0");
  EXPECT_EQ(copy.Settle({96}), "write fd8 4000@96");
  EXPECT_EQ(copy.Settle({4000}), "read fd7 4096@4096");
  EXPECT_EQ(copy.Settle({100}), "write fd8 100@4096");
  EXPECT_EQ(copy.Settle({100}), "read fd7 3996@4196");
  copy.bytes_read = '\0';
  EXPECT_EQ(copy.Settle({3996}), "read fd7 4096@8192");
  EXPECT_EQ(copy.counters().bytes_done.value(), 8192);
}

TEST(FileCopySparseTest, ZerosAreLeftOutOnAllLanes) {
  UnknownHoles unknown(/*lanes=*/2);
  CopyScript& copy = unknown.copy;
  EXPECT_EQ(unknown.next, "0: read fd7 4096@0 | 1: read fd7 4096@4096");
  EXPECT_EQ(copy.Settle(1, {4096}), "1: read fd7 4096@8192");
  copy.bytes_read = 'x';
  EXPECT_EQ(copy.Settle(0, {4096}), "write fd8 4096@0");
}

// What lies beyond the old end has no holes that the copy knows about.
TEST(FileCopySparseTest, ZerosThatHaveGrownBehindTheEndAreWritten) {
  UnknownHoles unknown;
  CopyScript& copy = unknown.copy;
  for (int i = 0; i < 10; ++i) copy.Settle({4096});
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@40960");
  EXPECT_EQ(copy.Settle({4096}), "write fd8 4096@40960");
}

TEST(FileCopySparseTest, AfterAFileWithSuchHolesZerosAreWrittenAgain) {
  UnknownHoles unknown;
  CopyScript& copy = unknown.copy;
  for (int i = 0; i < 10; ++i) unknown.next = copy.Settle({4096});
  unknown.End();
  copy.source_stat.stx_blocks = 80;
  EXPECT_EQ(copy.OpenBoth(), "read fd7 4096@0 - write fd8 4096@0");
}

// --- Sources that change ---

TEST(FileCopySparseTest, WhereHolesCanNotBeFoundAnyMoreTheRestIsCopied) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({0}), "seek data fd7 12288");
  EXPECT_EQ(copy.Settle({-EINVAL}), "seek hole fd7 12288");
  const std::string next = copy.Settle({-EINVAL});
  EXPECT_NE(next.find("1: read fd7 4096@8192 - write fd8 4096@8192 | "
                      "2: read fd7 4096@12288 - write fd8 4096@12288 | "),
            std::string::npos);
  EXPECT_NE(next.find("7: read fd7 4096@32768"), std::string::npos);
}

TEST(FileCopySparseTest, APieceThatIsAHoleMeanwhileIsLeftOut) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 4096");
  copy.data.erase(copy.data.begin());
  EXPECT_EQ(copy.Settle({0}), "seek data fd7 4096");
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 20480");
  EXPECT_EQ(copy.Settle({0}), "seek data fd7 24576");
  EXPECT_EQ(copy.Settle({-ENXIO}), "read fd7 4096@20480 - write fd8 4096@20480");
  sparse.next = copy.Settle({4096, 4096});
  EXPECT_EQ(sparse.End(), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 40'960);
}

TEST(FileCopySparseTest, WhatIsDataAndAHoleByTurnsIsCopied) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  const auto data = copy.data;
  const auto holes = decltype(data)(data.begin() + 1, data.end());
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 4096");
  copy.data = holes;
  EXPECT_EQ(copy.Settle({0}), "seek data fd7 4096");
  copy.data = data;
  EXPECT_EQ(copy.Settle({0}), "seek hole fd7 4096");
  copy.data = holes;
  const std::string next = copy.Settle({0});
  EXPECT_NE(next.find("0: read fd7 4096@4096 - write fd8 4096@4096 | "
                      "1: read fd7 4096@8192 - write fd8 4096@8192 | "),
            std::string::npos);
  EXPECT_NE(next.find("7: read fd7 4096@32768"), std::string::npos);
}

TEST(FileCopySparseTest, ASizeThatCanNotBeSetRemovesTheTarget) {
  Sparse sparse;
  sparse.copy.Settle({-ENXIO});
  sparse.copy.Settle({0});
  sparse.next = sparse.copy.Settle({-EFBIG});
  EXPECT_EQ(sparse.Remove(), "failed: write T EFBIG");
}

TEST(FileCopySparseTest, APieceThatFailsEndsTheOthers) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  sparse.Find();
  EXPECT_EQ(copy.Settle(1, {4096, -ENOSPC}), "");
  EXPECT_EQ(copy.Settle(0, {100, kCancelled}), "");  // Not continued.
  sparse.next = copy.Settle(2, {4096, 4096});
  EXPECT_EQ(sparse.Remove(), "failed: write T ENOSPC");
}

TEST(FileCopySparseTest, AfterAPieceThatFailsNoFurtherOnesAreBegun) {
  ManyPieces many(kRangesMax);
  many.CopyPieces(0, 3);
  EXPECT_EQ(many.copy.Settle({-EIO, kCancelled}), "fstat fd8 = lstat T");
  EXPECT_EQ(many.copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(many.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(many.copy.Settle({0, 0}), "failed: read S EIO");
}

TEST(FileCopySparseTest, APieceThatIsReadShortIsContinuedToItsEnd) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  sparse.Find();
  EXPECT_EQ(copy.Settle(2, {100, kCancelled}), "2: write fd8 100@20480");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(2, {100}), "2: read fd7 3996@20580 - write fd8 3996@20580");
  EXPECT_EQ(copy.Settle(1, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(2, {3996, 3996}), "at once fstat fd7");
  EXPECT_EQ(copy.counters().short_reads.value(), 1);
}

TEST(FileCopySparseTest, ASourceThatWasCutGivesATargetThatEndsThere) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  sparse.Find();
  EXPECT_EQ(copy.Settle(2, {0, kCancelled}), "");
  EXPECT_EQ(copy.Settle(1, {0, kCancelled}), "");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "at once set size fd8 8192");
  EXPECT_EQ(copy.Settle({0}), "at once read fd7 4096@8192");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopySparseTest, BehindTheEndOfASourceThatWasCutNoPiecesAreLookedFor) {
  ManyPieces many(kRangesMax + 1);
  many.CopyPieces(0, 3);
  EXPECT_EQ(many.copy.Settle({0, kCancelled}), "at once set size fd8 24576");
}

TEST(FileCopySparseTest, ASourceMayBeCutBeforeTheNextPiecesAreFound) {
  ManyPieces many(kRangesMax + 1);
  EXPECT_TRUE(many.CopyPieces(0, kRangesMax).starts_with("seek data fd7 "));
  EXPECT_EQ(many.copy.Settle({-ENXIO}), "at once fstat fd7");
  many.copy.source_stat.stx_size = kRangesMax * 8192;
  EXPECT_EQ(many.copy.Settle({0}),
            absl::StrCat("at once set size fd8 ", kRangesMax * 8192));
}

TEST(FileCopySparseTest, StoppedWhilePiecesAreOnTheirWayItRemovesTheTarget) {
  Sparse sparse({.extra_blocks = 1});
  CopyScript& copy = sparse.copy;
  sparse.Find();
  copy.Stop();
  EXPECT_EQ(copy.Settle(1, {4096, 4096}), "");  // The third piece is not begun.
  sparse.next = copy.Settle(0, {4096, 4096});
  EXPECT_EQ(sparse.Remove(), "cancelled");
}

TEST(FileCopySparseTest, StoppedWhilePiecesAreLookedForItCopiesNoneOfThem) {
  for (const int found : {0, 1, 2, 3, 4}) {
    Sparse sparse;
    CopyScript& copy = sparse.copy;
    for (int i = 0; i < found; ++i) sparse.next = copy.Settle({0});
    copy.Stop();
    sparse.Find();
    EXPECT_EQ(sparse.Remove(), "cancelled");
  }
}

TEST(FileCopySparseTest, StoppedBeforeTheNextPiecesAreFoundItRemovesTheTarget) {
  ManyPieces many(kRangesMax + 1);
  many.CopyPieces(0, kRangesMax - 1);
  many.copy.Stop();
  EXPECT_EQ(many.copy.Settle({4096, 4096}), "fstat fd8 = lstat T");
}

TEST(FileCopySparseTest, AFileTooSmallForAHoleIsNotLookedAt) {
  CopyScript copy({.size = CopyScript::kBlock});
  copy.source_stat.stx_blocks = 0;
  copy.LookAtSource();
  EXPECT_EQ(copy.Settle({0}),
            "open T new 644>s0 - write s0 4096@0 - close s0 = close fd7");
}

}  // namespace
}  // namespace ringcp

// The state machine of one file's copy where the file has holes; copy_script.h explains
// the notation.

#include <cerrno>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/block_pump.h"
#include "core/file_copy.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;
constexpr int kRangesMax = BlockPump::kRangesMax;

// A source of ten blocks, of which [1, 3) and [5, 6) are no holes.
struct Sparse {
  explicit Sparse(CopyScript::Setup setup = {})
      : copy((setup.size = uint64_t{10} * CopyScript::kBlock, setup)) {
    copy.source_stat.stx_blocks = 24;
    copy.data = {{4096, 12'288}, {20'480, 24'576}};
    next = copy.OpenWithDescriptors();
  }

  // Lets pieces be found until some are copied, or there are none: what comes then.
  std::string Find() {
    while (next.starts_with("seek")) {
      const bool at_end = next == "seek data fd7 24576";
      next = copy.Settle({at_end ? -ENXIO : 0});
    }
    return next;
  }

  // Lets the target be closed and removed: the outcome.
  std::string Remove() {
    EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
    std::string outcome = copy.Settle({0});
    EXPECT_TRUE(copy.all_blocks_back());
    return outcome;
  }

  CopyScript copy;
  std::string next;
};

// A source whose every second block is a hole, from the second one on, and whose pieces
// are found that are copied first.
struct ManyPieces {
  explicit ManyPieces(int pieces)
      : end_of_last(pieces * 8192 - 4096),
        copy({.size = uint64_t{2} * CopyScript::kBlock * pieces, .extra_blocks = 0}) {
    copy.source_stat.stx_blocks = 8 * pieces;
    for (int i = 0; i < pieces; ++i) copy.data.emplace_back(i * 8192, i * 8192 + 4096);
    next = copy.OpenWithDescriptors();
    Find();
  }

  // Lets pieces be found until some are copied, or there are none: what comes then.
  std::string Find() {
    while (next.starts_with("seek")) {
      const bool at_end = next == absl::StrCat("seek data fd7 ", end_of_last);
      next = copy.Settle({at_end ? -ENXIO : 0});
    }
    return next;
  }

  // Lets pieces `begin` to `end` be copied, one after the other: what comes then.
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
  EXPECT_EQ(copy.counters().bytes_done.value(), 28'672);  // The holes.
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(2, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(1, {4096, 1}), "1: write fd8 4095@8193");
  EXPECT_EQ(copy.Settle(1, {4095}), "set size fd8 40960");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_EQ(copy.counters().bytes_done.value(), 40'960);
  EXPECT_TRUE(copy.all_blocks_back());
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
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "set size fd8 40960");
}

TEST(FileCopySparseTest, OfMorePiecesThanThePumpTakesTheNextOnesAreFoundThen) {
  ManyPieces many(kRangesMax + 2);
  EXPECT_EQ(many.CopyPieces(0, kRangesMax),
            absl::StrCat("seek data fd7 ", kRangesMax * 8192 - 4096));
  many.Find();
  EXPECT_EQ(many.CopyPieces(kRangesMax, kRangesMax + 2),
            absl::StrCat("set size fd8 ", (kRangesMax + 2) * 8192));
  EXPECT_EQ(many.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(many.copy.Settle({0, 0}), "copied");
  EXPECT_EQ(many.copy.counters().bytes_done.value(), (kRangesMax + 2) * 8192);
}

TEST(FileCopySparseTest, OfJustAsManyPiecesAsThePumpTakesNoneAreFoundThen) {
  ManyPieces many(kRangesMax);
  EXPECT_EQ(many.CopyPieces(0, kRangesMax),
            absl::StrCat("seek data fd7 ", kRangesMax * 8192 - 4096));
  EXPECT_EQ(many.copy.Settle({-ENXIO}), absl::StrCat("set size fd8 ", kRangesMax * 8192));
}

// Its target was left empty once: the end that the empty file had was taken for its own.
TEST(FileCopySparseTest, AFileThatIsOneHoleHasItsSizeSetAlsoAfterAnEmptyFile) {
  CopyScript copy({.size = uint64_t{10} * CopyScript::kBlock});
  copy.source_stat.stx_blocks = 0;
  copy.source_stat.stx_size = 0;
  copy.Start();
  copy.Settle({0, 0});
  EXPECT_EQ(copy.Settle({0}), "read s0 4096@0");
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({0, 0}), "copied");

  copy.source_stat.stx_size = uint64_t{10} * CopyScript::kBlock;
  EXPECT_EQ(copy.OpenWithDescriptors(), "seek data fd7 0");
  EXPECT_EQ(copy.Settle({-ENXIO}), "set size fd8 40960");
}

TEST(FileCopySparseTest, AFileThatIsOneHoleHasOnlyItsSizeSet) {
  Sparse sparse;
  EXPECT_EQ(sparse.copy.Settle({-ENXIO}), "set size fd8 40960");
  EXPECT_EQ(sparse.copy.Settle({0}), "close fd8 = close fd7");
}

TEST(FileCopySparseTest, WhereHolesCanNotBeFoundAllIsCopied) {
  Sparse sparse;
  EXPECT_EQ(sparse.copy.Settle({-EINVAL}), "seek hole fd7 0");
  const std::string next = sparse.copy.Settle({-EINVAL});
  EXPECT_EQ(next.substr(0, 44), "0: read fd7 4096@0 - write fd8 4096@0 | 1: r");
  EXPECT_NE(next.find("7: read fd7 4096@28672"), std::string::npos);
}

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
  EXPECT_EQ(copy.Settle({4096, 4096}), "set size fd8 40960");
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
  EXPECT_EQ(sparse.copy.Settle({-EFBIG}), "close fd8 = close fd7");
  EXPECT_EQ(sparse.Remove(), "failed: write T EFBIG");
}

TEST(FileCopySparseTest, APieceThatFailsEndsTheOthers) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  sparse.Find();
  EXPECT_EQ(copy.Settle(1, {4096, -ENOSPC}), "");
  EXPECT_EQ(copy.Settle(0, {100, kCancelled}), "");  // Not continued.
  EXPECT_EQ(copy.Settle(2, {4096, 4096}), "close fd8 = close fd7");
  EXPECT_EQ(sparse.Remove(), "failed: write T ENOSPC");
}

TEST(FileCopySparseTest, AfterAPieceThatFailsNoFurtherOnesAreBegun) {
  ManyPieces many(kRangesMax);
  many.CopyPieces(0, 3);
  EXPECT_EQ(many.copy.Settle({-EIO, kCancelled}), "close fd8 = close fd7");
  EXPECT_EQ(many.copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(many.copy.Settle({0}), "failed: read S EIO");
}

TEST(FileCopySparseTest, APieceThatIsReadShortIsContinuedToItsEnd) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  sparse.Find();
  EXPECT_EQ(copy.Settle(2, {100, kCancelled}), "2: write fd8 100@20480");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(2, {100}), "2: read fd7 3996@20580 - write fd8 3996@20580");
  EXPECT_EQ(copy.Settle(1, {4096, 4096}), "");
  EXPECT_EQ(copy.Settle(2, {3996, 3996}), "set size fd8 40960");
  EXPECT_EQ(copy.counters().short_reads.value(), 1);
}

TEST(FileCopySparseTest, ASourceThatShrankEndsWhereItsDataEnds) {
  Sparse sparse;
  CopyScript& copy = sparse.copy;
  sparse.Find();
  EXPECT_EQ(copy.Settle(2, {0, kCancelled}), "");
  EXPECT_EQ(copy.Settle(1, {0, kCancelled}), "");
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopySparseTest, BehindTheEndOfASourceThatShrankNoPiecesAreLookedFor) {
  ManyPieces many(kRangesMax + 1);
  many.CopyPieces(0, 3);
  EXPECT_EQ(many.copy.Settle({0, kCancelled}), "close fd8 = close fd7");
  EXPECT_EQ(many.copy.Settle({0, 0}), "copied");
}

TEST(FileCopySparseTest, ASourceMayShrinkBeforeTheNextPiecesAreFound) {
  ManyPieces many(kRangesMax + 1);
  EXPECT_TRUE(many.CopyPieces(0, kRangesMax).starts_with("seek data fd7 "));
  EXPECT_EQ(many.copy.Settle({-ENXIO}),
            absl::StrCat("set size fd8 ", (kRangesMax + 1) * 8192));
  EXPECT_EQ(many.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(many.copy.Settle({0, 0}), "copied");
}

TEST(FileCopySparseTest, StoppedWhilePiecesAreOnTheirWayItRemovesTheTarget) {
  Sparse sparse({.extra_blocks = 1});
  CopyScript& copy = sparse.copy;
  sparse.Find();
  copy.Stop();
  EXPECT_EQ(copy.Settle(1, {4096, 4096}), "");  // The third is not begun.
  EXPECT_EQ(copy.Settle(0, {4096, 4096}), "close fd8 = close fd7");
  EXPECT_EQ(sparse.Remove(), "cancelled");
}

TEST(FileCopySparseTest, StoppedWhilePiecesAreLookedForItCopiesNoneOfThem) {
  for (const int found : {0, 1, 2, 3, 4}) {
    Sparse sparse;
    CopyScript& copy = sparse.copy;
    for (int i = 0; i < found; ++i) sparse.next = copy.Settle({0});
    copy.Stop();
    EXPECT_EQ(sparse.Find(), "close fd8 = close fd7");
    EXPECT_EQ(sparse.Remove(), "cancelled");
  }
}

TEST(FileCopySparseTest, StoppedBeforeTheNextPiecesAreFoundItRemovesTheTarget) {
  ManyPieces many(kRangesMax + 1);
  many.CopyPieces(0, kRangesMax - 1);
  many.copy.Stop();
  EXPECT_EQ(many.copy.Settle({4096, 4096}), "close fd8 = close fd7");
  EXPECT_EQ(many.copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(many.copy.Settle({0}), "cancelled");
}

TEST(FileCopySparseTest, ASmallFileIsNotLookedAtForHoles) {
  CopyScript copy({.size = CopyScript::kBlock});
  copy.source_stat.stx_blocks = 0;
  copy.Start();
  EXPECT_EQ(copy.Settle({0, 0}),
            "open T new 644>s1 - read s0 4096@0 - write s1 4096@0 - close s1 = close s0");
}

}  // namespace
}  // namespace ringcp

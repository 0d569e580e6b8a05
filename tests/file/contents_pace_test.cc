#include "core/file/contents_pace.h"

#include <chrono>
#include <cstdint>

#include "core/kernel/kernel.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr uint32_t kBlock = 4096;
constexpr int64_t kBlocks = ContentsPace::kBlocksMin;

class ContentsPaceTest : public testing::Test {
 protected:
  ContentsPaceTest() { pace_.Note(bytes_, now_); }

  // Notes as many blocks as are judged together, which take `time` each.
  void NoteBlocks(microseconds time) {
    for (int64_t i = 0; i < kBlocks; ++i) {
      bytes_ += kBlock;
      now_ += time;
      pace_.Note(bytes_, now_);
    }
  }

  ContentsPace pace_{kBlock};
  SteadyTime now_;
  int64_t bytes_ = 0;
};

TEST_F(ContentsPaceTest, ItIsSlowOnceBlocksTakeLonger) {
  for (int i = 0; i < ContentsPace::kSlowMin; ++i) NoteBlocks(ContentsPace::kSlowBlock);
  EXPECT_FALSE(pace_.is_slow());
  for (int i = 0; i < ContentsPace::kSlowMin; ++i) {
    EXPECT_FALSE(pace_.is_slow());
    NoteBlocks(ContentsPace::kSlowBlock + microseconds(1));
  }
  EXPECT_TRUE(pace_.is_slow());
}

TEST_F(ContentsPaceTest, APauseNowAndThenIsNotEnough) {
  for (int i = 0; i < 100; ++i) {
    now_ += std::chrono::seconds(1);
    NoteBlocks(microseconds(1));
    NoteBlocks(microseconds(1));
  }
  EXPECT_FALSE(pace_.is_slow());
}

TEST_F(ContentsPaceTest, ItStaysSlowWhenLargerBlocksAreFast) {
  for (int i = 0; i < ContentsPace::kSlowMin; ++i) NoteBlocks(milliseconds(10));
  NoteBlocks(microseconds(1));
  EXPECT_TRUE(pace_.is_slow());
}

TEST_F(ContentsPaceTest, BytesThatDoNotCountAnyMoreAreNoReason) {
  for (int i = 0; i < 10; ++i) {
    now_ += std::chrono::hours(1);
    bytes_ -= (kBlocks + 1) * int64_t{kBlock};
    pace_.Note(bytes_, now_);
    NoteBlocks(microseconds(1));
  }
  EXPECT_FALSE(pace_.is_slow());
}

TEST_F(ContentsPaceTest, AnotherFileBeginsAnew) {
  for (int i = 0; i < ContentsPace::kSlowMin; ++i) NoteBlocks(milliseconds(10));
  pace_.Reset();
  EXPECT_FALSE(pace_.is_slow());
}

}  // namespace
}  // namespace ringcp

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
constexpr uint64_t kBlocks = ContentsPace::kBlocksMin;

class ContentsPaceTest : public testing::Test {
 protected:
  ContentsPaceTest() { pace_.Note(bytes_, now_); }

  // Notes as many blocks as are judged together, which take `time` each.
  void NoteBlocks(microseconds time) {
    for (uint64_t i = 0; i < kBlocks; ++i) {
      bytes_ += kBlock;
      now_ += time;
      pace_.Note(bytes_, now_);
    }
  }

  ContentsPace pace_{kBlock};
  SteadyTime now_;
  uint64_t bytes_ = 0;
};

TEST_F(ContentsPaceTest, ItIsSlowOnceBlocksTakeLonger) {
  NoteBlocks(ContentsPace::kSlowBlock);
  EXPECT_FALSE(pace_.is_slow());
  NoteBlocks(ContentsPace::kSlowBlock + microseconds(1));
  EXPECT_TRUE(pace_.is_slow());
}

TEST_F(ContentsPaceTest, OneSlowBlockIsNotEnough) {
  pace_.Note(kBlock, now_ + milliseconds(kBlocks - 1));
  pace_.Note(kBlocks * kBlock, now_ + milliseconds(kBlocks));
  EXPECT_FALSE(pace_.is_slow());
}

TEST_F(ContentsPaceTest, ItStaysSlowWhenLargerBlocksAreFast) {
  NoteBlocks(milliseconds(10));
  NoteBlocks(microseconds(1));
  EXPECT_TRUE(pace_.is_slow());
}

TEST_F(ContentsPaceTest, TheTimeBetweenTwoPartsOfAFileDoesNotCount) {
  pace_.Note(kBlock * (kBlocks - 1), now_);
  bytes_ = 0;
  now_ += std::chrono::hours(1);
  pace_.Note(bytes_, now_);
  NoteBlocks(microseconds(1));
  EXPECT_FALSE(pace_.is_slow());
}

TEST_F(ContentsPaceTest, AnotherFileBeginsAnew) {
  NoteBlocks(milliseconds(10));
  pace_.Reset();
  EXPECT_FALSE(pace_.is_slow());
}

}  // namespace
}  // namespace ringcp

// Tests how long the pieces are that a server copies.

#include "core/file/server_copy.h"

#include <chrono>
#include <cstdint>

#include "core/base/mutex.h"
#include "core/kernel/op.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kMiB = 1024 * 1024;
constexpr uint64_t kLarge = 1'000'000 * kMiB;

class ServerCopyTest : public testing::Test {
 protected:
  ServerCopyTest() {
    copy_.Reset();
    copy_.Start(0, kLarge);
  }

  uint32_t Ask() {
    const Op op =
        copy_.CopyPiece(FileRef::Descriptor(7), FileRef::Descriptor(8), SteadyTime());
    EXPECT_EQ(op.range.offset, copy_.offset());
    return op.range.length;
  }
  // Has `bytes` be copied within `time`. Returns how much is asked for next.
  uint32_t Copy(uint64_t bytes, milliseconds time) {
    copy_.OnCopied(static_cast<uint32_t>(bytes), SteadyTime() + time);
    return Ask();
  }

  ServerCopy copy_;
};

TEST_F(ServerCopyTest, APieceTakesAsLongAsItMay) {
  EXPECT_EQ(Ask(), 16 * kMiB);
  EXPECT_EQ(Copy(16 * kMiB, milliseconds(250)), 32 * kMiB);
  EXPECT_EQ(Copy(32 * kMiB, milliseconds(1000)), 16 * kMiB);
  EXPECT_EQ(copy_.offset(), 48 * kMiB);
}

TEST_F(ServerCopyTest, NoPieceIsTooLongOrTooShort) {
  EXPECT_EQ(Ask(), 16 * kMiB);
  EXPECT_EQ(Copy(16 * kMiB, milliseconds(100'000)), 4 * kMiB);
  EXPECT_EQ(Copy(4 * kMiB, milliseconds(0)), 16 * kMiB);
  uint64_t piece = 16 * kMiB;
  while (piece < 1024 * kMiB) {
    const uint64_t next = Copy(piece, milliseconds(1));
    EXPECT_EQ(next, 4 * piece);
    piece = next;
  }
  EXPECT_EQ(Copy(piece, milliseconds(1)), 1024 * kMiB);
}

TEST_F(ServerCopyTest, OfAServerThatCopiesLessThanItIsAskedForMoreIsAsked) {
  EXPECT_EQ(Ask(), 16 * kMiB);
  EXPECT_EQ(Copy(4 * kMiB, milliseconds(1)), 16 * kMiB);
  EXPECT_EQ(Copy(4 * kMiB, milliseconds(200)), 10 * kMiB);
}

TEST_F(ServerCopyTest, ARestSaysNothingAboutTheServer) {
  copy_.Start(0, 1000);
  EXPECT_EQ(Ask(), 1000u);
  copy_.OnCopied(1000, SteadyTime() + milliseconds(300));
  EXPECT_EQ(copy_.offset(), copy_.end());
  copy_.Start(5000, kLarge);
  EXPECT_EQ(Ask(), 16 * kMiB);
}

}  // namespace
}  // namespace ringcp

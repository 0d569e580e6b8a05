#include "core/base/file_age.h"

#include "gtest/gtest.h"

namespace ringcp {
namespace {

struct statx At(int64_t seconds, uint32_t nanoseconds) {
  struct statx stat = {};
  stat.stx_mtime.tv_sec = seconds;
  stat.stx_mtime.tv_nsec = nanoseconds;
  // As the kernel sets it on a file system with nanoseconds.
  stat.stx_ctime.tv_sec = 1'700'000'001;
  stat.stx_ctime.tv_nsec = 123'456'789;
  return stat;
}

// A target on a file system where no time has more than this.
struct statx OnCoarse(int64_t seconds, uint32_t nanoseconds) {
  struct statx stat = At(seconds, nanoseconds);
  stat.stx_ctime.tv_sec = 1'700'000'000;
  stat.stx_ctime.tv_nsec = nanoseconds;
  return stat;
}

TEST(FileAgeTest, ANanosecondCounts) {
  EXPECT_TRUE(IsOlder(At(5, 10), At(5, 11), false));
  EXPECT_FALSE(IsOlder(At(5, 11), At(5, 11), false));
  EXPECT_FALSE(IsOlder(At(5, 12), At(5, 11), false));
  EXPECT_TRUE(IsOlder(At(-1, 999'999'999), At(0, 0), false));
}

TEST(FileAgeTest, ATargetWithPreciseTimesIsComparedToTheNanosecond) {
  // Its time of modification is round because the file was unpacked from an archive.
  EXPECT_TRUE(IsOlder(At(100, 0), At(100, 1), true));
  EXPECT_TRUE(IsOlder(At(100, 0), At(101, 0), true));
}

TEST(FileAgeTest, ACopyThatKeepsItsTimeLessExactlyIsNotOlder) {
  // Two seconds (FAT) have to be known, because half of all seconds are even.
  constexpr int64_t kFat = 2'000'000'000;
  EXPECT_FALSE(IsOlder(OnCoarse(100, 0), At(101, 999'999'999), true, kFat));
  EXPECT_TRUE(IsOlder(OnCoarse(100, 0), At(102, 0), true, kFat));
  EXPECT_TRUE(IsOlder(OnCoarse(100, 0), At(101, 0), true));
  // Before 1970, too.
  EXPECT_FALSE(IsOlder(OnCoarse(-2, 0), At(-1, 5), true, kFat));
  EXPECT_FALSE(IsOlder(OnCoarse(101, 0), At(101, 999'999'999), true));
  EXPECT_TRUE(IsOlder(OnCoarse(101, 0), At(102, 0), true));
  EXPECT_FALSE(IsOlder(OnCoarse(100, 120'000'000), At(100, 129'999'999), true));
  EXPECT_TRUE(IsOlder(OnCoarse(100, 120'000'000), At(100, 130'000'000), true));
  // A hundred nanoseconds (NTFS), too: one time in a hundred ends with two zeros.
  EXPECT_FALSE(IsOlder(OnCoarse(100, 500), At(100, 599), true, 100));
  EXPECT_TRUE(IsOlder(OnCoarse(100, 500), At(100, 599), true));
}

TEST(FileAgeTest, WithoutKeptTimesThePrecisionDoesNotMatter) {
  EXPECT_TRUE(IsOlder(OnCoarse(100, 0), At(101, 0), false));
}

}  // namespace
}  // namespace ringcp

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
  EXPECT_TRUE(IsOlder(At(5, 10), At(5, 11), /*keeps_times=*/false));
  EXPECT_FALSE(IsOlder(At(5, 11), At(5, 11), /*keeps_times=*/false));
  EXPECT_FALSE(IsOlder(At(5, 12), At(5, 11), /*keeps_times=*/false));
  EXPECT_TRUE(IsOlder(At(-1, 999'999'999), At(0, 0), /*keeps_times=*/false));
}

TEST(FileAgeTest, ATargetWithPreciseTimesIsComparedToTheNanosecond) {
  // Its time of modification is round because the file was unpacked from an archive.
  EXPECT_TRUE(IsOlder(At(100, 0), At(100, 1), /*keeps_times=*/true));
  EXPECT_TRUE(IsOlder(At(100, 0), At(101, 0), /*keeps_times=*/true));
}

TEST(FileAgeTest, ACopyThatKeepsItsTimeLessPreciselyIsNotOlder) {
  EXPECT_FALSE(IsOlder(OnCoarse(100, 0), At(101, 999'999'999), /*keeps_times=*/true));
  EXPECT_TRUE(IsOlder(OnCoarse(100, 0), At(102, 0), /*keeps_times=*/true));
  EXPECT_FALSE(IsOlder(OnCoarse(101, 0), At(101, 999'999'999), /*keeps_times=*/true));
  EXPECT_TRUE(IsOlder(OnCoarse(101, 0), At(102, 0), /*keeps_times=*/true));
  EXPECT_FALSE(
      IsOlder(OnCoarse(100, 120'000'000), At(100, 129'999'999), /*keeps_times=*/true));
  EXPECT_TRUE(
      IsOlder(OnCoarse(100, 120'000'000), At(100, 130'000'000), /*keeps_times=*/true));
  // Before 1970, too.
  EXPECT_FALSE(IsOlder(OnCoarse(-2, 0), At(-1, 5), /*keeps_times=*/true));
}

TEST(FileAgeTest, WithoutKeptTimesThePrecisionDoesNotMatter) {
  EXPECT_TRUE(IsOlder(OnCoarse(100, 0), At(101, 0), /*keeps_times=*/false));
}

}  // namespace
}  // namespace ringcp

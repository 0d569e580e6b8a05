#include "core/job/progress.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

// A job that starts at 0 s. The test says when its progress is looked at.
class ProgressMeterTest : public testing::Test {
 protected:
  static SteadyTime At(double seconds) {
    return SteadyTime() + absl::ToChronoNanoseconds(absl::Seconds(seconds));
  }

  Progress Measure(double seconds, int64_t bytes_done, bool scan_complete = false) {
    Progress progress;
    progress.bytes_done = bytes_done;
    progress.bytes_total = 10'000;
    progress.scan_complete = scan_complete;
    meter_.Measure(At(seconds), &progress);
    return progress;
  }

  ProgressMeter meter_{At(0)};
};

TEST_F(ProgressMeterTest, AtTheStartNothingIsKnown) {
  const Progress progress = Measure(0, 0, /*scan_complete=*/true);
  EXPECT_EQ(progress.bytes_per_second, 0);
  EXPECT_FALSE(progress.time_remaining.has_value());
}

TEST_F(ProgressMeterTest, TheRateIsThatSinceTheStartAtFirst) {
  EXPECT_EQ(Measure(1, 100).bytes_per_second, 100);
  EXPECT_EQ(Measure(2, 400).bytes_per_second, 200);
}

TEST_F(ProgressMeterTest, ThenItIsThatOfTheLastSeconds) {
  for (int second = 1; second <= 10; ++second) Measure(second, second * 1000);
  // Nothing moves from now on.
  EXPECT_EQ(Measure(11, 10'000).bytes_per_second, 800);
  for (int second = 12; second <= 14; ++second) Measure(second, 10'000);
  EXPECT_EQ(Measure(15, 10'000).bytes_per_second, 0);
}

TEST_F(ProgressMeterTest, LookingOftenChangesNothing) {
  for (int i = 1; i <= 10'000; ++i) Measure(i * 0.001, i);
  EXPECT_NEAR(static_cast<double>(Measure(10.001, 10'001).bytes_per_second), 1000, 25);
}

TEST_F(ProgressMeterTest, ARareLookHasARateAsWell) {
  Measure(1, 100);
  EXPECT_EQ(Measure(101, 1100).bytes_per_second, 10);
}

TEST_F(ProgressMeterTest, TheTimeLeftIsKnownOnceTheTotalIs) {
  EXPECT_FALSE(Measure(1, 1000).time_remaining.has_value());
  const Progress progress = Measure(2, 2000, /*scan_complete=*/true);
  ASSERT_TRUE(progress.time_remaining.has_value());
  EXPECT_EQ(*progress.time_remaining, absl::Seconds(8));
}

TEST_F(ProgressMeterTest, MoreThanTheTotalLeavesNoTime) {
  const Progress progress = Measure(1, 20'000, /*scan_complete=*/true);
  EXPECT_EQ(*progress.time_remaining, absl::ZeroDuration());
}

// If O_DIRECT is refused in the middle of a copy, the copy begins anew and takes back
// what it had counted.
TEST_F(ProgressMeterTest, BytesDoneNeverFall) {
  EXPECT_EQ(Measure(1, 1000).bytes_done, 1000);
  const Progress fallen = Measure(2, 200);
  EXPECT_EQ(fallen.bytes_done, 1000);
  EXPECT_EQ(fallen.bytes_per_second, 500);
  EXPECT_EQ(Measure(3, 900).bytes_done, 1000);
  EXPECT_EQ(Measure(4, 1200).bytes_done, 1200);
  Progress final_one;
  final_one.bytes_done = 1100;
  meter_.MeasureFinal(At(5), &final_one);
  EXPECT_EQ(final_one.bytes_done, 1200);
  EXPECT_EQ(final_one.bytes_total, 1200);
}

TEST_F(ProgressMeterTest, AtTheEndTheRateIsThatOfTheWholeRun) {
  for (int second = 1; second <= 100; ++second) Measure(second, 0);
  Progress progress;
  progress.bytes_done = 5000;
  meter_.MeasureFinal(At(100), &progress);
  EXPECT_EQ(progress.bytes_per_second, 50);
  EXPECT_EQ(*progress.time_remaining, absl::ZeroDuration());
}

TEST_F(ProgressMeterTest, AJobThatTookNoTimeHasNoRate) {
  Progress progress;
  progress.bytes_done = 5000;
  meter_.MeasureFinal(At(0), &progress);
  EXPECT_EQ(progress.bytes_per_second, 0);
}

}  // namespace
}  // namespace ringcp

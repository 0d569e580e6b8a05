#include "agent/watch_ticks.h"

#include <chrono>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

const SteadyTime kStart = SteadyTime(std::chrono::hours(1));

// The times of the first ticks, in milliseconds since kStart, if each comes in time.
std::vector<int64_t> Times(WatchTicks* ticks, int count, size_t watchers) {
  std::vector<int64_t> times;
  for (int i = 0; i < count; ++i) {
    times.push_back((ticks->next() - kStart) / milliseconds(1));
    ticks->Ticked(ticks->next(), watchers);
  }
  return times;
}

TEST(WatchTicksTest, TheFirstTickComesEarlyAndTheOthersInTenths) {
  WatchTicks ticks;
  ticks.Joined(kStart, 1);
  EXPECT_THAT(Times(&ticks, 4, 1), ElementsAre(25, 125, 225, 325));
}

TEST(WatchTicksTest, AfterALongRestTheFirstTickComesEarlyAsWell) {
  WatchTicks ticks;
  ticks.Joined(kStart - std::chrono::hours(1), 1);
  ticks.Ticked(kStart - std::chrono::minutes(1), 1);
  ticks.Joined(kStart, 1);
  EXPECT_THAT(Times(&ticks, 2, 1), ElementsAre(25, 125));
}

TEST(WatchTicksTest, OnlyEveryOtherTickComesEarlyForAnotherWatcher) {
  WatchTicks ticks;
  ticks.Joined(kStart, 1);
  ticks.Ticked(kStart + milliseconds(25), 1);
  ticks.Joined(kStart + milliseconds(30), 2);
  EXPECT_EQ(ticks.next(), kStart + milliseconds(125));
  ticks.Ticked(kStart + milliseconds(125), 2);
  ticks.Joined(kStart + milliseconds(130), 3);
  EXPECT_THAT(Times(&ticks, 2, 3), ElementsAre(155, 255));
}

TEST(WatchTicksTest, WhoStaysIsToldAsOftenAsFewAreWhenManyHaveLeft) {
  WatchTicks ticks;
  ticks.Joined(kStart, 1000);
  ticks.Ticked(kStart + milliseconds(700), 1000);
  ticks.Left(kStart + milliseconds(710), 1);
  EXPECT_THAT(Times(&ticks, 2, 1), ElementsAre(800, 900));
}

TEST(WatchTicksTest, ManyWatchersAreToldLessOften) {
  for (const size_t watchers : {1, 40, 41, 500, 1000}) {
    WatchTicks ticks;
    ticks.Joined(kStart, watchers);
    const std::vector<int64_t> times = Times(&ticks, 11, watchers);
    const double seconds = static_cast<double>(times.back() - times.front()) / 1000;
    const double events = static_cast<double>(watchers) * 10;
    EXPECT_LE(events / seconds, WatchTicks::kEventsPerSecondMax * 1.02) << watchers;
    if (watchers > 40) {
      EXPECT_GE(events / seconds, WatchTicks::kEventsPerSecondMax * 0.97) << watchers;
    }
  }
}

// Ten times as many would be told if each of them had a tick of their own.
TEST(WatchTicksTest, WatchersWhoComeOneAfterAnotherDoNotMakeATickEach) {
  WatchTicks ticks;
  SteadyTime now = kStart;
  int count = 0;
  for (size_t watchers = 1; watchers <= 500; ++watchers) {
    now += milliseconds(2);
    ticks.Joined(now, watchers);
    if (ticks.next() > now) continue;
    ticks.Ticked(now, watchers);
    ++count;
  }
  EXPECT_LE(count, 10);
}

}  // namespace
}  // namespace ringcp

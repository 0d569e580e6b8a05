#include "core/job/wait_times.h"

#include "core/base/engine_counters.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

TEST(WaitTimesTest, WhatNobodyHasDoneYetIsLimitedByNothing) {
  EXPECT_EQ(WaitTimes().limit(), "");
  EXPECT_EQ(WaitTimes().in_flight(), 0);
}

TEST(WaitTimesTest, WhatIsInFlightOfAllWorkersAddsUp) {
  EngineCounters one;
  one.wait_us.Add(10);
  one.wait_in_flight_us.Add(300);
  EngineCounters other;
  other.wait_us.Add(1000);
  other.wait_in_flight_us.Add(20'000);
  WaitTimes times;
  times.Add(one);
  times.Add(other);
  times.Add(EngineCounters());  // Of a worker that never waited.
  EXPECT_DOUBLE_EQ(times.in_flight(), 30 + 20);
}

TEST(WaitTimesTest, TheLimitIsWhatMostOfTheTimeWentTo) {
  EngineCounters counters;
  counters.work_us.Add(1000);
  counters.wait_us.Add(100);
  const auto limit = [&] {
    WaitTimes times;
    times.Add(counters);
    return times.limit();
  };
  EXPECT_EQ(limit(), "the CPU");
  counters.wait_us.Add(10'000);
  EXPECT_EQ(limit(), "the target");
  counters.wait_source_us.Add(6000);
  EXPECT_EQ(limit(), "the source");
  counters.wait_full_us.Add(6000);
  EXPECT_EQ(limit(),
            "how many files may be in flight (--queue-depth, open files, memory)");
}

}  // namespace
}  // namespace ringcp

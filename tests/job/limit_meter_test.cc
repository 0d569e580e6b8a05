// What limits a job: of late while it runs, and of all of its time at its end.

#include "core/job/limit_meter.h"

#include <array>

#include "absl/time/time.h"
#include "core/base/engine_counters.h"
#include "core/base/engine_report.h"
#include "core/base/mutex.h"
#include "core/kernel/syscall_kernel.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

// Its clock shows what the test says.
class ClockKernel : public SyscallKernel {
 public:
  ClockKernel() : SyscallKernel(/*slots=*/0) {}
  SteadyTime Now() const override { return now_; }
  absl::Duration CpuTime() const override { return absl::ZeroDuration(); }
  void Pass(absl::Duration time) { now_ += absl::ToChronoNanoseconds(time); }

 private:
  SteadyTime now_ = SteadyTime() + std::chrono::hours(1);
};

class LimitMeterTest : public testing::Test {
 protected:
  // For a while one worker waits for the source, or for the target, with so many in
  // flight.
  void Wait(absl::Duration time, Counter* side, int in_flight) {
    kernel_.Pass(time);
    const int64_t microseconds = absl::ToInt64Microseconds(time);
    counters_[1].wait_us.Add(microseconds);
    counters_[1].in_flight_us.Add(in_flight * microseconds);
    side->Add(in_flight * microseconds);
  }
  EngineReport Measure() {
    EngineReport report;
    meter_.Measure(kernel_, &report);
    return report;
  }

  ClockKernel kernel_;
  std::array<EngineCounters, 2> counters_;
  LimitMeter meter_{kernel_, counters_};
};

TEST_F(LimitMeterTest, NothingIsKnownAtTheBeginning) {
  EXPECT_EQ(Measure().limited_by, "");
  EXPECT_EQ(Measure().in_flight, 0);
}

TEST_F(LimitMeterTest, WhileTheJobRunsItIsOfTheLastSeconds) {
  for (int second = 0; second < 20; ++second) {
    Wait(absl::Seconds(1), &counters_[1].source_us, 10);
    EXPECT_EQ(Measure().limited_by, "the source");
    EXPECT_EQ(Measure().in_flight, 10);
  }
  for (int second = 0; second < 5; ++second) {
    Wait(absl::Seconds(1), &counters_[0].target_us, 4);
    Measure();
  }
  EXPECT_EQ(Measure().limited_by, "the target");
  EXPECT_EQ(Measure().in_flight, 4);
  meter_.End(kernel_);
  kernel_.Pass(absl::Hours(1));
  EXPECT_EQ(Measure().limited_by, "the source");
  EXPECT_EQ(Measure().in_flight, 8.8);
}

TEST_F(LimitMeterTest, IfNobodyHasAskedForLongItIsOfThatTime) {
  Wait(absl::Seconds(60), &counters_[1].source_us, 10);
  Wait(absl::Seconds(5), &counters_[1].target_us, 10);
  EXPECT_EQ(Measure().limited_by, "the source");
}

// So that a job that hangs does not seem to change.
TEST_F(LimitMeterTest, WhatIsInFlightIsRounded) {
  Wait(absl::Seconds(3), &counters_[1].source_us, 10);
  Wait(absl::Seconds(4), &counters_[1].source_us, 11);
  EXPECT_EQ(Measure().in_flight, 10.6);
}

}  // namespace
}  // namespace ringcp

// What kept a job from being faster, by what it did in a span of time.

#include "core/job/wait_times.h"

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "core/base/engine_counters.h"
#include "core/base/job_limit.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

constexpr JobThreads kTwo = {.cpus = 2, .workers = 2};

// Two workers, for a second: all of it was waited, without the CPU.
JobTimes AllWaited() {
  JobTimes span;
  span.elapsed = absl::Seconds(1);
  span.wait_us = 2'000'000;
  span.in_flight_us = 60'000'000;
  span.source_us = 40'000'000;
  span.target_us = 20'000'000;
  return span;
}

int64_t& Of(JobLimit limit, JobTimes* span) {
  return span->wait_limit_us[static_cast<size_t>(limit)];
}

TEST(WaitTimesTest, WhatNobodyHasDoneYetIsLimitedByNothing) {
  EXPECT_EQ(WhatLimited(JobTimes(), kTwo), "");
  EXPECT_EQ(JobTimes().in_flight(), 0);
}

TEST(WaitTimesTest, WhatIsInFlightIsTheAverageOfTheSpan) {
  EXPECT_DOUBLE_EQ(AllWaited().in_flight(), 60);
}

TEST(WaitTimesTest, TheCountersOfAllWorkersAddUp) {
  EngineCounters counters;
  counters.work_us.Add(1);
  counters.wait_us.Add(2);
  counters.in_flight_us.Add(3);
  counters.source_us.Add(4);
  counters.target_us.Add(5);
  counters.wait_limit_us[6].Add(7);
  JobTimes sum;
  sum.Add(counters);
  const JobTimes one = sum;
  sum.Add(counters);
  for (const JobTimes& times : {sum.Since(one), one.Since(JobTimes())}) {
    EXPECT_EQ(times.work_us, 1);
    EXPECT_EQ(times.wait_us, 2);
    EXPECT_EQ(times.in_flight_us, 3);
    EXPECT_EQ(times.source_us, 4);
    EXPECT_EQ(times.target_us, 5);
    EXPECT_EQ(times.wait_limit_us[6], 7);
    EXPECT_EQ(times.wait_limit_us[5], 0);
  }
}

TEST(WaitTimesTest, TheSideWhoseCallsTookMoreTimeIsTold) {
  JobTimes span = AllWaited();
  EXPECT_EQ(WhatLimited(span, kTwo), "the source");
  span.target_us = 50'000'000;
  EXPECT_EQ(WhatLimited(span, kTwo), "the target");
  span.source_us = span.target_us = 0;
  EXPECT_EQ(WhatLimited(span, kTwo), "");
}

// With io_uring the worker waits, and threads of Linux use the CPU meanwhile.
TEST(WaitTimesTest, ItIsTheCpuIfTheProcessUsesMostOfAllCpus) {
  JobTimes span = AllWaited();
  span.cpu = absl::Milliseconds(1900);
  EXPECT_EQ(WhatLimited(span, kTwo), "the CPU");
  Of(JobLimit::kQueueDepth, &span) = span.wait_us;
  EXPECT_EQ(WhatLimited(span, kTwo), "the CPU");
  span.cpu = absl::Milliseconds(1000);
  EXPECT_NE(WhatLimited(span, kTwo), "the CPU");
  EXPECT_EQ(WhatLimited(span, {.cpus = 1, .workers = 1}), "the CPU");
}

TEST(WaitTimesTest, FewThreadsThatNeedAllOfTheirCpusAreALimitIfThereMayBeMore) {
  JobTimes span = AllWaited();
  span.work_us = 950'000;
  span.wait_us = 50'000;
  span.cpu = absl::Milliseconds(960);
  JobThreads threads = {.cpus = 2, .workers = 1};
  EXPECT_EQ(WhatLimited(span, threads), "the CPU");
  threads.workers_limit = JobLimit::kWorkers;
  EXPECT_EQ(WhatLimited(span, threads), "how many threads copy (--workers)");
  threads.workers_limit = JobLimit::kOpenFiles;
  EXPECT_EQ(WhatLimited(span, threads), "how many files may be open (ulimit -n)");
  // Its calls wait.
  span.cpu = absl::Milliseconds(100);
  EXPECT_EQ(WhatLimited(span, threads), "the source");
  // So does the thread.
  span.cpu = absl::Milliseconds(960);
  span.work_us = 400'000;
  span.wait_us = 600'000;
  EXPECT_EQ(WhatLimited(span, threads), "the source");
}

TEST(WaitTimesTest, ALimitIsToldIfMostWaitsWereAtItAndForWhatTheyWere) {
  JobTimes span = AllWaited();
  Of(JobLimit::kHelperThreads, &span) = 900'000;
  Of(JobLimit::kQueueDepth, &span) = 1'050'000;
  EXPECT_EQ(WhatLimited(span, kTwo),
            "how many files may be in flight (--queue-depth), while waiting for the "
            "source");
  Of(JobLimit::kQueueDepth, &span) = 950'000;
  EXPECT_EQ(WhatLimited(span, kTwo), "the source");
  Of(JobLimit::kAnswers, &span) = span.wait_us;
  EXPECT_EQ(WhatLimited(span, kTwo), "the answers that are still missing (-i)");
}

TEST(WaitTimesTest, EachLimitHasAName) {
  for (size_t i = 0; i < kJobLimits; ++i) {
    EXPECT_NE(LimitName(static_cast<JobLimit>(i)), "") << i;
  }
  EXPECT_EQ(LimitName(static_cast<JobLimit>(kJobLimits)), "");
}

}  // namespace
}  // namespace ringcp

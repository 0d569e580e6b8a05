#include "core/kernel/batch_scheduling.h"

#include <sched.h>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

void SetPolicy(int policy) {
  const sched_param no_priority = {};
  ASSERT_EQ(sched_setscheduler(0, policy, &no_priority), 0);
}

TEST(BatchSchedulingTest, LastsAsLongAsTheObject) {
  SetPolicy(SCHED_OTHER);
  {
    const BatchScheduling batch_scheduling;
    EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
  }
  EXPECT_EQ(sched_getscheduler(0), SCHED_OTHER);
}

TEST(BatchSchedulingTest, APolicyThatWasChosenStays) {
  SetPolicy(SCHED_BATCH);
  { const BatchScheduling batch_scheduling; }
  EXPECT_EQ(sched_getscheduler(0), SCHED_BATCH);
  SetPolicy(SCHED_OTHER);
}

}  // namespace
}  // namespace ringcp

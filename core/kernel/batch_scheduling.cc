#include "core/kernel/batch_scheduling.h"

#include <sched.h>

namespace ringcp {
namespace {

// Gives the calling thread `policy`, and leaves its nice value as it is. Returns whether
// that worked.
bool SetPolicy(int policy) {
  const sched_param no_priority = {};
  return sched_setscheduler(/*pid=*/0, policy, &no_priority) == 0;
}

}  // namespace

BatchScheduling::BatchScheduling()
    : changed_(sched_getscheduler(/*pid=*/0) == SCHED_OTHER && SetPolicy(SCHED_BATCH)) {}

BatchScheduling::~BatchScheduling() {
  if (changed_) SetPolicy(SCHED_OTHER);
}

}  // namespace ringcp

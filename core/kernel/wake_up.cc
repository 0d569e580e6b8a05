#include "core/kernel/wake_up.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/kernel/kernel.h"

namespace ringcp {

void WakeUp::Notify() {
  MutexLock lock(&mutex_);
  notified_.store(true, std::memory_order_release);
  changed_.NotifyOne();
}

void WakeUp::Await(SteadyTime until) {
  MutexLock lock(&mutex_);
  while (!Take() && changed_.WaitUntil(&mutex_, until)) {
  }
}

void WaitingKernels::Add(Kernel* kernel) {
  RINGCP_CHECK(std::find(kernels_.begin(), kernels_.end(), kernel) == kernels_.end());
  kernels_.push_back(kernel);
}

bool WaitingKernels::Remove(const Kernel* kernel) {
  const auto found = std::find(kernels_.begin(), kernels_.end(), kernel);
  if (found == kernels_.end()) return false;
  *found = kernels_.back();
  kernels_.pop_back();
  return true;
}

void WaitingKernels::WakeAll() const {
  for (Kernel* const kernel : kernels_) kernel->Wake();
}

}  // namespace ringcp

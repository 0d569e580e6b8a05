#include "core/base/mutex.h"

namespace ringcp {

void CondVar::Wait(Mutex* mutex) {
  std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
  condition_.wait(lock);
  lock.release();
}

bool CondVar::WaitUntil(Mutex* mutex, SteadyTime until) {
  std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
  const std::cv_status status = condition_.wait_until(lock, until);
  lock.release();
  return status == std::cv_status::no_timeout;
}

}  // namespace ringcp

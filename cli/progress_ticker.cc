#include "cli/progress_ticker.h"

#include <utility>

#include "core/kernel/start_thread.h"

namespace ringcp {

ProgressTicker::ProgressTicker(std::function<void()> show) : show_(std::move(show)) {
  // If no thread can be started, no progress is shown.
  StartThread([this] { Loop(); }, &thread_);
}

ProgressTicker::~ProgressTicker() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  stopped_changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void ProgressTicker::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopped_changed_.wait_for(lock, kInterval, [this] { return stopped_; })) {
    lock.unlock();
    show_();
    lock.lock();
  }
}

}  // namespace ringcp

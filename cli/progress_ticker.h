// Shows a running job's progress repeatedly, from a thread of its own, so that the job's
// own thread needs no clock.
//
// Thread-safety: used by one thread.

#ifndef RINGCP_CLI_PROGRESS_TICKER_H_
#define RINGCP_CLI_PROGRESS_TICKER_H_

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace ringcp {

class ProgressTicker {
 public:
  static constexpr std::chrono::milliseconds kInterval{100};

  // Calls `show` every kInterval, the first time after one interval.
  explicit ProgressTicker(std::function<void()> show);
  // Waits for a call that is under way; none begins afterwards.
  ~ProgressTicker();
  ProgressTicker(const ProgressTicker&) = delete;
  ProgressTicker& operator=(const ProgressTicker&) = delete;

 private:
  void Loop();

  const std::function<void()> show_;
  // std::mutex, because ThreadSanitizer can't see the locks of the system's abseil.
  std::mutex mutex_;
  std::condition_variable stopped_changed_;
  bool stopped_ = false;  // Protected by mutex_.
  std::thread thread_;    // Last, because it uses the others immediately.
};

}  // namespace ringcp

#endif  // RINGCP_CLI_PROGRESS_TICKER_H_

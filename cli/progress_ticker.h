// Shows a running job's progress again and again, from a thread of its own, so that the
// thread that runs the job needs no clock.
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

  // Calls `show` every kInterval, for the first time after one.
  explicit ProgressTicker(std::function<void()> show);
  // Waits for a call that is under way; there is none after it.
  ~ProgressTicker();
  ProgressTicker(const ProgressTicker&) = delete;
  ProgressTicker& operator=(const ProgressTicker&) = delete;

 private:
  void Loop();

  const std::function<void()> show_;
  // The standard library's, because ThreadSanitizer can't see into the system's abseil.
  std::mutex mutex_;
  std::condition_variable stopped_changed_;
  bool stopped_ = false;  // Protected by mutex_.
  std::thread thread_;    // Last, because it uses the others at once.
};

}  // namespace ringcp

#endif  // RINGCP_CLI_PROGRESS_TICKER_H_

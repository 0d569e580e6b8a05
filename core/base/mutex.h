// A lock, its scope, and a condition variable, annotated so that clang's -Wthread-safety
// checks ABSL_GUARDED_BY. They wrap the standard library's types because ThreadSanitizer
// understands those; it does not see the locks of a system abseil that was built without
// it, and would report every guarded access as a race. Timeouts follow the steady clock,
// so setting the machine's time neither ends nor prolongs a wait.
//
// Thread-safety: everything here may be used by any thread.

#ifndef RINGCP_CORE_BASE_MUTEX_H_
#define RINGCP_CORE_BASE_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"

namespace ringcp {

using SteadyTime = std::chrono::steady_clock::time_point;

class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds `mutex` for as long as it lives.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_->Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

// A wait may end spuriously, so callers wait in a loop that checks their condition.
class CondVar {
 public:
  CondVar() = default;
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  // REQUIRES (both): the caller holds `mutex`, which is released while waiting.
  void Wait(Mutex* mutex) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Returns false once `until` has come.
  bool WaitUntil(Mutex* mutex, SteadyTime until) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_MUTEX_H_

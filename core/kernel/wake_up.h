// How a thread that waits in its kernel is woken by others, and the list of those who
// want to be.
//
// Whoever has nothing to do until somebody else has done something adds its kernel to a
// WaitingKernels, says so to its caller, and is asked again once it has been woken. So a
// thread waits for others in one place, Kernel::Wait(), whatever for.

#ifndef RINGCP_CORE_KERNEL_WAKE_UP_H_
#define RINGCP_CORE_KERNEL_WAKE_UP_H_

#include <atomic>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "core/base/mutex.h"

namespace ringcp {

class Kernel;

// What Kernel::Wake() and Kernel::Wait() of a thread are made of. A call that comes while
// nobody waits is kept for who waits next; several are kept as one.
//
// Thread-safety: Notify() may be called by any thread.
class WakeUp {
 public:
  void Notify();
  // Whether there was a call since this was asked last. Cheap.
  bool Take() {
    return notified_.load(std::memory_order_relaxed) &&
           notified_.exchange(false, std::memory_order_acquire);
  }
  // Waits for a call, which it takes, but no longer than `until`.
  void Await(SteadyTime until);

 private:
  Mutex mutex_;
  CondVar changed_;
  std::atomic<bool> notified_ = false;
};

// The kernels of threads that wait for one thing.
//
// Thread-safety: none of its own; guarded by the lock of what is waited for.
// REQUIRES: a kernel is removed before it is destroyed.
class WaitingKernels {
 public:
  // Adds one that is not there yet.
  void Add(Kernel* kernel);
  // Whether it was there.
  bool Remove(const Kernel* kernel);
  // They stay in the list.
  void WakeAll() const;
  int size() const { return static_cast<int>(kernels_.size()); }
  void clear() { kernels_.clear(); }

 private:
  std::vector<Kernel*> kernels_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_WAKE_UP_H_

// How other threads wake a thread that waits in its kernel, and the list of kernels that
// are to be woken.
//
// Code that has nothing to do until another thread has done something adds its own
// thread's kernel to a WaitingKernels, tells its caller that it has to wait, and is
// called again once the thread has been woken. So whatever a thread waits for, it waits
// in one place, Kernel::Wait().

#ifndef RINGCP_CORE_KERNEL_WAKE_UP_H_
#define RINGCP_CORE_KERNEL_WAKE_UP_H_

#include <poll.h>

#include <atomic>
#include <chrono>
#include <vector>

#include "core/base/mutex.h"

namespace ringcp {

class Kernel;

// What a thread's Kernel::Wake() and Kernel::Wait() are made of. A call of Notify() while
// nobody waits is kept for the next wait; several such calls count as one. The eventfd is
// made by the first wait, and Notify() makes no system call while nobody waits.
//
// Thread-safety: Notify() may be called by any thread; the rest belongs to the one that
// waits.
class WakeUp {
 public:
  // How long to wait at a time if there is no event to be woken by, because the process
  // may open no more files.
  static constexpr std::chrono::milliseconds kBlindWait{10};

  WakeUp() = default;
  ~WakeUp();
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  void Notify();
  // Whether Notify() was called since the last Take(). Cheap.
  bool Take() { return notified_ && notified_.exchange(false); }
  // Waits until Notify() is called, or was called before the wait; takes that call. Also
  // ends if one of `files` is ready (poll(2)), and no later than `until`.
  void Await(SteadyTime until, std::vector<pollfd>* files);

  // For a thread that waits by other means: a call of Notify() between BeginWait() and
  // EndWait() makes event() readable, until it is drained. Returns false, and begins
  // nothing, if Notify() was called before; that call is taken.
  bool BeginWait();
  // Ends the wait and takes the calls of Notify() until now; returns whether there were
  // any.
  bool EndWait();
  // An eventfd(2), or -1 if the process may open no more files.
  int event();
  void Drain();

 private:
  std::atomic<bool> notified_ = false;
  std::atomic<bool> is_awaited_ = false;
  int event_ = -1;  // Set before is_awaited_ is first set.
};

// The kernels of threads that wait for one thing.
//
// Thread-safety: none of its own; guarded by the lock of the thing that they wait for.
// REQUIRES: a kernel is removed before it is destroyed.
class WaitingKernels {
 public:
  // Adds `kernel`. REQUIRES: it is not in the list.
  void Add(Kernel* kernel);
  // Removes `kernel`; returns whether it was in the list.
  bool Remove(const Kernel* kernel);
  // Wakes all kernels; they stay in the list.
  void WakeAll() const;
  int size() const { return static_cast<int>(kernels_.size()); }
  void clear() { kernels_.clear(); }

 private:
  std::vector<Kernel*> kernels_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_WAKE_UP_H_

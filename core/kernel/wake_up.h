// How a thread that waits in its kernel is woken by others, and the list of those who
// want to be.
//
// Whoever has nothing to do until somebody else has done something adds its kernel to a
// WaitingKernels, says so to its caller, and is asked again once it has been woken. So a
// thread waits for others in one place, Kernel::Wait(), whatever for.

#ifndef RINGCP_CORE_KERNEL_WAKE_UP_H_
#define RINGCP_CORE_KERNEL_WAKE_UP_H_

#include <poll.h>

#include <atomic>
#include <chrono>
#include <vector>

#include "core/base/mutex.h"

namespace ringcp {

class Kernel;

// What Kernel::Wake() and Kernel::Wait() of a thread are made of. A call that comes while
// nobody waits is kept for who waits next; several are kept as one. The system is asked
// for nothing until somebody waits, and a call while nobody does makes no system call.
//
// Thread-safety: Notify() may be called by any thread; the rest belongs to the one that
// waits.
class WakeUp {
 public:
  // How long to wait at a time without an event to be woken by, because the process may
  // have no more files open.
  static constexpr std::chrono::milliseconds kBlindWait{10};

  WakeUp() = default;
  ~WakeUp();
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  void Notify();
  // Whether there was a call since this was asked last. Cheap.
  bool Take() { return notified_ && notified_.exchange(false); }
  // Waits for a call, which it takes, or until one of `files` is ready (poll(2)), but no
  // longer than `until`.
  void Await(SteadyTime until, std::vector<pollfd>* files);

  // For who waits by other means: each call between BeginWait() and EndWait() makes
  // event() readable, until it is drained. False, and nothing has begun, if there was a
  // call already; that is taken.
  bool BeginWait();
  // Takes what calls there were; whether there was one.
  bool EndWait();
  // An eventfd(2), or -1 if there is none to be had.
  int event();
  void Drain();

 private:
  std::atomic<bool> notified_ = false;
  std::atomic<bool> is_awaited_ = false;
  int event_ = -1;  // Set before is_awaited_ is, for the first time.
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

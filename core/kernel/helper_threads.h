// The threads that carry out for a ring what io_uring has no opcode for (times, owner,
// mode, holes, clones, ...), and tasks, where that makes whoever does it wait: for a
// server, a disk. So the ring's thread goes on, and several of them are under way at a
// time.
//
// Thread-safety: belongs to its kernel's thread; what the threads share is guarded.

#ifndef RINGCP_CORE_KERNEL_HELPER_THREADS_H_
#define RINGCP_CORE_KERNEL_HELPER_THREADS_H_

#include <array>
#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/types/span.h"
#include "core/base/mutex.h"
#include "core/kernel/call_side.h"
#include "core/kernel/kernel.h"
#include "core/kernel/op.h"
#include "core/kernel/task_chooser.h"
#include "core/kernel/wake_up.h"

namespace ringcp {

class HelperThreads {
 public:
  // Tasks and ops run for `kernel`, and `task_choosers` are told what they wait for. The
  // threads call `wake_up` whenever something has ended. All three outlive them. None is
  // started yet.
  HelperThreads(Kernel* kernel, TaskChoosers* task_choosers, WakeUp* wake_up)
      : kernel_(kernel), task_choosers_(task_choosers), wake_up_(wake_up) {}
  // Ends them. REQUIRES: nothing is in flight.
  ~HelperThreads();
  HelperThreads(const HelperThreads&) = delete;
  HelperThreads& operator=(const HelperThreads&) = delete;

  // How many there may be. Fewer than there are: the others sleep on, and so many carry
  // something out at a time. REQUIRES: at least 1.
  void SetThreadsMax(int threads_max);

  // Has one of them carry out `chain`, whole and in order; starts another one if none is
  // idle and there may be more. False, and nothing happens, if there is not one, because
  // the process may have no more threads.
  // REQUIRES: 1 to Chain::kOpsMax ops that name no slots.
  bool CarryOut(ChainId id, absl::Span<const Op> chain);
  // The same for `task`, which must stay valid until its end has been taken.
  bool CarryOut(ChainId id, Task* task);
  // Appends the chains that have settled to `settled`, and the tasks that have ended, as
  // chains without ops.
  void TakeSettled(std::vector<ChainResults>* settled);
  // Chains and tasks that have not been handed back yet.
  int in_flight() const { return in_flight_; }

 private:
  // A chain or a task.
  struct Errand {
    ChainId id;
    Task* task = nullptr;       // nullptr: a chain.
    Side side = Side::kSource;  // That the thread dealt with which asked for a chain.
    int size = 0;
    std::array<Op, Chain::kOpsMax> ops;  // The first `size` are set.
  };

  bool CarryOut(const Errand& errand);
  // Whether one more errand would find no idle thread, and there may be another one.
  bool WantsThread();
  // Starts a thread with all signals blocked, because signals are meant for other threads
  // and would interrupt its calls. Returns false if no thread can be started.
  bool StartOne();
  // Runs on each thread until ends_ is set.
  void Loop();
  ChainResults Run(const Errand& errand);

  Kernel* const kernel_;
  TaskChoosers* const task_choosers_;
  WakeUp* const wake_up_;
  std::vector<std::thread> threads_;
  int in_flight_ = 0;

  Mutex mutex_;
  CondVar changed_;
  int threads_max_ ABSL_GUARDED_BY(mutex_) = WaitLimits().helper_threads_max;
  int idle_ ABSL_GUARDED_BY(mutex_) = 0;
  int busy_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Errand> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<ChainResults> settled_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_HELPER_THREADS_H_

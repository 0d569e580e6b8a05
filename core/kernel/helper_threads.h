// The threads that carry out for a ring what io_uring has no opcode for (times, owner,
// mode, holes, clones, directories, ...), if such ops have to wait for a server or a
// disk. So the ring's thread goes on, and several such chains run at the same time.
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
#include "core/kernel/kernel.h"
#include "core/kernel/op.h"
#include "core/kernel/wake_up.h"

namespace ringcp {

class HelperThreads {
 public:
  // The bound for one kernel; each worker has its own. The threads spend their time
  // waiting, so more of them than CPUs may be of use. But each of them adds a request
  // that a server has to answer at the same time, and servers get slower with many.
  static constexpr int kThreadsMax = 4;

  // The threads notify `wake_up`, which must outlive them, whenever a chain has settled.
  // None is started yet.
  explicit HelperThreads(WakeUp* wake_up) : wake_up_(wake_up) {}
  // Ends the threads. REQUIRES: no chain is in flight.
  ~HelperThreads();
  HelperThreads(const HelperThreads&) = delete;
  HelperThreads& operator=(const HelperThreads&) = delete;

  // Has one of the threads carry out `chain`, whole and in order. Starts another thread
  // if none is idle and there are fewer than kThreadsMax. Returns false, and does
  // nothing, if there is no thread at all, because the process may have no more.
  // REQUIRES: 1 to Chain::kOpsMax ops that name no slots.
  bool CarryOut(ChainId id, absl::Span<const Op> chain);
  // Appends the chains that have settled to `settled`.
  void TakeSettled(std::vector<ChainResults>* settled);
  // Chains that have not been handed back yet.
  int chains_in_flight() const { return in_flight_; }

 private:
  struct WaitingChain {
    ChainId id;
    int size = 0;
    std::array<Op, Chain::kOpsMax> ops;  // The first `size` are set.
  };

  // Whether one more chain would find an idle thread.
  bool HasIdle();
  // Starts a thread with all signals blocked, because signals are meant for other threads
  // and would interrupt its calls. Returns false if no thread can be started.
  bool StartOne();
  // Runs on each thread until ends_ is set.
  void Loop();

  WakeUp* const wake_up_;
  std::vector<std::thread> threads_;
  int in_flight_ = 0;

  Mutex mutex_;
  CondVar changed_;
  int idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ends_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<WaitingChain> waiting_ ABSL_GUARDED_BY(mutex_);
  std::vector<ChainResults> settled_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_HELPER_THREADS_H_

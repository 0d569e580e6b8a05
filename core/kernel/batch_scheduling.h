// Marks the calling thread as one that computes in bulk (SCHED_BATCH) for as long as the
// object lives: when the thread is woken, it waits for its turn instead of preempting
// another thread. The kernel workers of its ring inherit the policy.
//
// Why: a chain goes back and forth between the ring's thread and its kernel worker, and
// each completion wakes the thread. With both on one CPU, SCHED_BATCH reduces the context
// switches to a third.
//
// A thread that has a policy other than the default keeps it.
//
// Thread-safety: belongs to the thread that made it.

#ifndef RINGCP_CORE_KERNEL_BATCH_SCHEDULING_H_
#define RINGCP_CORE_KERNEL_BATCH_SCHEDULING_H_

namespace ringcp {

class BatchScheduling {
 public:
  BatchScheduling();
  ~BatchScheduling();
  BatchScheduling(const BatchScheduling&) = delete;
  BatchScheduling& operator=(const BatchScheduling&) = delete;

 private:
  bool changed_ = false;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_BATCH_SCHEDULING_H_

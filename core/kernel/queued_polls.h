// The polls (OpKind::kPoll) that a kernel has queued and waits for itself, by poll(2),
// because it has no ring that would.
//
// Thread-safety: belongs to its kernel.

#ifndef RINGCP_CORE_KERNEL_QUEUED_POLLS_H_
#define RINGCP_CORE_KERNEL_QUEUED_POLLS_H_

#include <poll.h>

#include <vector>

#include "core/base/mutex.h"
#include "core/kernel/kernel.h"
#include "core/kernel/op.h"
#include "core/kernel/wake_up.h"

namespace ringcp {

class QueuedPolls {
 public:
  // Adds the chain `id`, which is `poll` alone.
  void Add(ChainId id, const Op& poll, SteadyTime now);
  int size() const { return static_cast<int>(chains_.size()); }

  // Waits until one of them has ended or somebody has notified `wake_up`, but no longer
  // than `until`, and moves those that have ended to `settled`. Without any it only
  // waits.
  void Await(WakeUp* wake_up, SteadyTime until, std::vector<ChainResults>* settled);

 private:
  struct WaitingChain {
    ChainId id;
    SteadyTime until;
  };

  std::vector<WaitingChain> chains_;
  std::vector<pollfd> files_;  // Of each of them.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_QUEUED_POLLS_H_

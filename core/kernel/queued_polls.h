// The polls (OpKind::kPoll) that were queued to a kernel without a working ring, which
// waits for them by poll(2).
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
  // Adds the chain `id`, which consists of `poll` alone.
  void Add(ChainId id, const Op& poll, SteadyTime now);
  int size() const { return static_cast<int>(chains_.size()); }

  // Waits until a poll has ended or somebody has notified `wake_up`, but no longer than
  // `until`, and moves the polls that have ended to `settled`. If there are no polls, it
  // only waits.
  void Await(WakeUp* wake_up, SteadyTime until, std::vector<ChainResults>* settled);

 private:
  struct WaitingChain {
    ChainId id;
    SteadyTime until;
  };

  std::vector<WaitingChain> chains_;
  std::vector<pollfd> files_;  // One for each of chains_.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_QUEUED_POLLS_H_

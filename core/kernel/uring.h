// One io_uring, as <liburing.h> declares it, and ops as its submission queue entries.
// Only UringKernel's files include this header, and no other header includes
// <liburing.h>.
//
// Thread-safety: belongs to its kernel.

#ifndef RINGCP_CORE_KERNEL_URING_H_
#define RINGCP_CORE_KERNEL_URING_H_

#include <liburing.h>

#include <cstdint>

#include "core/kernel/chain_table.h"
#include "core/kernel/op.h"

namespace ringcp {

// IORING_OP_FIXED_FD_INSTALL (Linux 6.8), which Debian 12's liburing 2.3 does not define;
// the number is ABI.
inline constexpr int kOpFixedFdInstall = 54;

// IORING_OP_FTRUNCATE (Linux 6.9), likewise.
inline constexpr int kOpFtruncate = 55;

// Fills in `sqe` to carry out `op`. REQUIRES: CanBeQueued(op.kind).
void PrepareSqe(const Op& op, io_uring_sqe* sqe);

// Whether Linux can start a thread for ops that can't be carried out in the submitter's.
// If it can't, each such op ends with ECANCELED, whatever it is. Submits the ring's first
// op to find out.
bool StartsWorkers(io_uring* ring);

struct Uring {
  // A chain must fit, and with fewer entries io_uring is not worth having.
  static constexpr int kEntriesMin = 32;
  // How long SQPOLL's thread looks for submissions before it sleeps.
  static constexpr int kSqpollIdleMilliseconds = 10;
  // How many ops Watch() queues: a poll and two timeouts.
  static constexpr int kWatchOps = 3;
  // How long after the first timeout the second one ends: longer than a thread takes from
  // the end of submitting to falling asleep.
  static constexpr int64_t kWatchAgainNanoseconds = 200'000;
  // What stands for the chain's entry in the OpTag of an op that belongs to no chain: one
  // that Watch() queued, or one that ends a late poll.
  static constexpr uint32_t kWatchEntry = 0xffffffff;
  static constexpr uint32_t kNoEntry = 0xfffffffe;

  Uring() = default;
  ~Uring();
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  // Sets the ring up, with `flags` in addition to those that are best here; returns 0 or
  // -errno.
  int Init(int entries, unsigned flags);
  // Has io_uring use so many threads of each of its two kinds, for files and for all
  // else, at most; 0 or -errno.
  int LimitWorkers(int workers_max);
  bool HasRoomFor(int ops) {
    return static_cast<int>(io_uring_sq_space_left(&ring)) >= ops;
  }

  bool is_sqpoll() const { return (ring.flags & IORING_SETUP_SQPOLL) != 0; }

  // Has the ring watch `event`, an eventfd(2), unless it does already: once the event is
  // readable, a wait for completions ends, however many it waits for. Returns false if
  // not all of the watch is queued (there was no room or no memory); then the event ends
  // a wait for one completion at most.
  //
  // The poll alone would count as just one of the completions that are waited for. A
  // timeout ends a wait by itself (io_cqring_wait looks at cq_timeouts), so a timeout of
  // no time is linked behind the poll. If the thread has entered Linux but is not asleep
  // yet (it still submits), it counts that timeout before it begins to wait, and sleeps
  // on: a lost wake-up. So a second timeout ends a little later. All three ops are
  // one-shot: a multishot poll would wake the thread again for what it has seen, and
  // can't be linked.
  bool Watch(int event);
  // Takes in the completion of an op that Watch() queued, which has `tag`. Returns
  // whether the event is to be drained.
  bool NoteWatch(OpTag tag, int32_t result);
  bool watches() const { return watch_ops_outstanding > 0; }

  // To be called whenever Linux was entered. If it took in only the first ops of a chain,
  // turns the rest of that chain into ops that do nothing.
  void TakeBackTail();

  io_uring ring = {};
  // How many completions may be outstanding: as many as the completion queue holds
  // besides those of Watch(), so that it never overflows. 0 until the ring is set up.
  int ops_max = 0;
  int ops_outstanding = 0;        // Queued or running, with no completion reaped yet.
  int watch_ops_outstanding = 0;  // Not counted in ops_outstanding.
  bool can_watch = true;          // No watch has failed for good.
  bool has_slots = false;
  bool is_lost = false;  // Somebody else has closed its descriptor.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_URING_H_

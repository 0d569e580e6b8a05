// One io_uring, as <liburing.h> declares it, and ops as its submission queue entries.
// Included by UringKernel's files alone, and the only header that includes <liburing.h>.
//
// Thread-safety: belongs to its kernel.

#ifndef RINGCP_CORE_KERNEL_URING_H_
#define RINGCP_CORE_KERNEL_URING_H_

#include <liburing.h>

#include <cstdint>

#include "core/kernel/chain_table.h"
#include "core/kernel/op.h"

namespace ringcp {

// Debian 12's liburing 2.3 does not name this opcode (Linux 6.8); the number is ABI.
inline constexpr int kOpFixedFdInstall = 54;

// Nor this one (Linux 6.9).
inline constexpr int kOpFtruncate = 55;

// Makes `op` the entry `sqe`. REQUIRES: CanBeQueued(op.kind).
void PrepareSqe(const Op& op, io_uring_sqe* sqe);

// Whether the kernel can start a thread for what can't be done in the submitter's: where
// it can't, such an op ends with ECANCELED, whatever it was. The ring's first op.
bool StartsWorkers(io_uring* ring);

struct Uring {
  // A chain must fit; below this io_uring is not worth having.
  static constexpr int kEntriesMin = 32;
  // How long SQPOLL's thread looks for submissions before it sleeps.
  static constexpr int kSqpollIdleMilliseconds = 10;
  // The ops of Watch(): a poll and two timeouts.
  static constexpr int kWatchOps = 3;
  // How long after the first one the second timeout ends: longer than a thread takes from
  // the end of submitting to falling asleep.
  static constexpr int64_t kWatchAgainNanoseconds = 200'000;
  // What ops have for a chain's entry that are of none: those of Watch(), and others
  // whose result nobody wants to know.
  static constexpr uint32_t kWatchEntry = 0xffffffff;
  static constexpr uint32_t kNoEntry = 0xfffffffe;

  Uring() = default;
  ~Uring();
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  // Sets it up, with `flags` besides those that are best here; 0 or -errno.
  int Init(int entries, unsigned flags);
  bool HasRoomFor(int ops) {
    return static_cast<int>(io_uring_sq_space_left(&ring)) >= ops;
  }

  bool is_sqpoll() const { return (ring.flags & IORING_SETUP_SQPOLL) != 0; }

  // Has the ring watch `event`, which is an eventfd(2), unless it does already: once that
  // is readable, a wait for completions ends, for however many it was. False: there was
  // no room or no memory for that, and only a wait for one completion ends.
  //
  // The poll alone would be one completion of those that are waited for; a timeout ends a
  // wait by itself (io_cqring_wait looks at cq_timeouts), so one of no time is linked
  // behind it. A thread that is in the kernel but not asleep yet (it still submits) would
  // count that one before it begins to wait, and sleep on; so a second one comes a little
  // later. All are one-shot: a poll that stays would wake the thread again for what it
  // has seen, and can't be linked.
  bool Watch(int event);
  // Takes in a completion with the tag of what Watch() has queued; whether the event is
  // to be drained.
  bool NoteWatch(OpTag tag, int32_t result);
  bool watches() const { return watch_ops_outstanding > 0; }

  // To be called whenever the kernel was entered. If it took in only the first ops of a
  // chain, the rest of that chain is turned into ops that do nothing.
  void TakeBackTail();

  io_uring ring = {};
  // Completions that may be outstanding: as many as the completion queue holds, so that
  // it never overflows, but for those of Watch(). 0 until it is set up.
  int ops_max = 0;
  int ops_outstanding = 0;        // Queued or running, completion not reaped.
  int watch_ops_outstanding = 0;  // Not among them.
  bool can_watch = true;          // No watch has failed.
  bool has_slots = false;
  bool is_lost = false;  // Somebody else has closed it.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_URING_H_

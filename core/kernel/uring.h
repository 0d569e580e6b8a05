// One io_uring, as <liburing.h> declares it, and ops as its submission queue entries.
// Included by uring_kernel.cc alone, and the only header that includes <liburing.h>.
//
// Thread-safety: belongs to its kernel.

#ifndef RINGCP_CORE_KERNEL_URING_H_
#define RINGCP_CORE_KERNEL_URING_H_

#include <liburing.h>

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

  // To be called whenever the kernel was entered. If it took in only the first ops of a
  // chain, the rest of that chain is turned into ops that do nothing.
  void TakeBackTail();

  io_uring ring = {};
  // Completions that may be outstanding: as many as the completion queue holds, so that
  // it never overflows. 0 until it is set up.
  int ops_max = 0;
  int ops_outstanding = 0;  // Queued or running, completion not reaped.
  bool has_slots = false;
  bool is_lost = false;  // Somebody else has closed it.
};

}  // namespace ringcp

#endif  // RINGCP_CORE_KERNEL_URING_H_

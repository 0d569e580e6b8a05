// A set-up io_uring that takes itself down, and the ways of waiting for it.
//
// Thread-safety: used by the thread that created it, and by no other.
// Ownership: what submitted operations point to has to outlive them.

#ifndef RINGCP_BENCH_IO_MODELS_URING_H_
#define RINGCP_BENCH_IO_MODELS_URING_H_

#include <liburing.h>

#include <climits>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ringcp::io_models {

struct UringOptions {
  unsigned entries = 64;
  // Completions that fit, for operations that have several; 0 for twice the entries.
  unsigned completions = 0;
  // A kernel thread looks for submissions (IORING_SETUP_SQPOLL).
  bool sqpoll = false;
  // Completions are asked for at the device (IORING_SETUP_IOPOLL).
  bool iopoll = false;
};

class Uring {
 public:
  // In milliseconds: how long the kernel thread of SQPOLL looks in vain until it sleeps.
  static constexpr unsigned kSqpollIdleMilliseconds = 50;
  // In nanoseconds: how long a user of SQPOLL looks for completions before it waits in
  // the kernel. To give up at once would be a system call for each operation, to look for
  // long would take a processor from whoever works.
  static constexpr int64_t kSqpollLookNanoseconds = 20'000;

  // Unavailable, with the likely cause, if the kernel refuses.
  static absl::StatusOr<std::unique_ptr<Uring>> Create(const UringOptions& options);
  ~Uring();
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  io_uring* get() { return &ring_; }

  // An entry to fill in. REQUIRES: no more operations are queued or under way than there
  // are entries; or, without SQPOLL, no more are queued.
  io_uring_sqe* NextEntry();

  // Submits what there is, without waiting.
  absl::Status Submit();

  // Submits what there is, and waits for at least one completion.
  absl::Status SubmitAndWait();

  // Hands the completions that there are, `count_max` at most, to `handle` (const
  // io_uring_cqe&).
  template <typename Handle>
  void TakeCompletions(Handle handle, unsigned count_max = UINT_MAX) {
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      if (count == count_max) break;
      handle(*completion);
      ++count;
    }
    io_uring_cq_advance(&ring_, count);
  }

 private:
  explicit Uring(bool sqpoll) : sqpoll_(sqpoll) {}

  const bool sqpoll_;
  io_uring ring_ = {};
};

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_URING_H_

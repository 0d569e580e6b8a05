// Owns an io_uring, sets it up and takes it down, and waits for it in several ways.
//
// Thread-safety: only the thread that created it may use it.
// Ownership: everything that submitted operations point to must outlive them.

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
  // Room for completions, because some operations have several; 0: twice the entries.
  unsigned completions = 0;
  // A kernel thread looks for submissions (IORING_SETUP_SQPOLL).
  bool sqpoll = false;
  // The kernel polls the device for completions (IORING_SETUP_IOPOLL).
  bool iopoll = false;
};

class Uring {
 public:
  // In milliseconds: how long SQPOLL's kernel thread looks in vain before it sleeps.
  static constexpr unsigned kSqpollIdleMilliseconds = 50;
  // In nanoseconds: how long a user of SQPOLL looks for completions before it waits in
  // the kernel. Giving up immediately would cost a system call for each operation;
  // looking for long would take a processor away from those that work.
  static constexpr int64_t kSqpollLookNanoseconds = 20'000;

  // Unavailable, with the likely cause, if the kernel refuses.
  static absl::StatusOr<std::unique_ptr<Uring>> Create(const UringOptions& options);
  ~Uring();
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  io_uring* get() { return &ring_; }

  // An entry to fill in. REQUIRES: no more operations are queued or under way than there
  // are entries. Without SQPOLL only queued ones count.
  io_uring_sqe* NextEntry();

  // Submits what is queued, without waiting.
  absl::Status Submit();

  // Submits what is queued, and waits for at least one completion.
  absl::Status SubmitAndWait();

  // Passes the completions that are there, at most `count_max`, to `handle` (const
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

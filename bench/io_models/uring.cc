#include "bench/io_models/uring.h"

#include <cerrno>
#include <initializer_list>
#include <string>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/measurement.h"
#include "core/base/check.h"

namespace ringcp::io_models {
namespace {

absl::Status SetupRefusal(int error_number) {
  const char* cause = "";
  if (error_number == EPERM) {
    cause = "; a container's profile or kernel.io_uring_disabled forbids it";
  } else if (error_number == ENOMEM) {
    cause = "; the limit on locked memory is too small (ulimit -l)";
  }
  const absl::Status refusal = Refusal("io_uring_setup", error_number);
  return absl::UnavailableError(absl::StrCat(std::string(refusal.message()), cause));
}

// OK if the submission can be tried again; an error if the ring can't go on.
absl::Status SubmissionStatus(const char* operation, int result) {
  // Interrupted, or temporarily without memory or room for completions. Entries that were
  // not submitted stay queued.
  if (result >= 0 || result == -EINTR || result == -EAGAIN || result == -EBUSY) {
    return absl::OkStatus();
  }
  return Failure(operation, -result);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Uring>> Uring::Create(const UringOptions& options) {
  auto uring = absl::WrapUnique(new Uring(options.sqpoll));
  int result = -EINVAL;
  // The later flags are for older kernels: DEFER_TASKRUN came with 6.1. None of them is
  // of use with SQPOLL, where the kernel's thread submits.
  for (const unsigned flags : {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
                               static_cast<unsigned>(IORING_SETUP_COOP_TASKRUN), 0u}) {
    io_uring_params parameters = {};
    parameters.flags =
        options.sqpoll ? static_cast<unsigned>(IORING_SETUP_SQPOLL) : flags;
    parameters.sq_thread_idle = kSqpollIdleMilliseconds;
    if (options.iopoll) parameters.flags |= IORING_SETUP_IOPOLL;
    if (options.completions > 0) {
      parameters.flags |= IORING_SETUP_CQSIZE;
      parameters.cq_entries = options.completions;
    }
    // SQPOLL needs twice as many: see NextEntry().
    const unsigned entries = options.sqpoll ? 2 * options.entries : options.entries;
    result = io_uring_queue_init_params(entries, uring->get(), &parameters);
    if (result != -EINVAL) break;
  }
  if (result < 0) {
    uring->ring_.ring_fd = -1;
    return SetupRefusal(-result);
  }
  return uring;
}

Uring::~Uring() {
  if (ring_.ring_fd >= 0) io_uring_queue_exit(&ring_);
}

io_uring_sqe* Uring::NextEntry() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  while (entry == nullptr) {
    // The kernel's thread completes operations while it processes a batch, but frees
    // their entries only at the end of the batch.
    RINGCP_CHECK(sqpoll_ && io_uring_sqring_wait(&ring_) >= 0);
    entry = io_uring_get_sqe(&ring_);
  }
  return entry;
}

absl::Status Uring::Submit() {
  return SubmissionStatus("io_uring_submit", io_uring_submit(&ring_));
}

absl::Status Uring::SubmitAndWait() {
  if (!sqpoll_) {
    return SubmissionStatus("io_uring_submit_and_wait",
                            io_uring_submit_and_wait(&ring_, 1));
  }
  absl::Status submitted = Submit();
  if (!submitted.ok()) return submitted;
  const int64_t look_until = NowNanoseconds() + kSqpollLookNanoseconds;
  do {
    if (io_uring_cq_ready(&ring_) > 0) return absl::OkStatus();
  } while (NowNanoseconds() < look_until);
  io_uring_cqe* completion = nullptr;
  return SubmissionStatus("io_uring_wait_cqe", io_uring_wait_cqe(&ring_, &completion));
}

}  // namespace ringcp::io_models

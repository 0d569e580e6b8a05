#include "bench/io_models/relay.h"

#include <unistd.h>

#include <cerrno>

#include "bench/io_models/errors.h"

namespace ringcp::io_models {

absl::Status Relay::Settle(ssize_t result) {
  if (result == -EINTR || result == -EAGAIN) return absl::OkStatus();
  if (step_ == Step::kRead) {
    if (result == 0 || result == -ECONNRESET) {
      step_ = Step::kEnded;
      return absl::OkStatus();
    }
    if (result < 0) return Failure("read of a stream", static_cast<int>(-result));
    step_ = Step::kWrite;
    end_ = static_cast<size_t>(result);
    return absl::OkStatus();
  }
  if (result < 0) return Failure("write to a stream", static_cast<int>(-result));
  begin_ += static_cast<size_t>(result);
  if (begin_ < end_) return absl::OkStatus();
  step_ = Step::kRead;
  begin_ = 0;
  end_ = kBufferBytes;
  return absl::OkStatus();
}

absl::StatusOr<bool> Relay::Call() {
  const ssize_t count = step_ == Step::kRead ? read(reading_, data(), bytes())
                                             : write(writing_, data(), bytes());
  const ssize_t result = count < 0 ? -errno : count;
  absl::Status status = Settle(result);
  if (!status.ok()) return status;
  return result == -EAGAIN;
}

}  // namespace ringcp::io_models

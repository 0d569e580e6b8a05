// The life of one stream that is passed on: read what has arrived, write it, and repeat
// until the stream ends. An echo reads and writes one socket; a pipe is relayed from one
// descriptor to another. A Relay does no I/O: a model calls the kernel and hands the
// results back, so short writes, EINTR and EAGAIN are handled once for all models.
//
// Thread-safety: belongs to one thread at a time.
// Ownership: the descriptors stay the caller's. The buffer belongs to the kernel while an
// operation on it is under way.

#ifndef RINGCP_BENCH_IO_MODELS_RELAY_H_
#define RINGCP_BENCH_IO_MODELS_RELAY_H_

#include <sys/types.h>

#include <array>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ringcp::io_models {

class Relay {
 public:
  // In bytes: several messages of the echo, a sixteenth of a pipe.
  static constexpr size_t kBufferBytes = 4096;

  enum class Step { kRead, kWrite, kEnded };

  Relay(int reading, int writing) : reading_(reading), writing_(writing) {}

  // The next operation, its descriptor and its memory.
  Step step() const { return step_; }
  int descriptor() const { return step_ == Step::kRead ? reading_ : writing_; }
  char* data() { return buffer_.data() + begin_; }
  size_t bytes() const { return end_ - begin_; }

  int reading() const { return reading_; }
  int writing() const { return writing_; }

  // Takes the result of the operation: a number of bytes or -errno. After -EINTR and
  // -EAGAIN the next operation is the same again. The end of the input, also by a reset,
  // ends the relay; any other error is returned.
  absl::Status Settle(ssize_t result);

  // Makes one system call, read or write, and takes its result. Returns whether the call
  // would have blocked.
  absl::StatusOr<bool> Call();

 private:
  const int reading_;
  const int writing_;
  Step step_ = Step::kRead;
  size_t begin_ = 0;
  size_t end_ = kBufferBytes;
  std::array<char, kBufferBytes> buffer_;
};

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_RELAY_H_

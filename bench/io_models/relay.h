// The life of one stream that is passed on: read what comes, write it out, and so on
// until its end. An echo reads and writes one socket, a pipe is relayed from one
// descriptor to another. It does no I/O: a model asks the kernel and hands the results
// back, so that short writes, EINTR and EAGAIN are treated once, for all models alike.
//
// Thread-safety: belongs to one thread at a time.
// Ownership: the descriptors stay the caller's. buffer() is the kernel's while an
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

  // What is to be done next, on which descriptor, with which memory.
  Step step() const { return step_; }
  int descriptor() const { return step_ == Step::kRead ? reading_ : writing_; }
  char* data() { return buffer_.data() + begin_; }
  size_t bytes() const { return end_ - begin_; }

  int reading() const { return reading_; }
  int writing() const { return writing_; }

  // Takes the result of that: a count of bytes or -errno. After -EINTR and -EAGAIN the
  // same is to be done again. The end of the input, a reset of it included, ends the
  // relay; what else fails is returned.
  absl::Status Settle(ssize_t result);

  // Makes one system call, read or write, and settles it. Returns whether it would have
  // blocked.
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

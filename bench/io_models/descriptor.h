// A file descriptor that its owner closes.
//
// Thread-safety: belongs to one thread at a time.

#ifndef RINGCP_BENCH_IO_MODELS_DESCRIPTOR_H_
#define RINGCP_BENCH_IO_MODELS_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace ringcp::io_models {

class Descriptor {
 public:
  // Owns nothing.
  Descriptor() = default;
  // Owns `number`, or nothing if that is -1.
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { Close(); }

  int get() const { return number_; }
  bool valid() const { return number_ >= 0; }

  void Close() {
    if (number_ >= 0) close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_DESCRIPTOR_H_

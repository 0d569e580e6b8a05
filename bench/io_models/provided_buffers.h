// Buffers that the kernel takes when data has arrived, not when the operation is
// submitted, so a thousand waiting connections don't need a thousand buffers.
//
// Thread-safety: belongs to the thread of its ring.
// Ownership: must outlive all operations that select a buffer from it.

#ifndef RINGCP_BENCH_IO_MODELS_PROVIDED_BUFFERS_H_
#define RINGCP_BENCH_IO_MODELS_PROVIDED_BUFFERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "bench/io_models/aligned_memory.h"
#include "bench/io_models/uring.h"

namespace ringcp::io_models {

class ProvidedBuffers {
 public:
  static constexpr int kGroup = 0;
  // In bytes: two messages of the echo.
  static constexpr size_t kBytesEach = 2048;

  // Registers `count` buffers, a power of two, with `uring`. Unavailable before Linux
  // 5.19.
  static absl::StatusOr<std::unique_ptr<ProvidedBuffers>> Create(unsigned count,
                                                                 Uring* uring);

  char* data(uint16_t buffer) { return memory_.get() + buffer * kBytesEach; }

  // Gives the buffer back to the kernel.
  void Return(uint16_t buffer);

 private:
  explicit ProvidedBuffers(unsigned count);

  const unsigned count_;
  AlignedMemory ring_memory_;
  io_uring_buf_ring* const ring_;  // In ring_memory_.
  AlignedMemory memory_;
};

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_PROVIDED_BUFFERS_H_

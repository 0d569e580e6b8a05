#include "bench/io_models/provided_buffers.h"

#include "absl/memory/memory.h"
#include "bench/io_models/errors.h"

namespace ringcp::io_models {

ProvidedBuffers::ProvidedBuffers(unsigned count)
    : count_(count),
      ring_memory_(AllocateAligned(count * sizeof(io_uring_buf))),
      ring_(reinterpret_cast<io_uring_buf_ring*>(ring_memory_.get())),
      memory_(AllocateAligned(count * kBytesEach)) {
  io_uring_buf_ring_init(ring_);
}

absl::StatusOr<std::unique_ptr<ProvidedBuffers>> ProvidedBuffers::Create(unsigned count,
                                                                         Uring* uring) {
  auto buffers = absl::WrapUnique(new ProvidedBuffers(count));
  io_uring_buf_reg registration = {};
  registration.ring_addr = reinterpret_cast<uint64_t>(buffers->ring_);
  registration.ring_entries = count;
  registration.bgid = kGroup;
  const int result = io_uring_register_buf_ring(uring->get(), &registration, 0);
  if (result < 0) return Refusal("io_uring_register (buffer ring)", -result);
  for (unsigned i = 0; i < count; ++i) buffers->Return(static_cast<uint16_t>(i));
  return buffers;
}

void ProvidedBuffers::Return(uint16_t buffer) {
  io_uring_buf_ring_add(ring_, data(buffer), kBytesEach, buffer,
                        io_uring_buf_ring_mask(count_), 0);
  io_uring_buf_ring_advance(ring_, 1);
}

}  // namespace ringcp::io_models

// Memory that can be read into and written from with O_DIRECT.
//
// Thread-safety: belongs to its owner.

#ifndef RINGCP_BENCH_IO_MODELS_ALIGNED_MEMORY_H_
#define RINGCP_BENCH_IO_MODELS_ALIGNED_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace ringcp::io_models {

// In bytes: the unit of memory, offsets and lengths of O_DIRECT. It is a page, because no
// usual device has larger logical blocks.
inline constexpr int64_t kAlignmentBytes = 4096;

// `bytes` rounded up, or down, to kAlignmentBytes.
constexpr int64_t AlignUp(int64_t bytes) {
  return (bytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
}
constexpr int64_t AlignDown(int64_t bytes) {
  return bytes / kAlignmentBytes * kAlignmentBytes;
}

struct AlignedDelete {
  void operator()(char* memory) const {
    ::operator delete (memory, std::align_val_t{kAlignmentBytes});
  }
};
using AlignedMemory = std::unique_ptr<char[], AlignedDelete>;

// Contents are undefined.
inline AlignedMemory AllocateAligned(size_t bytes) {
  return AlignedMemory(
      static_cast<char*>(::operator new (bytes, std::align_val_t{kAlignmentBytes})));
}

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_ALIGNED_MEMORY_H_

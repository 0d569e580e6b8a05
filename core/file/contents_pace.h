// Whether the contents of a file come so slowly that large blocks are better.
//
// From memory, blocks should be small enough to stay in the CPU's cache between the read
// and the write. But where each read and write has to wait, few large ones are better
// than many small ones: the kernel lets one write at a time into a file, so beside each
// other they only help the reads.
//
// Thread-safety: belongs to its ContentsCopy.

#ifndef RINGCP_CORE_FILE_CONTENTS_PACE_H_
#define RINGCP_CORE_FILE_CONTENTS_PACE_H_

#include <chrono>
#include <cstdint>

#include "core/kernel/kernel.h"

namespace ringcp {

class ContentsPace {
 public:
  // The pace is judged whenever so many blocks have been written.
  static constexpr uint64_t kBlocksMin = 8;
  // If one takes longer, they come slowly. Memory is faster by far, and so are fast
  // disks: a block has 256 KiB.
  static constexpr std::chrono::milliseconds kSlowBlock{1};

  explicit ContentsPace(uint32_t block_bytes) : block_bytes_(block_bytes) {}

  // Begins anew. It is not slow, as far as is known.
  void Reset() {
    is_slow_ = false;
    has_begun_ = false;
  }

  // Notes that `bytes` have been written by `now`. With fewer bytes than before, another
  // part of the file has begun.
  void Note(uint64_t bytes, SteadyTime now) {
    if (is_slow_) return;
    if (!has_begun_ || bytes < last_bytes_) return Begin(bytes, now);
    last_bytes_ = bytes;
    const uint64_t blocks = (bytes - first_bytes_) / block_bytes_;
    if (blocks < kBlocksMin) return;
    is_slow_ = now - first_time_ > blocks * kSlowBlock;
    Begin(bytes, now);
  }

  // Whether it was slow once: with larger blocks it may be fast enough since.
  bool is_slow() const { return is_slow_; }

 private:
  void Begin(uint64_t bytes, SteadyTime now) {
    has_begun_ = true;
    first_bytes_ = last_bytes_ = bytes;
    first_time_ = now;
  }

  const uint32_t block_bytes_;
  bool is_slow_ = false;
  bool has_begun_ = false;
  uint64_t first_bytes_ = 0;  // Of those that are judged next.
  uint64_t last_bytes_ = 0;
  SteadyTime first_time_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_CONTENTS_PACE_H_

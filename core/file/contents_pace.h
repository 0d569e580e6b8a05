// Whether a worker's contents come so slowly that large blocks are better.
//
// From memory, blocks should be small enough to stay in the CPU's cache between the read
// and the write. But where each read and write has to wait, few large ones are better
// than many small ones: the kernel lets one write at a time into a file, so beside each
// other they only help the reads.
//
// What counts is the contents of all files that the worker has in flight: beside many
// others, a file comes slowly from memory, too.
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
  static constexpr int64_t kBlocksMin = 8;
  // If one takes longer, they came slowly: a block has 256 KiB, and memory and fast disks
  // are faster by far.
  static constexpr std::chrono::milliseconds kSlowBlock{1};
  // So many slow ones in a row are enough: one may be a pause of the disk, or of the CPU.
  static constexpr int kSlowMin = 2;

  explicit ContentsPace(uint32_t block_bytes) : block_bytes_(block_bytes) {}

  // Begins anew, with another file. It is not slow, as far as is known.
  void Reset() {
    slow_ = 0;
    has_begun_ = false;
  }

  // Notes that the worker has counted `bytes` as copied by `now`, holes and clones among
  // them. Fewer than before: some do not count any more.
  void Note(int64_t bytes, SteadyTime now) {
    if (is_slow()) return;
    if (!has_begun_ || bytes < first_bytes_) return Begin(bytes, now);
    const int64_t blocks = (bytes - first_bytes_) / block_bytes_;
    if (blocks < kBlocksMin) return;
    slow_ = now - first_time_ > blocks * kSlowBlock ? slow_ + 1 : 0;
    Begin(bytes, now);
  }

  // Whether it was slow once: with larger blocks it may be fast enough since.
  bool is_slow() const { return slow_ >= kSlowMin; }

 private:
  void Begin(int64_t bytes, SteadyTime now) {
    has_begun_ = true;
    first_bytes_ = bytes;
    first_time_ = now;
  }

  const uint32_t block_bytes_;
  int slow_ = 0;  // In a row.
  bool has_begun_ = false;
  int64_t first_bytes_ = 0;  // Written before those that are judged next.
  SteadyTime first_time_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_CONTENTS_PACE_H_

// Copies one file to another in blocks, with any model to carry out its ops (see
// file_work.h). A lane copies one block at a time, in pieces: it reads the rest of the
// block, writes what the read returned, and so on. So short transfers need no special
// treatment.
//
//   Start ─> read what is left ─(n bytes)─> write them ─(all)─┬─(block done)─> next block
//                 ▲                          └─(short)─┘      │
//                 └───────────(block not done)────────────────┘
//
// With O_DIRECT, lengths are rounded up at the end of the file. The last read is then
// short, and the last write goes beyond the end; whoever opened the target truncates it.
//
// Thread-safety and ownership: see file_work.h. The descriptors stay the caller's.

#ifndef RINGCP_BENCH_IO_MODELS_COPY_WORK_H_
#define RINGCP_BENCH_IO_MODELS_COPY_WORK_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "bench/io_models/aligned_memory.h"
#include "bench/io_models/file_work.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

class CopyWork : public FileWork {
 public:
  // In bytes. As in `cp`: large enough that a system call's own cost does not matter
  // much, small enough that the lanes' blocks stay in the processor's cache.
  static constexpr int64_t kBlockBytes = 128 * 1024;
  // The measurement counts each block as one operation.
  static constexpr int64_t Blocks(int64_t size) {
    return (size + kBlockBytes - 1) / kBlockBytes;
  }

  struct Parameters {
    int source = -1;
    int target = -1;
    int64_t size = 0;     // Of the source, in bytes.
    bool direct = false;  // Both descriptors are O_DIRECT.
    int lanes = 1;
  };

  // `recording` has room for Blocks(size) operations and outlives this.
  CopyWork(const Parameters& parameters, Recording* recording);

  std::span<const int> descriptors() const override { return descriptors_; }
  int lanes() const override { return static_cast<int>(lanes_.size()); }
  std::span<char> memory() override {
    return {memory_.get(), lanes_.size() * static_cast<size_t>(kBlockBytes)};
  }
  bool Start(int lane) override;
  bool Settle(int lane, ssize_t result) override;
  const FileOp& op(int lane) const override { return lanes_[lane].op; }
  absl::Status status() const override;

 private:
  // One cache line, so that threads don't slow each other down.
  struct alignas(64) Lane {
    int64_t block = 0;  // Its index.
    int64_t end = 0;    // The block's, in the file.
    FileOp op;
    int64_t start_nanoseconds = 0;
    absl::Status status;
  };

  void AskToRead(int lane, off_t position);
  void AskToWrite(Lane* lane, off_t position, int64_t bytes) const;
  bool SettleRead(Lane* lane, ssize_t result);
  bool SettleWrite(int lane, ssize_t result);
  bool Fail(Lane* lane, absl::Status status);
  // How many of the `bytes` transferred at `position` can be continued from.
  int64_t Usable(off_t position, int64_t bytes, int64_t end) const;

  const std::array<int, 2> descriptors_;
  const int64_t size_;
  const bool direct_;
  Recording* const recording_;
  AlignedMemory memory_;
  std::vector<Lane> lanes_;
  std::atomic<int64_t> next_block_ = 0;
  std::atomic<bool> failed_ = false;
};

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_COPY_WORK_H_

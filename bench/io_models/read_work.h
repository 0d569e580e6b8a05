// Reads 4 KiB blocks at random places of a file, with any model to carry out its ops (see
// file_work.h), and checks each block against the pattern that fills the file.
//
// Thread-safety and ownership: see file_work.h. The descriptor stays the caller's.

#ifndef RINGCP_BENCH_IO_MODELS_READ_WORK_H_
#define RINGCP_BENCH_IO_MODELS_READ_WORK_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "bench/io_models/aligned_memory.h"
#include "bench/io_models/file_work.h"
#include "bench/io_models/measurement.h"

namespace ringcp::io_models {

class ReadWork : public FileWork {
 public:
  static constexpr int64_t kReadBytes = 4096;

  struct Parameters {
    int source = -1;
    int64_t size = 0;     // Of the source, in bytes; at least kReadBytes.
    bool direct = false;  // The descriptor is O_DIRECT.
    uint64_t seed = 0;    // Of the pattern, and of the places.
    int64_t reads = 0;
    int lanes = 1;
  };

  // `recording` has room for `reads` operations and outlives this.
  ReadWork(const Parameters& parameters, Recording* recording);

  std::span<const int> descriptors() const override { return descriptors_; }
  int lanes() const override { return static_cast<int>(lanes_.size()); }
  std::span<char> memory() override {
    return {memory_.get(), lanes_.size() * static_cast<size_t>(kReadBytes)};
  }
  bool Start(int lane) override;
  bool Settle(int lane, ssize_t result) override;
  const FileOp& op(int lane) const override { return lanes_[lane].op; }
  absl::Status status() const override;

 private:
  // One cache line, so that threads don't slow each other down.
  struct alignas(64) Lane {
    int64_t read = 0;  // Its index.
    FileOp op;
    int64_t start_nanoseconds = 0;
    absl::Status status;
  };

  void AskFor(int lane, int64_t have_bytes);
  bool Fail(Lane* lane, absl::Status status);

  const std::array<int, 1> descriptors_;
  const bool direct_;
  const uint64_t seed_;
  Recording* const recording_;
  std::vector<off_t> positions_;
  AlignedMemory memory_;
  std::vector<Lane> lanes_;
  std::atomic<int64_t> next_read_ = 0;
  std::atomic<bool> failed_ = false;
};

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_READ_WORK_H_

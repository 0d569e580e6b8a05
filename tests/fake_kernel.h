// A ring without io_uring for tests: carries out chains by system calls, but in a random
// order that a seed decides on (the ops of different chains interleave), with room for
// few chains if asked to, and with faults: an op that fails, or transfers less than
// asked.
//
// Thread-safety: see kernel.h.

#ifndef RINGCP_TESTS_FAKE_KERNEL_H_
#define RINGCP_TESTS_FAKE_KERNEL_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/kernel/kernel.h"
#include "core/kernel/system_calls.h"

namespace ringcp {

struct FakeKernelOptions {
  int slots = 4;
  int chains_max = 64;  // Chains that there is room for.
  bool can_install_descriptor = true;
  // Whether a failed statx or unlinkat severs its soft link: kernels differ.
  bool failed_path_op_severs = true;
  // The largest size that statx tells, as for files in /proc (0) or on FUSE. As with
  // io_uring (Linux 6.18), a queued read at or beyond it gets nothing; one at once does.
  std::optional<uint64_t> size_told_max = std::nullopt;
  uint32_t seed = 1;
};

// Decides what happens to an op: op number `number`, counted from 0 in the order they run
// (cancelled ones don't count). Called once for each, just before it runs.
//  - nullopt: it runs as it is;
//  - < 0: it fails with -errno and does nothing (a close has closed the file all the
//  same);
//  - >= 0: a read or write transfers at most this many bytes; other ops run as they are.
using FaultFunction = std::function<std::optional<int32_t>(int64_t number, const Op& op)>;

// An op that has run.
struct OpRecord {
  Op op;
  int32_t result = 0;
};

class FakeKernel : public RealKernel {
 public:
  explicit FakeKernel(const FakeKernelOptions& options);
  // Closes what is still open in a slot.
  ~FakeKernel() override;

  void SetFaults(FaultFunction faults) { faults_ = std::move(faults); }

  // All that has run so far. (The pointers in it may be stale.)
  const std::vector<OpRecord>& history() const { return history_; }
  int slots_open() const;

  // Do() knows no faults, and is not in the history.
  uint64_t Random() override { return random_(); }
  ThreadWaits Waits() const override { return {}; }
  ChainResults RunAtOnce(ChainId id, absl::Span<const Op> chain) override;
  bool Queue(ChainId id, absl::Span<const Op> chain) override;
  Submitted Submit(ChainId id, absl::Span<const Op> chain,
                   ChainResults* results) override;
  void Wait(absl::Duration timeout, std::vector<ChainResults>* settled) override;
  int chains_in_flight() const override {
    return static_cast<int>(flights_.size()) + polls_queued();
  }
  int slots() const override { return static_cast<int>(slots_.size()); }
  bool can_install_descriptor() const override { return options_.can_install_descriptor; }
  bool can_queue_truncate() const override { return true; }
  KernelCounters counters() const override { return counters_; }

 private:
  struct Flight {
    std::array<Op, Chain::kOpsMax> ops;
    int position = 0;  // The op that comes next.
    bool severed = false;
    ChainResults settled;
  };

  // Runs the next op of `flight`.
  void Step(Flight* flight);
  int32_t RunWithFaults(const Op& op);
  int32_t Run(Op op);
  // Whether a queued read gets nothing although there may be something.
  bool IsBehindSizeTold(const Op& op) const;
  bool Severs(const Op& op, int32_t result) const;

  const FakeKernelOptions options_;
  std::mt19937 random_;
  std::vector<int> slots_;  // A descriptor, or -1.
  std::vector<Flight> flights_;
  FaultFunction faults_;
  std::vector<OpRecord> history_;
  KernelCounters counters_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_FAKE_KERNEL_H_

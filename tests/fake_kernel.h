// A kernel for tests that needs no io_uring. It carries out chains by system calls, but
// in a random order that a seed decides, so that the ops of different chains interleave.
// On request it has room for few chains only, and has faults: an op fails or transfers
// less than asked.
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
  int chains_max = 64;  // How many chains there is room for.
  bool can_install_descriptor = true;
  // Whether a failed statx or unlinkat severs a soft tie to the next op: kernels differ.
  bool failed_path_op_severs = true;
  // The largest size that statx reports: 0 as for files in /proc, or a stale size as on
  // FUSE. As with io_uring (Linux 6.18), a queued read at or beyond that size returns
  // nothing, and a read that is carried out at once returns what is there.
  std::optional<uint64_t> size_told_max = std::nullopt;
  uint32_t seed = 1;
};

// Decides what happens to op `number`. Ops are counted from 0 in the order they run,
// without those that are cancelled. Called once for each op, just before it runs. The
// result means:
//   - nullopt: the op runs unchanged;
//   - < 0: the op fails with -errno and does nothing, except that a close still closes;
//   - >= 0: a read, a write or the copy of a range transfers at most this many bytes;
//     other ops run unchanged.
using FaultFunction = std::function<std::optional<int32_t>(int64_t number, const Op& op)>;

// An op that has run.
struct OpRecord {
  Op op;
  int32_t result = 0;
};

class FakeKernel : public RealKernel {
 public:
  explicit FakeKernel(const FakeKernelOptions& options);
  // Closes the files that are still open in slots.
  ~FakeKernel() override;

  void SetFaults(FaultFunction faults) { faults_ = std::move(faults); }

  // All ops that have run so far. The pointers in them may be stale.
  const std::vector<OpRecord>& history() const { return history_; }
  int slots_open() const;

  // Ops that Do() carries out have no faults and are not in the history.
  uint64_t Random() override { return random_(); }
  ThreadWaits Waits() const override { return {}; }
  ChainResults RunAtOnce(ChainId id, absl::Span<const Op> chain) override;
  bool Queue(ChainId id, absl::Span<const Op> chain) override;
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
    int position = 0;  // The index of the op that comes next.
    bool severed = false;
    ChainResults settled;
  };

  // Runs the next op of `flight`.
  void Step(Flight* flight);
  int32_t RunWithFaults(const Op& op);
  int32_t Run(Op op);
  // Whether `op` is a queued read that returns nothing because statx reported a smaller
  // size, even if there is data.
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

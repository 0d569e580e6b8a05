// A kernel in a simulated world. It fulfils the same contract as the others, without a
// system. Queued chains settle in an order, and after delays, that the world's seed
// decides. The ops of different chains interleave, also those of different kernels.
//
// Wait() never blocks: it hands back what has settled by the present time. The driver of
// the simulation advances the clock when no worker has anything to do
// (SimWorld::NextEvent). Ops that are carried out at once take a little time, so that
// queued ops of other chains run meanwhile.
//
// Thread-safety: none; a simulation has one thread.

#ifndef RINGCP_TESTS_SIMULATION_SIM_KERNEL_H_
#define RINGCP_TESTS_SIMULATION_SIM_KERNEL_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/kernel/kernel.h"
#include "tests/simulation/sim_inode.h"
#include "tests/simulation/sim_process.h"
#include "tests/simulation/sim_world.h"

namespace ringcp {

struct SimKernelOptions {
  int slots = 64;
  int chains_max = 64;  // How many chains there is room for.
  bool can_install_descriptor = true;
  bool can_queue_truncate = true;
  // Whether a failed statx or unlinkat severs a soft tie to the next op: kernels differ.
  bool failed_path_op_severs = true;
  // For kernels without a driver: Wait() advances the clock until a chain has settled, or
  // until its timeout if nothing is in flight.
  bool wait_advances = false;
  // One in so many ops that are carried out at once takes long, as if its thread had to
  // wait; 0: none does.
  int slow_call_one_in = 0;
  // One in so many chains of ops without an opcode, and tasks, goes to a helper thread;
  // 0: none.
  int helped_one_in = 0;
  absl::Duration call_time = absl::ZeroDuration();
};

class SimKernel : public Kernel {
 public:
  SimKernel(SimWorld* world, const SimKernelOptions& options);
  // REQUIRES: no chain is in flight.
  ~SimKernel() override;

  int32_t Do(const Op& op) override;
  SteadyTime Now() const override { return world_->now(); }
  uint64_t Random() override { return world_->Random(); }
  absl::Duration CpuTime() const override { return absl::ZeroDuration(); }
  absl::Duration ThreadCpuTime() const override { return absl::ZeroDuration(); }
  absl::Duration CallTime() const override { return options_.call_time; }
  ThreadWaits Waits() const override { return waits_; }
  ChainResults RunAtOnce(ChainId id, absl::Span<const Op> chain) override;
  bool Queue(ChainId id, absl::Span<const Op> chain) override;
  Submitted Submit(ChainId id, absl::Span<const Op> chain,
                   ChainResults* results) override;
  Submitted SubmitTask(ChainId id, Task* task) override;
  bool helps_with_tasks() const override { return options_.helped_one_in > 0; }
  void Wait(absl::Duration timeout, std::vector<ChainResults>* settled) override;
  // Any thread could call it, but a simulation has only one.
  void Wake() override { is_woken_ = true; }
  int chains_in_flight() const override { return in_flight_; }
  int slots() const override { return static_cast<int>(slots_.size()); }
  bool can_install_descriptor() const override { return options_.can_install_descriptor; }
  bool can_queue_truncate() const override { return options_.can_queue_truncate; }
  KernelCounters counters() const override { return counters_; }

  // Whether Wait() would hand anything back, and whether Wake() was called after the last
  // Wait().
  bool has_settled() const { return !settled_.empty() || !tasks_due_.empty(); }
  bool is_woken() const { return is_woken_; }
  int slots_open() const;
  // What is still open or in flight, one a line; "" if nothing is. This includes the
  // descriptors of all kernels of the world.
  std::string Leaks() const;

 private:
  struct Flight {
    std::array<Op, Chain::kOpsMax> ops;
    ChainResults chain;
    int position = 0;  // The index of the op that comes next.
    bool has_failed = false;
    bool is_helped = false;  // By a helper thread, which makes system calls.
    SteadyTime poll_until;   // Of a poll, which is alone.
    std::string label;       // Of what its helper thread makes next.
  };

  void Schedule(const std::shared_ptr<Flight>& flight);
  // Runs the next op of a flight.
  void Step(const std::shared_ptr<Flight>& flight);
  bool HasOpcode(const Op& op) const {
    return CanBeQueued(op.kind) &&
           (op.kind != OpKind::kFtruncate || options_.can_queue_truncate);
  }
  bool HasOpcodes(absl::Span<const Op> chain) const;
  bool Severs(const Flight& flight, const Op& op, int32_t result) const;
  // Runs an op with what others and faults do to it. *takes_tail: the ops behind it do
  // not run either.
  int32_t Run(const Op& op, bool is_queued, bool is_behind_failure, bool* takes_tail);
  int32_t Carry(const Op& op, bool is_queued);
  int32_t CarryOrLabel(const Op& op, bool is_queued);
  int32_t Poll(const Op& op);
  // Whether poll(2) would return at once.
  bool IsReady(const Op& op) const;
  int32_t OpenFile(const Op& op);
  int32_t CloseFile(const Op& op);
  OpenFilePtr FileOf(const FileRef& file) const;
  // What an op refers to; see SimOpContext::inode.
  InodePtr InodeOf(const Op& op) const;
  void TakeTime();

  SimWorld* const world_;
  const SimKernelOptions options_;
  const int number_;
  std::vector<OpenFilePtr> slots_;
  int in_flight_ = 0;        // Chains and tasks.
  int tasks_in_flight_ = 0;  // They need no room.
  std::atomic<bool> is_woken_ = false;
  std::vector<ChainResults> settled_;
  // Tasks of helper threads, which are run by Wait(): in the middle of what a worker does
  // they could not wait for its locks, with one thread for all.
  std::vector<std::pair<ChainId, Task*>> tasks_due_;
  std::string own_label_;             // Of what the kernel's own thread makes next.
  std::string* label_ = &own_label_;  // The same, of the thread that runs an op.
  bool has_labelled_ = false;
  ThreadWaits waits_;
  KernelCounters counters_;
};

}  // namespace ringcp

#endif  // RINGCP_TESTS_SIMULATION_SIM_KERNEL_H_

#include "tests/fake_kernel.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/check.h"
#include "core/kernel/system_calls.h"

namespace ringcp {

FakeKernel::FakeKernel(const FakeKernelOptions& options)
    : options_(options), random_(options.seed), slots_(options.slots, -1) {}

FakeKernel::~FakeKernel() {
  for (const int fd : slots_) {
    if (fd >= 0) close(fd);
  }
}

int FakeKernel::slots_open() const {
  return static_cast<int>(
      std::count_if(slots_.begin(), slots_.end(), [](int fd) { return fd >= 0; }));
}

ChainResults FakeKernel::RunAtOnce(ChainId id, absl::Span<const Op> chain) {
  for (const Op& op : chain) RINGCP_CHECK(!op.file.is_slot());
  counters_.at_once += static_cast<int64_t>(chain.size());
  return RunChain(id, chain, [this](const Op& op) { return RunWithFaults(op); });
}

bool FakeKernel::Queue(ChainId id, absl::Span<const Op> chain) {
  RINGCP_CHECK(!chain.empty() && chain.size() <= Chain::kOpsMax);
  RINGCP_CHECK(chain.back().tie == Tie::kNone);
  for (const Op& op : chain) {
    RINGCP_CHECK(!op.at_once);
    RINGCP_CHECK(!op.file.is_slot() || (op.file.slot() >= 0 && op.file.slot() < slots()));
  }
  if (chains_in_flight() >= options_.chains_max) return false;
  if (chain[0].kind == OpKind::kPoll) {
    RINGCP_CHECK(chain.size() == 1);
    QueuePoll(id, chain[0]);
    return true;
  }
  Flight flight;
  flight.settled.id = id;
  flight.settled.size = static_cast<int>(chain.size());
  std::copy(chain.begin(), chain.end(), flight.ops.begin());
  flights_.push_back(flight);
  ++counters_.chains;
  counters_.sqes += static_cast<int64_t>(chain.size());
  counters_.linked += static_cast<int64_t>(chain.size()) - 1;
  return true;
}

void FakeKernel::Wait(absl::Duration timeout, std::vector<ChainResults>* settled) {
  if (flights_.empty()) return Await(timeout, settled);
  if (polls_queued() > 0) Await(absl::ZeroDuration(), settled);
  ++counters_.enters;
  size_t to_settle = 1 + random_() % flights_.size();
  while (to_settle > 0) {
    Flight& flight = flights_[random_() % flights_.size()];
    Step(&flight);
    if (flight.position < flight.settled.size) continue;
    settled->push_back(flight.settled);
    std::swap(flight, flights_.back());
    flights_.pop_back();
    --to_settle;
  }
}

void FakeKernel::Step(Flight* flight) {
  const Op& op = flight->ops[flight->position];
  const int32_t result = flight->severed ? -ECANCELED : RunWithFaults(op);
  flight->settled.results_array[flight->position++] = result;
  if (op.tie == Tie::kSoft && Severs(op, result)) flight->severed = true;
}

bool FakeKernel::Severs(const Op& op, int32_t result) const {
  switch (op.kind) {
    case OpKind::kStatx:
    case OpKind::kUnlinkAt:
      return result < 0 && options_.failed_path_op_severs;
    case OpKind::kRead:
    case OpKind::kWrite:
      return result < 0 || static_cast<uint32_t>(result) < op.io.length;
    default:
      return result < 0;
  }
}

int32_t FakeKernel::RunWithFaults(const Op& op) {
  std::optional<int32_t> fault;
  if (faults_) fault = faults_(static_cast<int64_t>(history_.size()), op);
  Op to_run = op;
  if (fault >= 0 && (op.kind == OpKind::kRead || op.kind == OpKind::kWrite)) {
    to_run.io.length = std::min(op.io.length, static_cast<uint32_t>(*fault));
  }
  if (fault >= 0 && op.kind == OpKind::kCopyRange) {
    to_run.range.length = std::min(op.range.length, static_cast<uint32_t>(*fault));
  }
  const bool fails = fault.has_value() && *fault < 0;
  int32_t result = 0;
  if (!fails || op.kind == OpKind::kClose) result = Run(to_run);
  if (fails) result = *fault;
  history_.push_back({op, result});
  return result;
}

bool FakeKernel::IsBehindSizeTold(const Op& op) const {
  return op.kind == OpKind::kRead && !op.at_once && options_.size_told_max.has_value() &&
         op.io.offset >= *options_.size_told_max;
}

int32_t FakeKernel::Run(Op op) {
  if (IsBehindSizeTold(op)) return 0;
  if (op.kind == OpKind::kInstallDescriptor && !options_.can_install_descriptor) {
    return -EINVAL;
  }
  if (!op.file.is_slot()) {
    const int32_t result = RunWithSystemCall(op);
    if (options_.size_told_max.has_value() && op.kind == OpKind::kStatx) {
      op.stat.result->stx_size =
          std::min<uint64_t>(op.stat.result->stx_size, *options_.size_told_max);
    }
    return result;
  }
  int& slot = slots_[op.file.slot()];
  op.file = FileRef::Descriptor(slot);
  if (op.kind == OpKind::kOpenAt) {
    const int32_t opened = RunWithSystemCall(op);
    // As in io_uring, the file that was in the slot is closed.
    if (opened >= 0 && slot >= 0) close(slot);
    if (opened >= 0) slot = opened;
    return std::min(opened, 0);
  }
  if (slot < 0) return -EBADF;
  if (op.kind == OpKind::kInstallDescriptor) {
    const int fd = fcntl(slot, F_DUPFD_CLOEXEC, 0);
    return fd >= 0 ? fd : -errno;
  }
  if (op.kind == OpKind::kClose) slot = -1;
  return RunWithSystemCall(op);
}

}  // namespace ringcp

#include "core/kernel/syscall_kernel.h"

#include <unistd.h>

#include <cerrno>

#include "core/base/check.h"
#include "core/kernel/system_calls.h"

namespace ringcp {
namespace {

// How many chains may wait to be handed back. Their results are there already, so this
// only bounds the list.
constexpr int kChainsMax = 1024;

}  // namespace

SyscallKernel::SyscallKernel(int slots) : slots_(slots, -1) {}

SyscallKernel::~SyscallKernel() {
  for (const int fd : slots_) {
    if (fd >= 0) close(fd);
  }
}

int32_t SyscallKernel::Run(Op op) {
  ++counters_.at_once;
  if (!op.file.is_slot()) return RunTimed(op);
  RINGCP_CHECK(op.file.slot() >= 0 && op.file.slot() < slots());
  int& slot = slots_[op.file.slot()];
  op.file = FileRef::Descriptor(slot);
  if (op.kind == OpKind::kOpenAt) {
    // What was in the slot is closed, as by io_uring.
    if (slot >= 0) close(slot);
    slot = RunTimed(op);
    return slot >= 0 ? 0 : slot;
  }
  if (slot < 0) return -EBADF;
  if (op.kind == OpKind::kClose) slot = -1;
  return RunTimed(op);
}

ChainResults SyscallKernel::RunAtOnce(ChainId id, absl::Span<const Op> chain) {
  counters_.at_once += static_cast<int64_t>(chain.size());
  return RunChain(id, chain, [this](const Op& op) { return RunTimed(op); });
}

bool SyscallKernel::Queue(ChainId id, absl::Span<const Op> chain) {
  if (chains_in_flight() >= kChainsMax) return false;
  ++counters_.chains;
  if (chain[0].kind == OpKind::kPoll) {
    RINGCP_CHECK(chain.size() == 1);
    ++counters_.at_once;
    QueuePoll(id, chain[0]);
    return true;
  }
  settled_.push_back(RunChain(id, chain, [this](const Op& op) { return Run(op); }));
  return true;
}

void SyscallKernel::Wait(absl::Duration timeout, std::vector<ChainResults>* settled) {
  if (!settled_.empty()) timeout = absl::ZeroDuration();
  if (settled_.empty() || polls_queued() > 0) Await(timeout, settled);
  settled->insert(settled->end(), settled_.begin(), settled_.end());
  settled_.clear();
}

}  // namespace ringcp

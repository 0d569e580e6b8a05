#include "core/kernel/uring_kernel.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <initializer_list>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/kernel/call_side.h"
#include "core/kernel/preloaded_libraries.h"
#include "core/kernel/process.h"
#include "core/kernel/security_labels.h"
#include "core/kernel/system_calls.h"
#include "core/kernel/uring.h"
#include "core/kernel/waited.h"

namespace ringcp {
namespace {

absl::Status SetupError(const char* call, int error_number) {
  const char* cause = "";
  switch (error_number) {
    case EPERM:
    case EACCES:
      cause = " (a container's seccomp profile or kernel.io_uring_disabled forbids it)";
      break;
    case ENOSYS:
      cause = " (this kernel has no io_uring)";
      break;
    case ENOMEM:
      cause = " (the limit on locked memory is too small: see ulimit -l)";
      break;
    case EMFILE:
    case ENFILE:
      cause = " (too many open files: see ulimit -n)";
      break;
    case EINVAL:
      cause = " (this kernel's io_uring is too old)";
      break;
    default:
      break;
  }
  return absl::UnavailableError(
      absl::StrCat(call, ": ", std::strerror(error_number), cause));
}

bool IsQueued(OpKind kind, bool can_truncate) {
  return CanBeQueued(kind) && (kind != OpKind::kFtruncate || can_truncate);
}

bool Supports(const io_uring_probe* probe, std::initializer_list<int> opcodes) {
  return std::all_of(opcodes.begin(), opcodes.end(), [&](int opcode) {
    return io_uring_opcode_supported(probe, opcode) != 0;
  });
}

}  // namespace

absl::StatusOr<std::unique_ptr<UringKernel>> UringKernel::Create(
    const UringParameters& params) {
  if (LibrariesArePreloaded()) {
    return absl::UnavailableError(
        "io_uring would go past the libraries that LD_PRELOAD names");
  }
  auto uring = std::make_unique<Uring>();
  io_uring* ring = &uring->ring;
  int result = uring->Init(params.entries, params.sqpoll ? IORING_SETUP_SQPOLL : 0);
  if (result < 0) return SetupError("io_uring_setup", -result);
  // Without this feature (Linux 5.17) a slot is looked up when the chain is submitted,
  // before the open that fills the slot has run.
  if ((ring->features & IORING_FEAT_LINKED_FILE) == 0) {
    return absl::UnavailableError(
        "io_uring here cannot open and use a file in one chain (it takes Linux 5.17)");
  }
  io_uring_probe* probe = io_uring_get_probe_ring(ring);
  if (probe == nullptr) {
    return absl::UnavailableError("io_uring does not tell what it can do");
  }
  const bool has_ops =
      Supports(probe, {IORING_OP_OPENAT, IORING_OP_STATX, IORING_OP_READ, IORING_OP_WRITE,
                       IORING_OP_CLOSE, IORING_OP_UNLINKAT, IORING_OP_FALLOCATE,
                       IORING_OP_SYNC_FILE_RANGE, IORING_OP_FADVISE, IORING_OP_FGETXATTR,
                       IORING_OP_FSETXATTR});
  const bool can_install = Supports(probe, {kOpFixedFdInstall});
  const bool can_truncate = Supports(probe, {kOpFtruncate});
  io_uring_free_probe(probe);
  if (!has_ops) {
    return absl::UnavailableError("io_uring here lacks an operation");
  }
  result = io_uring_register_files_sparse(ring, params.slots);
  if (result < 0) return SetupError("io_uring_register (files)", -result);
  uring->has_slots = true;
  result = uring->LimitWorkers(WaitLimits().kernel_workers_max);
  if (result < 0) return SetupError("io_uring_register (workers)", -result);
  if (!StartsWorkers(ring)) {
    return absl::UnavailableError(
        "io_uring here can't start kernel threads (ulimit -u or a control group's "
        "pids.max allows no more)");
  }
  std::unique_ptr<Uring> polled;
  if (params.iopoll) {
    polled = std::make_unique<Uring>();
    result = polled->Init(params.entries, IORING_SETUP_IOPOLL);
    if (result < 0) return SetupError("io_uring_setup (polled)", -result);
  }
  return std::unique_ptr<UringKernel>(new UringKernel(std::move(uring), std::move(polled),
                                                      params, can_install, can_truncate));
}

UringKernel::UringKernel(std::unique_ptr<Uring> uring, std::unique_ptr<Uring> polled,
                         const UringParameters& params, bool can_install_descriptor,
                         bool can_queue_truncate)
    : uring_(std::move(uring)),
      polled_(std::move(polled)),
      slots_(params.slots),
      call_time_(absl::FromChrono(SystemCallTime())),
      can_install_descriptor_(can_install_descriptor),
      can_queue_truncate_(can_queue_truncate),
      chains_(uring_->ops_max + (polled_ != nullptr ? polled_->ops_max : 0)),
      helpers_(this, &task_choosers_, wake_up()) {
  if (params.sqpoll) {
    steps_.resize(static_cast<size_t>(chains_.capacity()) * Chain::kOpsMax);
  }
}

UringKernel::~UringKernel() { RINGCP_CHECK(chains_.in_flight() == 0); }

bool UringKernel::HasOpcodes(absl::Span<const Op> chain) const {
  return std::all_of(chain.begin(), chain.end(), [this](const Op& op) {
    return IsQueued(op.kind, can_queue_truncate_);
  });
}

void UringKernel::CountAtOnce(absl::Span<const Op> chain) {
  counters_.at_once += static_cast<int64_t>(chain.size());
  for (const Op& op : chain) {
    const bool could_be_queued = !op.by_call && IsQueued(op.kind, can_queue_truncate_);
    counters_.at_once_with_opcode += could_be_queued ? 1 : 0;
  }
}

ChainResults UringKernel::RunAtOnce(ChainId id, absl::Span<const Op> chain) {
  for (const Op& op : chain) RINGCP_CHECK(!op.file.is_slot());
  CountAtOnce(chain);
  return RunChain(id, chain, [this](const Op& op) { return RunTimed(op); });
}

Submitted UringKernel::Submit(ChainId id, absl::Span<const Op> chain,
                              ChainResults* results) {
  if (chain[0].at_once) {
    const bool may_queue = chain[0].may_ask && status_.ok() && HasOpcodes(chain);
    const bool asks = may_queue && CanBeAsked(chain[0]);
    if (may_queue && !asks) {
      if (call_chooser_.Next() && QueueCall(id, chain[0])) return Submitted::kQueued;
      RunAndLearn([&] { *results = RunAtOnce(id, chain); }, &call_chooser_);
      return Submitted::kCarriedOut;
    }
    const int32_t answer = asks ? asked_calls_.Run(chain[0]) : 0;
    if (answer == AskedCalls::kWouldWait && Queue(id, WithoutMarks(chain).ops())) {
      return Submitted::kQueued;
    }
    if (!asks || answer == AskedCalls::kWouldWait) {
      *results = RunAtOnce(id, chain);
      return Submitted::kCarriedOut;
    }
    CountAtOnce(chain);
    *results = RunChain(id, chain, [&](const Op& op) {
      return &op == chain.data() ? answer : RunTimed(op);
    });
    return Submitted::kCarriedOut;
  }
  const bool waits = std::any_of(chain.begin(), chain.end(),
                                 [](const Op& op) { return AlwaysWaits(op.kind); });
  if (!HasOpcodes(chain) && !waits && !chain_chooser_.Next()) {
    RunAndLearn([&] { *results = RunAtOnce(id, chain); }, &chain_chooser_);
    return Submitted::kCarriedOut;
  }
  return Queue(id, chain) ? Submitted::kQueued : Submitted::kNoRoom;
}

Submitted UringKernel::SubmitTask(ChainId id, Task* task) {
  TaskChooser& chooser = task_choosers_.For(*task);
  if (chooser.hands_over() && helpers_.CarryOut(id, task)) {
    ++counters_.tasks_by_helpers;
    return Submitted::kQueued;
  }
  if (task->is_short()) {
    RunShort(task, &chooser);
  } else {
    chooser.Run(this, task);
    has_waited_ = true;  // Perhaps.
  }
  return Submitted::kCarriedOut;
}

void UringKernel::RunShort(Task* task, TaskChooser* chooser) {
  // A look at the waits takes as long as one of the task's calls. So the thread looks
  // beforehand, and knows what the task waited for, only once one has taken long.
  const bool is_watched = short_tasks_to_watch_ > 0;
  if (is_watched) {
    --short_tasks_to_watch_;
    waits_.Skip(*this);
  }
  const SteadyTime start = Now();
  task->Run(this);
  const auto time = Now() - start;
  if (time >= kSlowCallMin) short_tasks_to_watch_ = kShortTasksToWatch;
  if (is_watched || time < kSlowCallMin) chooser->Note(waits_.Take(*this, time));
}

template <typename Run>
void UringKernel::RunAndLearn(const Run& run, HelperChooser* chooser) {
  // Most waits of the thread are in Wait(), for other chains, and must not count here.
  if (has_waited_) waits_.Skip(*this);
  has_waited_ = false;
  const SteadyTime start = Now();
  run();
  chooser->Note(waits_.Take(*this, Now() - start));
}

void UringKernel::SetWaitLimits(const WaitLimits& limits) {
  if (limits == wait_limits_) return;
  wait_limits_ = limits;
  helpers_.SetThreadsMax(limits.helper_threads_max);
  // A ring that has failed has nothing under way; what is refused stays as it was.
  uring_->LimitWorkers(limits.kernel_workers_max);
}

bool UringKernel::QueueCall(ChainId id, const Op& call) {
  if (uring_->is_sqpoll()) return false;
  if (!Queue(id, WithoutMarks(absl::MakeConstSpan(&call, 1)).ops())) return false;
  if (calls_.empty()) calls_.resize(chains_.capacity());
  calls_[entry_queued_] = call;
  return true;
}

bool UringKernel::QueueForHelper(ChainId id, absl::Span<const Op> chain) {
  // A system call would take a slot's number for a descriptor.
  for (const Op& op : chain) RINGCP_CHECK(!op.file.is_slot());
  if (helpers_.in_flight() >= chains_.capacity()) return false;
  ++counters_.chains;
  if (helpers_.CarryOut(id, chain)) {
    counters_.by_helpers += static_cast<int64_t>(chain.size());
  } else {
    carried_out_.push_back(CarryOutWithoutSlots(id, chain));
  }
  return true;
}

void UringKernel::Prepare(const Op& op, io_uring_sqe* sqe) const {
  PrepareSqe(op, sqe);
  // Linux tries to open a file that it need not make or empty while it takes in the SQE,
  // and believes that this needs no waiting if all names on the way are in memory. NFS
  // asks its server all the same, one file after the other then (seen with Linux 6.12).
  if (wait_limits_.calls_wait && op.kind == OpKind::kOpenAt) sqe->flags |= IOSQE_ASYNC;
}

bool UringKernel::Queue(ChainId id, absl::Span<const Op> chain) {
  RINGCP_CHECK(!chain.empty() && chain.size() <= Chain::kOpsMax);
  const bool is_poll = chain[0].kind == OpKind::kPoll;
  RINGCP_CHECK(!is_poll || chain.size() == 1);
  if (!status_.ok() && is_poll) {
    QueuePoll(id, chain[0]);
    return true;
  }
  if (!status_.ok()) {
    carried_out_.push_back(CarryOutWithoutSlots(id, chain));
    return true;
  }
  const int size = static_cast<int>(chain.size());
  for (const Op& op : chain) {
    RINGCP_CHECK(!op.at_once);
    RINGCP_CHECK(!IsPolled(op) || (size == 1 && !op.file.is_slot()));
  }
  if (!HasOpcodes(chain)) return QueueForHelper(id, chain);
  // The ring would make it with the label of something else.
  const bool may_mislabel =
      ThreadHasLabel() && std::any_of(chain.begin(), chain.end(), MakesNewFile);
  if (may_mislabel && ForgetLabel() != 0) {
    carried_out_.push_back(CarryOutWithoutSlots(id, chain));
    return true;
  }
  const bool is_polled = IsPolled(chain[0]) && polled_ != nullptr;
  Uring* const uring = is_polled ? polled_.get() : uring_.get();
  if (uring->is_sqpoll()) return QueueSteps(id, chain);
  if (uring->ops_outstanding + size > uring->ops_max) return false;
  // A chain must be in one submission: if the queue got full in the middle of the chain,
  // the chain would be cut in two.
  if (!uring->HasRoomFor(size)) {
    EnterToSubmit(uring);
    if (!uring->HasRoomFor(size)) return false;
  }
  const uint32_t entry = chains_.Add(id, size, TargetMask(chain));
  for (int i = 0; i < size; ++i) {
    io_uring_sqe* sqe = io_uring_get_sqe(&uring->ring);
    RINGCP_CHECK(sqe != nullptr);
    Prepare(chain[i], sqe);
    if (chain[i].tie == Tie::kSoft) sqe->flags |= IOSQE_IO_LINK;
    if (chain[i].tie == Tie::kHard) sqe->flags |= IOSQE_IO_HARDLINK;
    io_uring_sqe_set_data64(sqe, OpTag{entry, static_cast<uint8_t>(i)}.Encode());
  }
  entry_queued_ = entry;
  uring->ops_outstanding += size;
  if (is_poll) NotePoll(entry, chain[0]);
  ++counters_.chains;
  counters_.sqes += size;
  counters_.linked += size - 1;
  if (is_polled) ++counters_.polled;
  return true;
}

bool UringKernel::QueueSteps(ChainId id, absl::Span<const Op> chain) {
  // Each chain has one op in the queue, while the completion of the op before it may not
  // have been given back yet. So it takes up to two completions.
  if (chains_.in_flight() >= uring_->ops_max / 2) return false;
  const uint32_t entry =
      chains_.Add(id, static_cast<int>(chain.size()), TargetMask(chain));
  std::copy(chain.begin(), chain.end(), steps_.begin() + entry * Chain::kOpsMax);
  ++counters_.chains;
  if (chain[0].kind == OpKind::kPoll) NotePoll(entry, chain[0]);
  QueueStep({.entry = entry});
  return true;
}

void UringKernel::QueueStep(OpTag tag) {
  if (!uring_->HasRoomFor(1)) EnterToSubmit(uring_.get());
  if (!uring_->HasRoomFor(1)) {
    stalled_.push_back(tag);
    return;
  }
  io_uring_sqe* const sqe = io_uring_get_sqe(&uring_->ring);
  Prepare(steps_[tag.entry * Chain::kOpsMax + tag.position], sqe);
  io_uring_sqe_set_data64(sqe, tag.Encode());
  ++uring_->ops_outstanding;
  ++counters_.sqes;
}

void UringKernel::QueueStalledSteps() {
  std::vector<OpTag> stalled;
  stalled.swap(stalled_);
  for (const OpTag tag : stalled) QueueStep(tag);
}

void UringKernel::OnStep(OpTag tag, int32_t result, std::vector<ChainResults>* settled) {
  const Op& op = steps_[tag.entry * Chain::kOpsMax + tag.position];
  const bool is_last = chains_.NoteResult(tag, result, settled);
  if (is_last) return;
  OpTag next = {.entry = tag.entry, .position = static_cast<uint8_t>(tag.position + 1)};
  if (LetsGoOn(op, result)) return QueueStep(next);
  while (!chains_.NoteResult(next, -ECANCELED, settled)) ++next.position;
}

ChainResults UringKernel::CarryOutWithoutSlots(ChainId id, absl::Span<const Op> chain) {
  CountAtOnce(chain);
  return RunChain(id, chain, [this](const Op& op) -> int32_t {
    if (!op.file.is_slot()) return RunTimed(op);
    return op.kind == OpKind::kClose ? 0 : -EBADF;
  });
}

}  // namespace ringcp

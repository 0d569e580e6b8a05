#include "tests/simulation/sim_kernel.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/kernel/system_calls.h"
#include "tests/simulation/sim_calls.h"

namespace ringcp {
namespace {

// Of so many chains that may ask, one would have to wait.
constexpr uint64_t kAskedWaitsOneIn = 8;
constexpr absl::Duration kSlowCall = absl::Milliseconds(2);
// How soon a queued poll notices that its file is ready.
constexpr absl::Duration kPollPause = absl::Milliseconds(1);

bool IsTransfer(OpKind kind) { return kind == OpKind::kRead || kind == OpKind::kWrite; }

// Has `op`, if it moves bytes, move no more than `bytes`.
void Limit(uint32_t bytes, Op* op) {
  if (IsTransfer(op->kind)) op->io.length = std::min(op->io.length, bytes);
  if (op->kind == OpKind::kCopyRange) {
    op->range.length = std::min(op->range.length, bytes);
  }
}

}  // namespace

SimKernel::SimKernel(SimWorld* world, const SimKernelOptions& options)
    : world_(world),
      options_(options),
      number_(world->AddKernel()),
      slots_(options.slots) {}

SimKernel::~SimKernel() { RINGCP_CHECK(in_flight_ == 0); }

int SimKernel::slots_open() const {
  return static_cast<int>(std::count_if(
      slots_.begin(), slots_.end(), [](const auto& slot) { return slot != nullptr; }));
}

void SimKernel::TakeTime() {
  absl::Duration time = world_->RandomCallTime();
  if (options_.slow_call_one_in > 0 &&
      world_->RandomBelow(options_.slow_call_one_in) == 0) {
    ++waits_.waits;
    ++waits_.blocks_read;
    time += kSlowCall;
  }
  world_->AdvanceBy(time);
}

int32_t SimKernel::Do(const Op& op) {
  RINGCP_CHECK(!op.file.is_slot());
  TakeTime();
  bool takes_tail = false;
  return Run(op, /*is_queued=*/false, /*is_behind_failure=*/false, &takes_tail);
}

ChainResults SimKernel::RunAtOnce(ChainId id, absl::Span<const Op> chain) {
  for (const Op& op : chain) RINGCP_CHECK(!op.file.is_slot());
  counters_.at_once += static_cast<int64_t>(chain.size());
  for (const Op& op : chain) {
    counters_.at_once_with_opcode += HasOpcode(op) ? 1 : 0;
  }
  return RunChain(id, chain, [this](const Op& op) { return Do(op); });
}

bool SimKernel::HasOpcodes(absl::Span<const Op> chain) const {
  return std::all_of(chain.begin(), chain.end(),
                     [this](const Op& op) { return HasOpcode(op); });
}

Submitted SimKernel::Submit(ChainId id, absl::Span<const Op> chain,
                            ChainResults* results) {
  const bool is_helped =
      options_.helped_one_in > 0 && world_->RandomBelow(options_.helped_one_in) == 0;
  if (chain[0].may_ask && HasOpcodes(chain) &&
      world_->RandomBelow(kAskedWaitsOneIn) == 0) {
    if (Queue(id, WithoutMarks(chain).ops())) return Submitted::kQueued;
  }
  if (chain[0].at_once || (!HasOpcodes(chain) && !is_helped)) {
    *results = RunAtOnce(id, chain);
    return Submitted::kCarriedOut;
  }
  return Queue(id, chain) ? Submitted::kQueued : Submitted::kNoRoom;
}

Submitted SimKernel::SubmitTask(ChainId id, Task* task) {
  if (options_.helped_one_in == 0 || world_->RandomBelow(options_.helped_one_in) != 0) {
    task->Run(this);
    return Submitted::kCarriedOut;
  }
  ++in_flight_;
  ++tasks_in_flight_;
  ++counters_.tasks_by_helpers;
  world_->At(world_->now() + absl::ToChronoNanoseconds(world_->RandomLatency()),
             [this, id, task] { tasks_due_.emplace_back(id, task); });
  return Submitted::kQueued;
}

bool SimKernel::Queue(ChainId id, absl::Span<const Op> chain) {
  RINGCP_CHECK(!chain.empty() && chain.size() <= Chain::kOpsMax);
  RINGCP_CHECK(chain.back().tie == Tie::kNone);
  const bool is_by_ring = HasOpcodes(chain);
  for (const Op& op : chain) {
    RINGCP_CHECK(!op.at_once);
    RINGCP_CHECK(is_by_ring || !op.file.is_slot());
    RINGCP_CHECK(op.kind != OpKind::kPoll || chain.size() == 1);
    RINGCP_CHECK(!IsPolled(op) || (chain.size() == 1 && !op.file.is_slot()));
    RINGCP_CHECK(!op.file.is_slot() || (op.file.slot() >= 0 && op.file.slot() < slots()));
  }
  if (in_flight_ - tasks_in_flight_ >= options_.chains_max) return false;
  const auto flight = std::make_shared<Flight>();
  flight->chain.id = id;
  flight->chain.size = static_cast<int>(chain.size());
  std::copy(chain.begin(), chain.end(), flight->ops.begin());
  if (chain[0].kind == OpKind::kPoll) {
    flight->poll_until =
        world_->now() + std::chrono::milliseconds(chain[0].poll.milliseconds_max);
  }
  ++in_flight_;
  ++counters_.chains;
  flight->is_helped = !is_by_ring;
  (is_by_ring ? counters_.sqes : counters_.by_helpers) +=
      static_cast<int64_t>(chain.size());
  counters_.linked += is_by_ring ? static_cast<int64_t>(chain.size()) - 1 : 0;
  Schedule(flight);
  return true;
}

void SimKernel::Schedule(const std::shared_ptr<Flight>& flight) {
  const auto latency = absl::ToChronoNanoseconds(world_->RandomLatency());
  world_->At(world_->now() + latency, [this, flight] { Step(flight); });
}

void SimKernel::Step(const std::shared_ptr<Flight>& flight) {
  ChainResults& chain = flight->chain;
  const Op& op = flight->ops[flight->position];
  if (op.kind == OpKind::kPoll && !IsReady(op) && world_->now() < flight->poll_until) {
    const SteadyTime next = world_->now() + absl::ToChronoNanoseconds(kPollPause);
    world_->At(std::min(next, flight->poll_until), [this, flight] { Step(flight); });
    return;
  }
  bool takes_tail = false;
  // The ring would make it with the label of something else.
  RINGCP_CHECK(flight->is_helped || !MakesNewFile(op) || !has_labelled_);
  if (flight->is_helped) label_ = &flight->label;
  const int32_t result =
      Run(op, /*is_queued=*/!flight->is_helped, flight->has_failed, &takes_tail);
  label_ = &own_label_;
  chain.results_array[flight->position++] = result;
  flight->has_failed = flight->has_failed || result < 0;
  const bool is_cut = takes_tail || (op.tie == Tie::kSoft && Severs(*flight, op, result));
  if (is_cut) {
    for (; flight->position < chain.size; ++flight->position) {
      chain.results_array[flight->position] = -ECANCELED;
    }
  }
  if (flight->position < chain.size) return Schedule(flight);
  settled_.push_back(chain);
}

bool SimKernel::Severs(const Flight& flight, const Op& op, int32_t result) const {
  if (flight.is_helped) return !LetsGoOn(op, result);
  const bool is_path_op = op.kind == OpKind::kStatx || op.kind == OpKind::kUnlinkAt;
  if (is_path_op && result != -ECANCELED && !options_.failed_path_op_severs) return false;
  return result < 0 ||
         (IsTransfer(op.kind) && static_cast<uint32_t>(result) < op.io.length);
}

void SimKernel::Wait(absl::Duration timeout, std::vector<ChainResults>* settled) {
  ++counters_.enters;
  if (options_.wait_advances) {
    const SteadyTime deadline = world_->now() + absl::ToChronoNanoseconds(timeout);
    while (!has_settled() && !is_woken_ && world_->now() < deadline) {
      const std::optional<SteadyTime> next = world_->NextEvent();
      world_->AdvanceTo(std::min(next.value_or(deadline), deadline));
    }
  }
  is_woken_ = false;
  std::vector<std::pair<ChainId, Task*>> tasks;
  tasks.swap(tasks_due_);
  for (const auto& [id, task] : tasks) {
    task->Run(this);
    ChainResults& ended = settled_.emplace_back();
    ended.id = id;
    --tasks_in_flight_;
  }
  in_flight_ -= static_cast<int>(settled_.size());
  settled->insert(settled->end(), settled_.begin(), settled_.end());
  settled_.clear();
}

int32_t SimKernel::Run(const Op& op, bool is_queued, bool is_behind_failure,
                       bool* takes_tail) {
  SimOpContext context = {.kernel = number_,
                          .is_queued = is_queued,
                          .is_behind_failure = is_behind_failure,
                          .op = &op,
                          .inode = InodeOf(op)};
  const SimFault fault = world_->Before(&context);
  const bool may_not_run = is_queued && !is_behind_failure;
  Op to_run = op;
  int32_t result = 0;
  using Kind = SimFault::Kind;
  switch (fault.kind) {
    case Kind::kNone:
      result = Carry(op, is_queued);
      break;
    case Kind::kFails:
      if (op.kind == OpKind::kClose) Carry(op, is_queued);
      if (op.kind == OpKind::kLabelNext || MakesNewFile(op)) label_->clear();
      result = -fault.error_number;
      break;
    case Kind::kDoesNotRun:
    case Kind::kTailDoesNotRun:
      result = may_not_run ? -ECANCELED : Carry(op, is_queued);
      *takes_tail = may_not_run && fault.kind == Kind::kTailDoesNotRun;
      break;
    case Kind::kTransfersLess:
    case Kind::kStoresPartAndFails:
    case Kind::kFailsAtClose:
      Limit(fault.bytes, &to_run);
      result = Carry(to_run, is_queued);
      if (result < 0) break;
      if (fault.kind == Kind::kStoresPartAndFails &&
          (op.kind == OpKind::kWrite || op.kind == OpKind::kCopyRange)) {
        result = -fault.error_number;
      }
      if (op.kind != OpKind::kWrite) break;
      if (fault.kind == Kind::kFailsAtClose) {
        context.inode->error_at_close = fault.error_number;
        result = static_cast<int32_t>(op.io.length);
      }
      break;
  }
  world_->Log(context, result, fault.kind != Kind::kNone);
  return result;
}

int32_t SimKernel::Carry(const Op& op, bool is_queued) {
  if (!MakesNewFile(op)) return CarryOrLabel(op, is_queued);
  SimFileSystem* const files = world_->process()->files();
  files->set_label_of_made(std::exchange(*label_, ""));
  const int32_t result = CarryOrLabel(op, is_queued);
  files->set_label_of_made("");
  return result;
}

int32_t SimKernel::CarryOrLabel(const Op& op, bool is_queued) {
  switch (op.kind) {
    case OpKind::kLabelNext:
      if (op.label.text == nullptr) return -EOPNOTSUPP;  // There is no policy.
      *label_ = op.label.text;
      has_labelled_ = has_labelled_ || !label_->empty();
      return 0;
    case OpKind::kOpenAt:
      return OpenFile(op);
    case OpKind::kClose:
      return CloseFile(op);
    case OpKind::kInstallDescriptor: {
      if (!options_.can_install_descriptor) return -EINVAL;
      const OpenFilePtr file = FileOf(op.file);
      return file == nullptr ? -EBADF : world_->process()->Install(file);
    }
    case OpKind::kPoll:
      return is_queued ? int32_t{IsReady(op)} : Poll(op);
    default:
      return CallSimulated(world_->process(), op, FileOf(op.file), is_queued);
  }
}

bool SimKernel::IsReady(const Op& op) const {
  return CallSimulated(world_->process(), op, FileOf(op.file), true) != 0;
}

int32_t SimKernel::Poll(const Op& op) {
  const SteadyTime deadline =
      world_->now() +
      absl::ToChronoNanoseconds(absl::Milliseconds(op.poll.milliseconds_max));
  while (true) {
    const int32_t ready = CallSimulated(world_->process(), op, FileOf(op.file), false);
    if (ready != 0 || world_->now() >= deadline) return ready;
    world_->AdvanceTo(std::min(world_->NextEvent().value_or(deadline), deadline));
  }
}

int32_t SimKernel::OpenFile(const Op& op) {
  // Checked first, so that no file is made in vain.
  if (!op.file.is_slot() && world_->process()->is_full()) return -EMFILE;
  OpenFilePtr opened;
  const int32_t result = world_->process()->Open(op.open.directory, op.open.name,
                                                 op.open.flags, op.open.mode, &opened);
  if (result != 0) return result;
  if (!op.file.is_slot()) return world_->process()->Install(opened);
  slots_[op.file.slot()] = opened;  // This closes what was there.
  return 0;
}

int32_t SimKernel::CloseFile(const Op& op) {
  if (!op.file.is_slot()) return world_->process()->Close(op.file.descriptor());
  // Closing a slot does not flush the file, so it reports no error.
  return std::exchange(slots_[op.file.slot()], nullptr) == nullptr ? -EBADF : 0;
}

InodePtr SimKernel::InodeOf(const Op& op) const {
  const auto& descriptors = world_->process()->descriptors();
  const auto of_descriptor = [&](int fd) -> InodePtr {
    const auto open = descriptors.find(fd);
    return open == descriptors.end() ? nullptr : open->second->inode;
  };
  const auto of_name = [&](int directory, const char* name, bool follow) -> InodePtr {
    const SimFileSystem& files = *world_->process()->files();
    InodePtr start = directory == AT_FDCWD ? files.root() : of_descriptor(directory);
    if (*name == '\0') return start;
    InodePtr found;
    SimFileSystem::Place place;
    files.Find(start, name, follow, &found, &place);
    return found != nullptr ? found : place.directory;
  };
  switch (op.kind) {
    case OpKind::kOpenAt:
      return of_name(op.open.directory, op.open.name, (op.open.flags & O_NOFOLLOW) == 0);
    case OpKind::kStatx:
      return of_name(op.stat.directory, op.stat.name,
                     (op.stat.flags & AT_SYMLINK_NOFOLLOW) == 0);
    case OpKind::kUnlinkAt:
    case OpKind::kMakeDirectory:
    case OpKind::kMakeNode:
      return of_name(op.name.directory, op.name.name, /*follow=*/false);
    case OpKind::kMakeSymlink:
      return of_name(op.symlink.directory, op.symlink.name, /*follow=*/false);
    case OpKind::kMakeLink:
    case OpKind::kRename:
      return of_name(op.two_names.old_directory, op.two_names.old_name, false);
    default:
      break;
  }
  if (op.file.is_slot()) {
    const OpenFilePtr& file = slots_[op.file.slot()];
    return file == nullptr ? nullptr : file->inode;
  }
  return of_descriptor(op.file.descriptor());
}

std::string SimKernel::Leaks() const {
  std::string leaks;
  if (in_flight_ > 0) absl::StrAppend(&leaks, in_flight_, " chains are in flight\n");
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] == nullptr) continue;
    absl::StrAppend(&leaks, "slot ", i, " has ", slots_[i]->path, " open\n");
  }
  for (const auto& [fd, file] : world_->process()->descriptors()) {
    absl::StrAppend(&leaks, "descriptor ", fd, " has ", file->path, " open\n");
  }
  const int64_t wild = world_->process()->wild_uses();
  if (wild > 0) absl::StrAppend(&leaks, wild, " uses of descriptors not open\n");
  return leaks;
}

OpenFilePtr SimKernel::FileOf(const FileRef& file) const {
  if (file.is_slot()) return slots_[file.slot()];
  // Without a file poll(2) only waits.
  return file.descriptor() < 0 ? nullptr : world_->process()->Get(file.descriptor());
}

}  // namespace ringcp

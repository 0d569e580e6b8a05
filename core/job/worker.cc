#include "core/job/worker.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/file_identity.h"
#include "core/file/block_pump.h"
#include "core/file/hard_link.h"
#include "core/file/node_copy.h"
#include "core/file/stream_copy.h"
#include "core/file/target_decision.h"

namespace ringcp {
namespace {

// Chains are named by the copy and the lane that they belong to.
ChainId IdOf(int index, int lane) {
  return {static_cast<uint32_t>(index * kLanesMax + lane)};
}
int IndexOf(ChainId id) { return static_cast<int>(id.value) / kLanesMax; }
int LaneOf(ChainId id) { return static_cast<int>(id.value) % kLanesMax; }

}  // namespace

Worker::Limits Worker::LimitsFor(const Tuning& tuning, int workers, int files_max) {
  RINGCP_CHECK(workers > 0);
  Limits limits;
  if (tuning.block_size_bytes != 0) {
    limits.block_bytes = static_cast<uint32_t>(tuning.block_size_bytes);
  }
  const auto blocks = static_cast<int>(kBlockMemoryMax / limits.block_bytes / workers);
  limits.extra_blocks = std::clamp(blocks / kExtraBlocksShare, 1, kExtraBlocks);
  const int by_files = files_max / 4 / kFilesPerCopy / workers;
  const int most = tuning.queue_depth != 0 ? tuning.queue_depth : kCopiesInFlightMax;
  const int least = tuning.block_size_bytes != 0 ? 1 : std::min(kCopiesInFlightMin, most);
  limits.copies_in_flight = std::clamp(blocks - limits.extra_blocks, least, most);
  limits.copies_in_flight = std::clamp(by_files, 1, limits.copies_in_flight);
  limits.copies_in_flight_warm =
      tuning.queue_depth != 0
          ? limits.copies_in_flight
          : std::min(limits.copies_in_flight_warm, limits.copies_in_flight);
  return limits;
}

Worker::Worker(const SharedWork& work, Kernel* kernel, const Limits& limits,
               BlockPool* pool, EngineCounters* counters)
    : work_(work),
      claims_(work.claims, kernel),
      kernel_(kernel),
      limits_(limits),
      counters_(counters),
      pool_(pool),
      at_once_chooser_(work.warm_calls) {
  work_.policy.claims = &claims_;
  work_.policy.kernel = kernel;
  RINGCP_CHECK(kernel->slots() >= limits.copies_in_flight);
  for (int i = 0; i < limits.copies_in_flight; ++i) {
    flights_.emplace_back(pool, counters);
    free_flights_.push_back(limits.copies_in_flight - 1 - i);
  }
}

Worker::~Worker() = default;

absl::Status Worker::Run() {
  while (Step()) Wait();
  return kernel_->status();
}

bool Worker::Step() {
  idle_max_ = absl::ZeroDuration();
  if (phase_ == Phase::kEntries && CopyEntries()) phase_ = Phase::kAlone;
  if (phase_ == Phase::kAlone && CopyAlone()) phase_ = Phase::kStreams;
  if (phase_ == Phase::kStreams && CopyStreams()) phase_ = Phase::kHelp;
  if (phase_ == Phase::kHelp && HelpOthers()) phase_ = Phase::kEnded;
  if (phase_ == Phase::kEnded) CountKernel();
  return phase_ != Phase::kEnded;
}

bool Worker::CopyEntries() {
  TakeInSettled();
  if (!stopping_ && cancelled()) {
    stopping_ = true;
    StopCopies();
  }
  if (more_to_walk_ || !to_copy_.empty()) Fill();
  if (!more_to_walk_ && idle()) {
    stopping_ = false;
    return true;
  }
  if (more_to_start_ || !blocks_at_once_.empty()) return false;
  idle_max_ = kPollInterval;
  if (!awaiting_targets_.empty()) {
    claims_.WakeOnRelease();
    idle_max_ = kTargetPollInterval;
  }
  return false;
}

bool Worker::CopyAlone() {
  for (;;) {
    if (copies_alone_ && !CopyEntries()) return false;
    if (alone_.empty()) {
      if (copies_alone_) next_alone_ = kernel_->Now() + kOpensAlonePause;
      copies_alone_ = false;
      if (to_open_alone_.empty() || opens_alone_ == kOpensAloneMax) return true;
      if (const auto now = kernel_->Now(); now < next_alone_ && !cancelled()) {
        idle_max_ = absl::FromChrono(next_alone_ - now);
        return false;
      }
      alone_.swap(to_open_alone_);
      opens_again_ = ++opens_alone_ < kOpensAloneMax;
    }
    copies_alone_ = true;
    to_copy_.push_back(std::move(alone_.front()));
    alone_.pop_front();
  }
}

bool Worker::CopyStreams() {
  for (; !streams_.empty(); streams_.pop_front()) {
    const WaitingEntry& entry = streams_.front();
    if (stream_ == nullptr) {
      stream_ = std::make_unique<StreamCopy>(work_.policy, NamesOf(entry),
                                             *work_.cancelled, counters_);
    }
    if (!stream_->Step()) {
      idle_max_ = stream_->waiting().max;
      return false;
    }
    OnStreamEnded(entry, *stream_);
    stream_.reset();
  }
  return true;
}

bool Worker::OpensAlone(const FileCopy& copy) const {
  return opens_again_ && copy.failed_to_open() && copy.failure().error_number == EINVAL &&
         !cancelled();
}

void Worker::StopCopies() {
  more_to_start_ = false;
  more_to_walk_ = false;
  work_.walk->Stop(kernel_);
  while (!batch_.entries().empty()) {
    work_.walk->Take(&batch_);
    work_.walk->Release(kernel_, batch_.directory());
  }
  for (Flight& flight : flights_) {
    if (flight.active) flight.copy.Stop();
  }
  for (const WaitingEntry& entry : to_copy_) Release(entry);
  to_copy_.clear();
}

void Worker::TakeInSettled() {
  for (const ChainResults& settled : settled_) OnSettled(settled);
  settled_.clear();
  CopyBlocksAtOnce();
  ResumeAwaiting();
  RetryTargets();
  QueueBacklog();
}

void Worker::RetryTargets() {
  std::vector<int> awaiting;
  awaiting.swap(awaiting_targets_);
  for (const int index : awaiting) {
    next_.size = 0;
    flights_[index].copy.RetryTarget(&next_);
    Continue(index);
  }
}

void Worker::CountKernel() {
  const KernelCounters now = kernel_->counters();
  counters_->chains.Add(now.chains - ring_counted_.chains);
  counters_->sqes.Add(now.sqes - ring_counted_.sqes);
  counters_->linked.Add(now.linked - ring_counted_.linked);
  counters_->ops_at_once.Add(now.at_once - ring_counted_.at_once);
  counters_->ops_at_once_with_opcode.Add(now.at_once_with_opcode -
                                         ring_counted_.at_once_with_opcode);
  counters_->polled.Add(now.polled - ring_counted_.polled);
  counters_->enters.Add(now.enters - ring_counted_.enters);
  ring_counted_ = now;
}

void Worker::Wait() {
  if (stream_ != nullptr && stream_->waiting().fd >= 0) {
    const StreamCopy::Waiting& waiting = stream_->waiting();
    kernel_->Do(Poll(waiting.fd, waiting.events,
                     static_cast<int>(absl::ToInt64Milliseconds(waiting.max))));
    return;
  }
  kernel_->Wait(idle_max_, &settled_);
  CountKernel();
  if (ring_failed_ || kernel_->status().ok()) return;
  ring_failed_ = true;
  // Before any of them is told its results: none may take another block, to which the
  // kernel may still write.
  for (Flight& flight : flights_) {
    if (flight.active) flight.copy.Stop();
  }
}

void Worker::ResumeAwaiting() {
  std::vector<int> awaiting;
  awaiting.swap(awaiting_);
  for (const int index : awaiting) {
    next_.size = 0;
    flights_[index].copy.Resume(&next_);
    Continue(index);
  }
}

bool Worker::HelpOthers() {
  for (;;) {
    if (helped_ == nullptr) {
      // The kernel may still write to blocks that would be taken for it.
      if (ring_failed_) {
        work_.shared_files->OneWorkerLess();
        return true;
      }
      switch (work_.shared_files->Join(kernel_, &helped_)) {
        case SharedFiles::Joined::kFile:
          break;
        case SharedFiles::Joined::kNothingYet:
          idle_max_ = kPollInterval;
          return false;
        case SharedFiles::Joined::kOver:
          return true;
      }
      BeginToHelp();
    }
    if (!Help()) return false;
    work_.shared_files->Leave(helped_);
    helped_ = nullptr;
  }
}

void Worker::BeginToHelp() {
  help_.emplace(pool_, counters_);
  if (work_.policy.page_cache != PageCache::kKeep) {
    help_->SetUncachedIo(work_.policy.uncached_io);
  }
  help_->Start(helped_);
  WaitSinceLastCall();  // For other files.
  // Only what is in memory is offered.
  helps_at_once_ = work_.warm_calls == CallsAtOnce::kAll &&
                   work_.policy.page_cache == PageCache::kKeep;
}

bool Worker::Help() {
  const auto settle = [this](const ChainResults& settled) {
    const absl::Span<const int32_t> results = settled.results();
    help_->Settle(LaneOf(settled.id), results[0], results.back());
  };
  for (const ChainResults& settled : settled_) settle(settled);
  settled_.clear();
  QueueBacklog();
  const auto end = kernel_->Now() + kRowTime;
  do {
    if (cancelled()) help_->Stop();
    next_.size = 0;
    help_->SetOneLane(helps_at_once_);
    help_->Advance(FileRef::Descriptor(helped_->source_fd()),
                   FileRef::Descriptor(helped_->target_fd()), &next_);
    if (!help_->busy()) return true;
    if (!helps_at_once_) {
      QueueChains(/*index=*/0);
      idle_max_ = kPollInterval;
      return false;
    }
    auto& [lane, chain] = next_.chains[0];
    chain.SetAtOnce();
    bool was_read = false;
    settle(RunBlock(IdOf(/*index=*/0, lane), chain, &was_read));
    if (was_read) helps_at_once_ = false;
  } while (kernel_->Now() < end);
  return false;
}

AtOnceChooser::Wait Worker::WaitSinceLastCall() {
  const ThreadWaits now = kernel_->Waits();
  const bool waited = now.waits != waits_seen_.waits;
  const bool read = now.blocks_read != waits_seen_.blocks_read;
  waits_seen_ = now;
  return !waited ? AtOnceChooser::Wait::kNone
         : read  ? AtOnceChooser::Wait::kDevice
                 : AtOnceChooser::Wait::kOther;
}

void Worker::Fill() {
  more_to_start_ = false;
  work_.walk->ShareIfWanted(&batch_);
  WaitSinceLastCall();  // For completions, most likely; that does not count.
  for (int starts = 0; may_start(); ++starts) {
    if (starts == kStartsMax) {
      more_to_start_ = true;
      return;
    }
    // Links and devices take no flight: a tree of nothing else stays in this loop.
    if (cancelled()) return;
    if (!to_copy_.empty()) {
      const WaitingEntry entry = std::move(to_copy_.back());
      to_copy_.pop_back();
      Begin(entry);
      continue;
    }
    if (!batch_.entries().empty()) {
      const WalkEntry found = work_.walk->Take(&batch_);
      counters_->files_found.Add(1);
      if (found.kind == EntryKind::kRegular) {
        // In place: most names fit into what the flight's last ones took.
        const int index = TakeFlight();
        TakeEntry(found, &flights_[index].entry);
        StartFlight(index);
      } else {
        WaitingEntry entry;
        TakeEntry(found, &entry);
        Begin(entry);
      }
      continue;
    }
    const Walk::Result result = work_.walk->Next(kernel_, /*may_wait=*/idle(), &batch_);
    WaitSinceLastCall();  // For other threads or a directory: that does not count either.
    more_to_walk_ = result != Walk::Result::kFinished;
    more_to_start_ = result == Walk::Result::kMore;
    if (result != Walk::Result::kBatch) return;
  }
}

void Worker::TakeEntry(const WalkEntry& found, WaitingEntry* entry) const {
  entry->directory = batch_.directory();
  entry->kind = found.kind;
  entry->follow = found.follow;
  entry->looked_at = found.looked_at;
  entry->source_name = found.source_name;
  entry->target_name = found.target_name;
  entry->claimed.reset();
}

void Worker::Begin(const WaitingEntry& entry) {
  switch (entry.kind) {
    case EntryKind::kRegular: {
      const int index = TakeFlight();
      flights_[index].entry = entry;
      return StartFlight(index);
    }
    case EntryKind::kSymlink:
    case EntryKind::kSpecial:
      return CopyNodeEntry(entry);
    case EntryKind::kStream:
      streams_.push_back(entry);
  }
}

FileCopyNames Worker::NamesOf(const WaitingEntry& entry) const {
  return {.source_directory = entry.directory->source_fd,
          .source = entry.source_name.c_str(),
          .follow_source = entry.follow,
          .follows_links_here = entry.directory->is_top()
                                    ? work_.policy.follows_named_links
                                    : work_.policy.follows_links,
          .target_directory = entry.directory->target_fd,
          .target = entry.target_name.c_str(),
          .target_directory_created = entry.directory->target_created,
          .target_key = entry.directory->target_key,
          .target_default_acl = entry.directory->target_default_acl,
          .target_group = entry.directory->target_group,
          .source_file_system = entry.directory->source_file_system,
          .target_file_system = entry.directory->target_file_system,
          .offers_links = OffersLinks(entry),
          .source_device = DeviceOf(entry.directory->source_stat),
          .target_device = entry.directory->target_device};
}

int Worker::TakeFlight() {
  RINGCP_CHECK(!free_flights_.empty());
  const int index = free_flights_.back();
  free_flights_.pop_back();
  return index;
}

void Worker::StartFlight(int index) {
  Flight& flight = flights_[index];
  flight.active = true;
  next_.size = 0;
  const CallsAtOnce calls_at_once = at_once_chooser_.Next();
  const auto start = kernel_->Now();
  flight.copy.Start(work_.policy, NamesOf(flight.entry), index, calls_at_once, &next_);
  Continue(index);
  if (calls_at_once != CallsAtOnce::kNone) {
    const bool is_copied = flight.copy.outcome() == FileCopy::Outcome::kCopied;
    const uint64_t bytes = is_copied ? flight.copy.stat().stx_size : 0;
    const bool slow = AtOnceChooser::IsSlow(
        kernel_->Now() - start, std::min<uint64_t>(bytes, limits_.block_bytes));
    at_once_chooser_.NoteWait(calls_at_once,
                              slow ? WaitSinceLastCall() : AtOnceChooser::Wait::kNone);
  }
}

void Worker::OnSettled(const ChainResults& settled) {
  const int index = IndexOf(settled.id);
  next_.size = 0;
  flights_[index].copy.Settle(LaneOf(settled.id), settled.results(), &next_);
  Continue(index);
}

void Worker::Continue(int index) {
  Flight& flight = flights_[index];
  RunAtOnce(index);
  while (flight.copy.outcome() == FileCopy::Outcome::kMultiplyLinked) {
    OnMultiplyLinked(index);
    RunAtOnce(index);
  }
  QueueChains(index);
  if (flight.copy.outcome() == FileCopy::Outcome::kAwaitHelper) {
    awaiting_.push_back(index);
  }
  if (flight.copy.outcome() == FileCopy::Outcome::kAwaitTarget) {
    awaiting_targets_.push_back(index);
  }
  if (flight.active && flight.copy.done()) OnDone(index);
}

void Worker::RunAtOnce(int index) {
  FileCopy& copy = flights_[index].copy;
  while (next_.size > 0 && IsImmediate(next_.chains[0].chain[0])) {
    RINGCP_CHECK(next_.size == 1);
    const auto& [lane, chain] = next_.chains[0];
    if (copy.copies_blocks_at_once()) {
      blocks_at_once_.emplace_back(IdOf(index, lane), chain);
      next_.size = 0;
      return;
    }
    const ChainResults settled = kernel_->RunAtOnce({}, chain.ops());
    next_.size = 0;
    copy.Settle(lane, settled.results(), &next_);
  }
}

void Worker::CopyBlocksAtOnce() {
  for (size_t files = blocks_at_once_.size(); files > 0; --files) {
    const auto [id, chain] = blocks_at_once_.front();
    blocks_at_once_.pop_front();
    CopyBlocksAtOnce(IndexOf(id), LaneOf(id), chain);
  }
}

void Worker::CopyBlocksAtOnce(int index, int lane, Chain chain) {
  FileCopy& copy = flights_[index].copy;
  WaitSinceLastCall();  // For other files.
  const auto end = kernel_->Now() + kRowTime;
  do {
    bool was_read = false;
    const ChainResults settled = RunBlock(IdOf(index, lane), chain, &was_read);
    if (was_read) copy.LeaveBlocksToChains();
    next_.size = 0;
    copy.Settle(lane, settled.results(), &next_);
    if (next_.size == 0 || !copy.copies_blocks_at_once()) return Continue(index);
    chain = next_.chains[0].chain;
  } while (!cancelled() && kernel_->Now() < end);
  blocks_at_once_.emplace_back(IdOf(index, lane), chain);
}

ChainResults Worker::RunBlock(ChainId id, const Chain& chain, bool* was_read) {
  const auto start = kernel_->Now();
  const ChainResults settled = kernel_->RunAtOnce(id, chain.ops());
  // Waiting for the file's lock, or for room for dirty pages, is no reason to change.
  *was_read = AtOnceChooser::IsSlow(kernel_->Now() - start, chain[0].io.length) &&
              WaitSinceLastCall() == AtOnceChooser::Wait::kDevice;
  return settled;
}

void Worker::QueueChains(int index) {
  for (int i = 0; i < next_.size; ++i) {
    const ChainId id = IdOf(index, next_.chains[i].lane);
    const Chain& chain = next_.chains[i].chain;
    // In order: a later chain must not overtake one that had no room.
    if (!backlog_.empty() || !kernel_->Queue(id, chain.ops())) {
      backlog_.emplace_back(id, chain);
    }
  }
  next_.size = 0;
}

void Worker::QueueBacklog() {
  while (!backlog_.empty() &&
         kernel_->Queue(backlog_.front().first, backlog_.front().second.ops())) {
    backlog_.pop_front();
  }
}

void Worker::OnMultiplyLinked(int index) {
  Flight& flight = flights_[index];
  next_.size = 0;
  std::string copied_as;
  const FileIdentity id = IdentityOf(flight.copy.stat());
  const uint32_t links = LinksToMeet(flight.entry, flight.copy.stat().stx_nlink);
  switch (ClaimCopy(id, links, &flight.entry, &copied_as)) {
    case LinkTable::Claim::kCopy:
      flight.copy.Proceed(&next_);
      break;
    case LinkTable::Claim::kLink:
      Link(flight.entry, id, copied_as);
      flight.entry.directory = nullptr;
      flight.copy.Abandon(&next_);
      break;
    case LinkTable::Claim::kWait:
      flight.entry.directory = nullptr;  // The waiting entry has taken the hold over.
      flight.copy.Abandon(&next_);
      break;
  }
}

void Worker::OnDone(int index) {
  Flight& flight = flights_[index];
  flight.active = false;
  free_flights_.push_back(index);
  WaitingEntry& entry = flight.entry;
  const FileCopy& copy = flight.copy;
  bool copied = false;
  WarnIfNotPolled(entry, copy);
  if (copy.old_target() != OldTarget::kKept &&
      copy.outcome() != FileCopy::Outcome::kCopied) {
    TellRemoved(entry);
  }
  switch (copy.outcome()) {
    case FileCopy::Outcome::kCopied:
      copied = true;
      CountDone(entry, copy.old_target());
      break;
    case FileCopy::Outcome::kSkipped:
      counters_->files_skipped.Add(1);
      break;
    case FileCopy::Outcome::kFailed:
      if (OpensAlone(copy)) {
        // It is found once more.
        counters_->bytes_found.Add(-static_cast<int64_t>(copy.bytes_found()));
        SettleClaim(&entry, /*copied=*/false);
        to_open_alone_.push_back(entry);  // The hold goes with it.
        return;
      }
      // What can't be opened need not be the file that it is listed as.
      if (copy.failure().operation == Operation::kOpen && !copy.failure().on_target &&
          LookAgain(entry)) {
        return;
      }
      CountFailed(entry, copy.failure());
      break;
    case FileCopy::Outcome::kSourceIsOther:
      if (LookAgain(entry)) return;
      CountFailed(entry, {.refusal = Refusal::kSourceReplaced});
      break;
    case FileCopy::Outcome::kTargetIsSpecial:
      break;
    case FileCopy::Outcome::kAbandoned:
      return;  // The entry went its own way.
    case FileCopy::Outcome::kCancelled:
      // Unless the job was, a worker that helped with it has given up with its ring.
      if (!work_.cancelled->load(std::memory_order_relaxed)) {
        CountFailed(entry, {.operation = Operation::kRead, .error_number = EIO});
      }
      break;
    case FileCopy::Outcome::kRunning:
    case FileCopy::Outcome::kMultiplyLinked:
    case FileCopy::Outcome::kAwaitTarget:
    case FileCopy::Outcome::kAwaitHelper:
      break;
  }
  if (copy.left_out_rights() && copied) {
    work_.reporter->WarnOfAccessLeftOut(SourcePath(*entry.directory, entry.source_name));
  }
  TellOfRemoval(entry, copy.removal_error());
  // With a single link the copy did not ask whether it is still the file that was
  // claimed.
  SettleClaim(&entry, copied && entry.claimed == IdentityOf(copy.stat()));
  if (copy.outcome() == FileCopy::Outcome::kTargetIsSpecial) {
    streams_.push_back(entry);  // The hold goes with it.
  } else {
    Release(entry);
  }
}

bool Worker::LookAgain(const WaitingEntry& entry) {
  if (entry.looked_at) return false;
  const int flags = work_.policy.follows_links ? 0 : AT_SYMLINK_NOFOLLOW;
  struct statx stat;
  if (kernel_->Stat(entry.directory->source_fd, entry.source_name.c_str(), flags,
                    &stat) != 0) {
    return false;
  }
  // As it was listed, unless it is behind a link that nobody knew of.
  if (S_ISREG(stat.stx_mode) && entry.follow == work_.policy.follows_links) return false;
  return Redirect(entry, stat.stx_mode);
}

bool Worker::Redirect(const WaitingEntry& entry, mode_t mode) {
  if (entry.looked_at) return false;
  WaitingEntry other = entry;
  other.looked_at = true;
  other.follow = work_.policy.follows_links;
  if (S_ISDIR(mode) || cancelled()) {
    SettleClaim(&other, /*copied=*/false);
    if (!cancelled()) {
      counters_->files_found.Add(-1);
      work_.walk->AddDirectory(other.directory, other.source_name, other.follow);
      more_to_walk_ = true;
    }
    Release(other);
    return true;
  }
  other.kind = S_ISREG(mode)   ? EntryKind::kRegular
               : S_ISLNK(mode) ? EntryKind::kSymlink
                               : EntryKind::kSpecial;
  to_copy_.push_back(std::move(other));
  return true;
}

void Worker::CopyNodeEntry(WaitingEntry entry) {
  if (!entry.looked_at) entry.follow = work_.policy.follows_links;
  const FileCopyNames names = NamesOf(entry);
  NodeSource source(kernel_);
  if (const int error_number = source.Open(names); error_number != 0) {
    CountFailed(entry, {.operation = Operation::kStat, .error_number = error_number});
    SettleClaim(&entry, /*copied=*/false);
    return Release(entry);
  }
  const struct statx& stat = source.stat();
  if ((S_ISREG(stat.stx_mode) || S_ISDIR(stat.stx_mode)) &&
      Redirect(entry, stat.stx_mode)) {
    return;
  }
  const bool is_offered = work_.policy.offer_all_links || OffersLinks(entry);
  if (work_.policy.preserve.links &&
      (stat.stx_nlink > 1 || is_offered || entry.claimed.has_value())) {
    const FileIdentity id = IdentityOf(stat);
    const uint32_t links = LinksToMeet(entry, stat.stx_nlink);
    entry.kind = S_ISLNK(stat.stx_mode) ? EntryKind::kSymlink : EntryKind::kSpecial;
    std::string copied_as;
    switch (ClaimCopy(id, links, &entry, &copied_as)) {
      case LinkTable::Claim::kCopy:
        break;
      case LinkTable::Claim::kLink:
        return Link(entry, id, copied_as);
      case LinkTable::Claim::kWait:
        return;
    }
  }
  bool copied = false;
  if (S_ISREG(stat.stx_mode) || S_ISDIR(stat.stx_mode)) {
    CountFailed(entry, {.refusal = Refusal::kSourceReplaced});
  } else {
    const NodeResult result = CopyNode(work_.policy, names, source);
    if (result.access_left_out) {
      work_.reporter->WarnOfAccessLeftOut(
          SourcePath(*entry.directory, entry.source_name));
    }
    switch (result.outcome) {
      case NodeOutcome::kCopied:
        copied = true;
        CountDone(entry, result.old_target);
        break;
      case NodeOutcome::kSkipped:
        counters_->files_skipped.Add(1);
        break;
      case NodeOutcome::kFailed:
        if (result.old_target != OldTarget::kKept) TellRemoved(entry);
        CountFailed(entry, result.failure);
        break;
    }
  }
  SettleClaim(&entry, copied);
  Release(entry);
}

void Worker::OnStreamEnded(const WaitingEntry& entry, const StreamCopy& copy) {
  const OldTarget old_target = copy.old_target();
  if (copy.outcome() != FileCopy::Outcome::kCopied && old_target != OldTarget::kKept) {
    TellRemoved(entry);
  }
  switch (copy.outcome()) {
    case FileCopy::Outcome::kCopied:
      CountDone(entry, old_target);
      break;
    case FileCopy::Outcome::kSkipped:
      counters_->files_skipped.Add(1);
      break;
    case FileCopy::Outcome::kFailed:
      CountFailed(entry, copy.failure());
      break;
    default:
      break;
  }
  TellOfRemoval(entry, copy.removal_error());
  Release(entry);
}

void Worker::TellOfRemoval(const WaitingEntry& entry, int error_number) {
  if (error_number == 0) return;
  work_.reporter->Report(MakeFileError(
      Operation::kRemove, TargetPath(*entry.directory, entry.target_name), error_number));
}

void Worker::Link(const WaitingEntry& entry, const FileIdentity& id,
                  const std::string& copied_as) {
  const std::string here = TargetPathBelowTop(*entry.directory);
  const size_t slash = copied_as.rfind('/');
  const std::string existing_name = copied_as.substr(slash + 1);
  const std::string existing_in =
      slash == std::string::npos ? "" : copied_as.substr(0, slash);
  // Most links are neighbours.
  const bool neighbours = existing_in == here;
  const int existing_directory =
      neighbours ? entry.directory->target_fd
                 : OpenParentBeneath(kernel_, work_.walk->top()->target_fd, copied_as);
  NodeResult result;
  if (existing_directory < 0) {
    result.failure = TargetFailure(Operation::kMakeHardLink, -existing_directory);
  } else {
    const CopyKind kind = entry.kind == EntryKind::kRegular   ? CopyKind::kContents
                          : entry.kind == EntryKind::kSymlink ? CopyKind::kLink
                                                              : CopyKind::kNode;
    result = MakeHardLink(work_.policy, NamesOf(entry),
                          {.source = id,
                           .kind = kind,
                           .directory = existing_directory,
                           .name = existing_name.c_str()});
    if (!neighbours) kernel_->Close(existing_directory);
  }
  if (result.outcome == NodeOutcome::kFailed && result.old_target != OldTarget::kKept) {
    TellRemoved(entry);
  }
  const bool is_named_by_both = result.failure.operation == Operation::kMakeHardLink;
  if (result.outcome == NodeOutcome::kCopied) CountDone(entry, result.old_target);
  if (result.outcome == NodeOutcome::kSkipped) counters_->files_skipped.Add(1);
  if (result.outcome == NodeOutcome::kFailed && is_named_by_both) {
    counters_->files_failed.Add(1);
    work_.reporter->Report(MakeFileError(
        Operation::kMakeHardLink, TargetPath(*entry.directory, entry.target_name),
        result.failure.error_number,
        JoinPath(TargetPath(*work_.walk->top()), copied_as)));
  } else if (result.outcome == NodeOutcome::kFailed) {
    CountFailed(entry, result.failure);
  }
  Release(entry);
}

LinkTable::Claim Worker::ClaimCopy(const FileIdentity& id, uint32_t links,
                                   WaitingEntry* entry, std::string* copied_as) {
  if (entry->claimed == id) return LinkTable::Claim::kCopy;
  SettleClaim(entry, /*copied=*/false);
  const LinkTable::Claim claim = work_.links->ClaimFile(id, links, *entry, copied_as);
  if (claim == LinkTable::Claim::kCopy) entry->claimed = id;
  return claim;
}

void Worker::SettleClaim(WaitingEntry* entry, bool copied) {
  if (!entry->claimed.has_value()) return;
  const FileIdentity id = *entry->claimed;
  entry->claimed.reset();
  const std::string copied_as =
      copied ? JoinPath(TargetPathBelowTop(*entry->directory), entry->target_name) : "";
  for (WaitingEntry& waiting : work_.links->Settle(id, copied_as)) {
    if (copied) {
      Link(waiting, id, copied_as);
    } else if (cancelled()) {
      Release(waiting);
    } else {
      waiting.claimed = id;
      to_copy_.push_back(std::move(waiting));
    }
  }
}

void Worker::WarnIfNotPolled(const WaitingEntry& entry, const FileCopy& copy) {
  const auto& [operation, error_number] = copy.poll_refusal();
  if (error_number == 0) return;
  const std::string path = operation == Operation::kWrite
                               ? TargetPath(*entry.directory, entry.target_name)
                               : SourcePath(*entry.directory, entry.source_name);
  work_.reporter->Warn(
      absl::StrCat("warning: cannot poll the device of ", Quote(path), ": ",
                   std::strerror(error_number),
                   "; copying without --iopoll (the device needs poll queues, such as "
                   "nvme.poll_queues=2)"));
}

void Worker::TellRemoved(const WaitingEntry& entry) {
  if (!work_.reporter->wants_copied()) return;
  work_.reporter->Removed(TargetPath(*entry.directory, entry.target_name));
}

void Worker::CountDone(const WaitingEntry& entry, OldTarget old_target) {
  counters_->files_done.Add(1);
  if (work_.made_names != nullptr && entry.directory->is_top()) {
    work_.made_names->Add(entry.target_name);
  }
  if (!work_.reporter->wants_copied()) return;
  if (old_target == OldTarget::kRemovedBeforehand) TellRemoved(entry);
  work_.reporter->Copied(SourcePath(*entry.directory, entry.source_name),
                         TargetPath(*entry.directory, entry.target_name));
  if (old_target == OldTarget::kRemovedAfterFailing) TellRemoved(entry);
}

void Worker::CountFailed(const WaitingEntry& entry, const CopyFailure& failure) {
  counters_->files_failed.Add(1);
  work_.reporter->Report(failure, SourcePath(*entry.directory, entry.source_name),
                         TargetPath(*entry.directory, entry.target_name));
}

}  // namespace ringcp

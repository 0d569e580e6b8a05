// Files in flight: how their copies begin, how their chains are carried out, and how they
// end.

#include <algorithm>
#include <cerrno>

#include "core/base/check.h"
#include "core/base/file_identity.h"
#include "core/file/calls_at_once.h"
#include "core/job/worker.h"
#include "core/kernel/call_side.h"
#include "core/tree/target_directory.h"

namespace ringcp {

bool Worker::OpensAlone(const FileCopy& copy) const {
  return opens_again_ && copy.failed_to_open() && copy.failure().error_number == EINVAL &&
         !cancelled();
}

void Worker::TakeInSettled() {
  for (const ChainResults& settled : settled_) {
    // What follows from each may take long, by calls.
    StopIfCancelled();
    OnSettled(settled);
    MakeHeldBack();
  }
  settled_.clear();
  CopyBlocksAtOnce();
  TryAgain(&FileCopy::Resume, &awaiting_);
  TryAgain(&FileCopy::RetryTarget, &awaiting_targets_);
  QueueBacklog();
}

void Worker::TryAgain(void (FileCopy::*go_on)(NextChains*), std::vector<int>* waiting) {
  std::vector<int> indices;
  indices.swap(*waiting);
  for (const int index : indices) {
    next_.size = 0;
    (flights_[index].copy.*go_on)(&next_);
    Continue(index);
  }
}

void Worker::Fill() {
  more_to_start_ = false;
  for (ReadingTask& reading : readings_) {
    if (!reading.is_under_way) work_.walk->ShareIfWanted(&reading.batch);
  }
  waits_.Skip(*kernel_);  // Most likely for completions, which does not count.
  for (int starts = 0; may_start(); ++starts) {
    if (starts == kStartsMax) {
      more_to_start_ = true;
      return;
    }
    // Links and devices that are copied at once stay in no flight, so with nothing else
    // to copy only kStartsMax ends this loop; a cancelled job must stop earlier.
    if (cancelled()) {
      more_to_start_ = true;  // Or to give up, which must not wait.
      return;
    }
    if (!links_.empty()) {
      MakeNextLink();
      continue;
    }
    if (!to_copy_.empty()) {
      const WaitingEntry entry = std::move(to_copy_.back());
      to_copy_.pop_back();
      Begin(entry);
      continue;
    }
    // Those above are not held up by too many questions, which may wait for them.
    if (questions_.full()) return;
    if (may_read() && Read()) continue;
    WalkBatch* const batch = NextBatch();
    if (batch == nullptr) return;
    const WalkEntry found = work_.walk->Take(batch);
    counters_->files_found.Add(1);
    if (found.kind == EntryKind::kRegular && work_.policy.makes == Makes::kCopies) {
      // Filled in place, because most names fit into the memory that the flight's
      // earlier ones took.
      const int index = TakeFlight();
      TakeEntry(*batch, found, &flights_[index].entry);
      StartFlight(index);
    } else {
      WaitingEntry entry;
      TakeEntry(*batch, found, &entry);
      Begin(entry);
    }
  }
}

void Worker::TakeEntry(const WalkBatch& batch, const WalkEntry& found,
                       WaitingEntry* entry) {
  entry->directory = batch.directory();
  entry->kind = found.kind;
  entry->follow = found.follow;
  entry->looked_at = found.looked_at;
  entry->may_replace = false;
  entry->order = questions_.Begin();
  entry->source_name = found.source_name;
  entry->target_name = found.target_name;
  entry->claimed.reset();
}

void Worker::Begin(const WaitingEntry& entry) {
  if (work_.policy.makes != Makes::kCopies) return BeginNode(entry);
  switch (entry.kind) {
    case EntryKind::kRegular: {
      const int index = TakeFlight();
      flights_[index].entry = entry;
      return StartFlight(index);
    }
    case EntryKind::kSymlink:
    case EntryKind::kSpecial:
      return BeginNode(entry);
    case EntryKind::kStream:
      KeepStream(entry);
  }
}

FileCopyNames Worker::NamesOf(const WaitingEntry& entry) const {
  const SourceDirectory& source = entry.directory->source;
  const TargetDirectory& target = *entry.directory->target;
  return {.source_directory = source.fd,
          .source = entry.source_name.c_str(),
          .follow_source = entry.follow,
          .follows_links_here = entry.directory->names_sources()
                                    ? work_.policy.follows_named_links
                                    : work_.policy.follows_links,
          .target_directory = target.fd,
          .target = entry.target_name.c_str(),
          .target_directory_created = HoldsOnlyCopies(*entry.directory),
          .target_key = target.key,
          .target_default_acl = target.default_acl,
          .target_group = target.group,
          .source_file_system = source.file_system,
          .target_file_system = target.file_system,
          .offers_links = OffersLinks(entry),
          .may_replace = entry.may_replace};
}

int Worker::TakeFlight() {
  if (free_flights_.empty()) {
    RINGCP_CHECK(flights_in_hand() < limits_.copies_in_flight);
    flights_.emplace_back(pool_, counters_);
    return static_cast<int>(flights_.size()) - 1;
  }
  const int index = free_flights_.back();
  free_flights_.pop_back();
  return index;
}

void Worker::StartFlight(int index) {
  Flight& flight = flights_[index];
  flight.active = true;
  next_.size = 0;
  const CallsAtOnce calls_at_once = at_once_chooser_.Next();
  const bool is_timed = OpensAtOnce(calls_at_once);
  const SteadyTime start = is_timed ? kernel_->Now() : SteadyTime();
  would_have_waited_ = false;
  flight.copy.Start(work_.policy, NamesOf(flight.entry), index, calls_at_once, &next_);
  Continue(index);
  if (is_timed) {
    const bool is_copied = flight.copy.outcome() == FileCopy::Outcome::kCopied;
    const uint64_t bytes = is_copied ? flight.copy.stat().stx_size : 0;
    const auto copied =
        static_cast<int64_t>(std::min<uint64_t>(bytes, limits_.block_bytes));
    const Waited waited =
        waits_.Take(*kernel_, AtOnceChooser::TimeToWait(kernel_->Now() - start, copied));
    at_once_chooser_.Note(calls_at_once, would_have_waited_ ? Waited::kLong : waited);
  }
}

void Worker::OnSettled(const ChainResults& settled) {
  if (settled.id.value >= kReadings) return OnTaskEnded(settled.id);
  nothing_yet_ = false;
  const int index = IndexOf(settled.id);
  next_.size = 0;
  flights_[index].copy.Settle(LaneOf(settled.id), settled.results(), &next_);
  Continue(index);
}

void Worker::Continue(int index) {
  Flight& flight = flights_[index];
  Submit(index);
  while (flight.copy.outcome() == FileCopy::Outcome::kMultiplyLinked) {
    OnMultiplyLinked(index);
    Submit(index);
  }
  if (flight.copy.outcome() == FileCopy::Outcome::kAwaitHelper) {
    awaiting_.push_back(index);
  }
  if (flight.copy.outcome() == FileCopy::Outcome::kAwaitTarget) {
    awaiting_targets_.push_back(index);
  }
  NoteMade(index);
  if (flight.active && flight.copy.done()) OnDone(index);
}

void Worker::Submit(int index) {
  FileCopy& copy = flights_[index].copy;
  for (int i = 0; i < next_.size;) {
    const auto& [lane, chain] = next_.chains[i];
    const OnSide on_side(copy.side());
    const ChainId id = IdOf(index, lane);
    if (chain[0].at_once && copy.copies_blocks_at_once()) {
      RINGCP_CHECK(next_.size == 1);
      blocks_at_once_.emplace_back(id, chain);
      break;
    }
    if (HoldsBack(id, chain)) continue;
    // A later chain must not overtake one that the kernel had no room for.
    const bool waits = !backlog_.empty() && !chain[0].at_once;
    ChainResults settled;
    const Submitted submitted =
        waits ? Submitted::kNoRoom : kernel_->Submit(id, chain.ops(), &settled);
    if (submitted == Submitted::kCarriedOut) {
      RINGCP_CHECK(next_.size == 1);
      next_.size = 0;
      copy.Settle(lane, settled.results(), &next_);
      continue;
    }
    if (submitted == Submitted::kNoRoom) backlog_.emplace_back(id, chain);
    if (submitted == Submitted::kQueued && chain[0].at_once) {
      copy.NoteQueued();
      would_have_waited_ = true;
    }
    ++i;
  }
  next_.size = 0;
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
  waits_.Skip(*kernel_);  // Waits for other files don't count.
  const auto end = kernel_->Now() + kRowTime;
  do {
    ChainResults settled;
    bool was_read = false;
    if (!RunBlock(IdOf(index, lane), chain, &settled, &was_read)) {
      return copy.NoteQueued();
    }
    if (was_read) copy.LeaveToChains();
    next_.size = 0;
    copy.Settle(lane, settled.results(), &next_);
    if (next_.size == 0 || !copy.copies_blocks_at_once()) return Continue(index);
    chain = next_.chains[0].chain;
  } while (!cancelled() && kernel_->Now() < end);
  blocks_at_once_.emplace_back(IdOf(index, lane), chain);
}

bool Worker::RunBlock(ChainId id, const Chain& chain, ChainResults* settled,
                      bool* was_read) {
  const auto start = kernel_->Now();
  if (kernel_->Submit(id, chain.ops(), settled) != Submitted::kCarriedOut) return false;
  // Waiting for the file's lock, or for room for dirty pages, is no reason to queue the
  // file's chains.
  const auto time = AtOnceChooser::TimeToWait(kernel_->Now() - start, chain[0].io.length);
  *was_read = time >= kSlowCallMin && waits_.TakeReads(*kernel_);
  return true;
}

void Worker::QueueChains(int index) {
  for (int i = 0; i < next_.size; ++i) {
    const ChainId id = IdOf(index, next_.chains[i].lane);
    const Chain& chain = next_.chains[i].chain;
    // A later chain must not overtake one that the kernel had no room for.
    if (!backlog_.empty() || !kernel_->Queue(id, chain.ops())) {
      backlog_.emplace_back(id, chain);
    }
  }
  next_.size = 0;
}

void Worker::QueueBacklog() {
  while (!backlog_.empty()) {
    const auto& [id, chain] = backlog_.front();
    const bool is_of_flight = phase_ != Phase::kHelp;
    const OnSide on_side(is_of_flight ? flights_[IndexOf(id)].copy.side()
                                      : OnSide::now());
    if (!kernel_->Queue(id, chain.ops())) return;
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
      MakeLink(flight.entry, id, copied_as);
      flight.entry.directory = nullptr;
      flight.copy.Abandon(&next_);
      break;
    case LinkTable::Claim::kWaitForLater:
      questions_.Decide(flight.entry.order);
      [[fallthrough]];
    case LinkTable::Claim::kWait:
      flight.entry.directory = nullptr;  // The waiting entry has taken over the hold.
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
  reports_.IfNotPolled(entry, copy);
  reports_.OfXattrs(entry, copy.xattr_failures());
  const EntryReports::Old old = {copy.old_target(), copy.backup()};
  if (copy.outcome() != FileCopy::Outcome::kCopied &&
      copy.outcome() != FileCopy::Outcome::kFailed) {
    reports_.EndOld(entry, old, copy.is_target_whole());
  }
  switch (copy.outcome()) {
    case FileCopy::Outcome::kCopied:
      copied = true;
      reports_.Copied(entry, old, copy.route());
      break;
    case FileCopy::Outcome::kKeptNewer:
      copied = true;
      [[fallthrough]];
    case FileCopy::Outcome::kSkipped:
      reports_.Skipped(entry);
      break;
    case FileCopy::Outcome::kFailed:
      if (OpensAlone(copy)) {
        // The next try counts the bytes again.
        counters_->bytes_found.Add(-static_cast<int64_t>(copy.bytes_found()));
        EndClaim(&entry, /*copied=*/false);
        PutAside(entry, &to_open_alone_);
        return;
      }
      // A source that can't be opened may not be the regular file that it is listed as.
      if (copy.failure().operation == Operation::kOpen && !copy.failure().on_target &&
          LookAgain(entry)) {
        return;
      }
      reports_.Failed(entry, copy.failure(), old, copy.is_target_whole());
      break;
    case FileCopy::Outcome::kSourceIsOther:
      if (LookAgain(entry)) return;
      reports_.Failed(entry, {.refusal = Refusal::kSourceReplaced});
      break;
    case FileCopy::Outcome::kAsks:
      // The next try counts the bytes again.
      counters_->bytes_found.Add(-static_cast<int64_t>(copy.bytes_found()));
      return Ask(entry, copy.target_mode());
    case FileCopy::Outcome::kTargetIsSpecial:
      break;
    case FileCopy::Outcome::kAbandoned:
      return;  // OnMultiplyLinked() has dealt with the entry.
    case FileCopy::Outcome::kCancelled:
      // If the job was not cancelled, the ring of this worker has failed, or that of a
      // worker that helped with this file.
      if (!work_.cancelled->load(std::memory_order_relaxed)) {
        reports_.Failed(entry, {.operation = Operation::kRead, .error_number = EIO});
      }
      break;
    case FileCopy::Outcome::kRunning:
    case FileCopy::Outcome::kMultiplyLinked:
    case FileCopy::Outcome::kAwaitTarget:
    case FileCopy::Outcome::kAwaitHelper:
      break;
  }
  reports_.OfRemoval(entry, entry.target_name, copy.removal_error());
  // If the file had a single link when it was opened, the copy did not check that it is
  // still the file that was claimed.
  EndClaim(&entry, copied && entry.claimed == IdentityOf(copy.stat()));
  if (copy.outcome() == FileCopy::Outcome::kTargetIsSpecial) {
    PutAside(entry, &streams_);
  } else {
    Release(entry);
  }
}

}  // namespace ringcp

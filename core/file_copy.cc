#include "core/file_copy.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>

#include "core/check.h"

namespace ringcp {
namespace {

constexpr uint64_t kStatBlockBytes = 512;  // What stx_blocks counts, see statx(2).

// Of a large file no more is looked at to find out whether it is in the page cache: from
// its middle on, because somebody may have looked at its beginning alone.
constexpr uint32_t kCacheSampleBytesMax = 1024 * 1024;

// What offsets, lengths and buffers of direct reads and writes are multiples of: as much
// as any usual device asks for. Where it is too little they fail with EINVAL.
constexpr uint64_t kDirectAlignment = 4096;

constexpr int kSourceFlags = O_RDONLY | O_NOCTTY;
constexpr int kNewTargetFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY;
constexpr int kExistingTargetFlags = O_WRONLY | O_NOCTTY | O_NONBLOCK;

timespec ToTimespec(const statx_timestamp& time) {
  return {.tv_sec = time.tv_sec, .tv_nsec = time.tv_nsec};
}

}  // namespace

void FileCopy::Enter(State state, const Op& op, NextChains* next) {
  state_ = state;
  next->Add(0).Add(op);
}

void FileCopy::Fail(Operation operation, int error_number, bool on_target) {
  if (outcome_at_end_ == Outcome::kFailed) return;
  outcome_at_end_ = Outcome::kFailed;
  failure_ = {.operation = operation,
              .error_number = error_number,
              .refusal = Refusal::kNone,
              .on_target = on_target};
}

void FileCopy::Refuse(Refusal refusal, bool on_target) {
  Fail(Operation::kRefuse, 0, on_target);
  failure_.refusal = refusal;
}

void FileCopy::Start(const FileCopyPolicy& policy, const FileCopyNames& names, int slot,
                     CallsAtOnce calls_at_once, NextChains* next) {
  RINGCP_CHECK(done() && state_ == State::kDone);
  policy_ = policy;
  names_ = names;
  slot_ = slot;
  may_call_ = at_once_ = calls_at_once == CallsAtOnce::kAll;
  use_slots_ = policy.use_slots && !may_clone() && !at_once_;
  outcome_ = Outcome::kRunning;
  outcome_at_end_ = Outcome::kCopied;
  stopped_ = false;
  removal_error_ = 0;
  retries_ = 0;
  source_is_found_ = false;
  pump_.Start(0, 0);  // It knows nothing of the last file any more.
  is_direct_ = reads_direct_ = is_preallocated_ = cache_dropped_ = is_cached_ = false;
  pump_.SetUncachedIo(policy.page_cache == PageCache::kKeep ? nullptr
                                                            : policy.uncached_io);
  pump_.SetPolledIo(policy.polled_io);
  source_ = target_ = installed_ = FileRef();
  target_created_ = target_overwritten_ = target_changed_ = target_complete_ = false;
  tried_removing_ = waits_for_target_ = false;
  target_removable_ = true;
  if (use_slots_ && calls_at_once == CallsAtOnce::kStat) {
    return Enter(State::kStatName, AtOnce(SourceStat()), next);
  }
  OpenSource(O_NONBLOCK, next);
  SetAtOnce(next);
}

void FileCopy::SetAtOnce(NextChains* next) const {
  if (!at_once_) return;
  for (int i = 0; i < next->size; ++i) next->chains[i].chain.SetAtOnce();
}

// `nonblock` is O_NONBLOCK or 0. With it, a file that was replaced by a pipe meanwhile
// does not make the open wait for somebody at the pipe's other end; for regular files it
// makes a difference only where somebody holds a lease.
Op FileCopy::SourceOpen(int nonblock) const {
  const int follow = names_.follow_source ? 0 : O_NOFOLLOW;
  const FileRef slot = use_slots_ ? FileRef::Slot(slot_) : FileRef();
  return OpenAt(names_.source_directory, names_.source, kSourceFlags | nonblock | follow,
                0, slot);
}

Op FileCopy::SourceStat() {
  return StatAt(names_.source_directory, names_.source,
                names_.follow_source ? 0 : AT_SYMLINK_NOFOLLOW, &source_stat_);
}

void FileCopy::OpenSource(int nonblock, NextChains* next) {
  if (nonblock == 0) at_once_ = false;  // It may take long.
  Enter(State::kOpenSource, SourceOpen(nonblock), next);
  if (use_slots_) next->chains[next->size - 1].chain.Add(SourceStat());
}

void FileCopy::Settle(int lane, absl::Span<const int32_t> results, NextChains* next) {
  GoOn(lane, results, next);
  SetAtOnce(next);
}

void FileCopy::GoOn(int lane, absl::Span<const int32_t> results, NextChains* next) {
  switch (state_) {
    case State::kStatName:
      return OnStatName(results[0], next);
    case State::kOpenSource:
      return OnOpenSource(results, next);
    case State::kReopenSource:
      source_ = FileRef();
      return OpenSource(O_NONBLOCK, next);
    case State::kStatSource:
      return OnStatSource(results[0], next);
    case State::kCopyWhole:
      return OnCopyWhole(results, next);
    case State::kStatBoth:
      return OnStatBoth(results, next);
    case State::kStatTarget:
      return OnStatTarget(results, next);
    case State::kRemoveTarget:
      return OnRemoveTarget(results[0], next);
    case State::kOpenTarget:
      return OnOpenTarget(results[0], next);
    case State::kPump:
      pump_.Settle(lane, results[0], results.back());
      return Pump(next);
    case State::kClone:
      return OnClone(results[0], next);
    case State::kTruncate:
      return OnTruncate(results[0], next);
    case State::kSetDirect:
      return OnSetDirect(results[0], next);
    case State::kPreallocate:
      return OnPreallocate(results[0], next);
    case State::kUnsetDirect:
      return OnUnsetDirect(results[0], next);
    case State::kDiscard:
      return OnDiscard(results[0], next);
    case State::kCountCached:
      // Where it can't be told it is as if it were not.
      is_cached_ = results[0] == 0 && cached_bytes_ >= CacheSampleBytes() / 2;
      at_once_ = may_call_ && is_cached_ && policy_.page_cache == PageCache::kKeep;
      // Then it is not put there either: that costs more CPU time than all the rest.
      if (policy_.direct_reads && is_large() && !is_cached_ && !has_holes_ &&
          results[0] == 0) {
        reads_direct_ = true;
        return SwitchDirect(/*on=*/true, next);
      }
      return CopyPieces(next);
    case State::kFindData:
      return OnFindData(results[0], next);
    case State::kFindHole:
      return OnFindHole(results[0], next);
    case State::kSetSize:
      if (results[0] < 0) {
        Fail(Operation::kWrite, -results[0], /*on_target=*/true);
        return CloseAll(next);
      }
      return SetAttributes(next);
    case State::kInstall:
      if (results[0] < 0) {
        Fail(Operation::kOpen, -results[0], /*on_target=*/true);
        return CloseAll(next);
      }
      installed_ = FileRef::Descriptor(results[0]);
      return SetAttributes(next);
    case State::kStatTargetDescriptor:
      if (results[0] < 0) {
        Fail(Operation::kStat, -results[0], /*on_target=*/true);
        return CloseAll(next);
      }
      return SetTimesIfKept(next);
    case State::kSetTimes:
      if (results[0] < 0) Fail(Operation::kSetTimes, -results[0], /*on_target=*/true);
      return RestrictModeIfNeeded(next);
    case State::kRestrictMode:
      if (results[0] < 0) {
        Fail(Operation::kSetMode, -results[0], /*on_target=*/true);
        return CloseAll(next);
      }
      return SetOwnerIfKept(next);
    case State::kSetOwner:
      return OnSetOwner(results[0], next);
    case State::kSetGroup:  // An attempt: its failure is no error, as in GNU cp.
      return SetModeIfNeeded(next);
    case State::kSetMode:
      if (results[0] < 0) Fail(Operation::kSetMode, -results[0], /*on_target=*/true);
      return CloseAll(next);
    case State::kEmpty:
      return CloseFiles(next);
    case State::kDropCached:
      return OnDropCached(results[1], next);
    case State::kClose:
      return OnClose(results, next);
    case State::kRemove:
      if (results[0] < 0 && results[0] != -ENOENT) removal_error_ = -results[0];
      return Done(outcome_at_end_);
    case State::kAwaitDecision:
    case State::kAwaitHelper:
    case State::kDone:
      break;
  }
  RINGCP_CHECK(state_ != State::kDone && state_ != State::kAwaitDecision &&
               state_ != State::kAwaitHelper);
}

// --- The source ---

void FileCopy::OnStatName(int32_t result, NextChains* next) {
  // Opening it fails for the same reason, or there is none any more.
  if (result < 0) return OpenSource(O_NONBLOCK, next);
  OnStatSource(0, next);
}

void FileCopy::OnOpenSource(absl::Span<const int32_t> results, NextChains* next) {
  const int32_t opened = results[0];
  if (opened < 0) return OnOpenSourceFailed(-opened, next);
  retries_ = 0;
  if (use_slots_) {
    source_ = FileRef::Slot(slot_);
    return OnStatSource(results[1], next);
  }
  source_ = FileRef::Descriptor(opened);
  Enter(State::kStatSource, StatDescriptor(opened, &source_stat_), next);
}

void FileCopy::OnOpenSourceFailed(int error_number, NextChains* next) {
  // Somebody holds a lease on the file: with O_NONBLOCK off, opening waits for it.
  if (error_number == EAGAIN && retries_ == 0) {
    ++retries_;
    return OpenSource(0, next);
  }
  if (ShouldRetry(-error_number, &retries_, counters_)) {
    return OpenSource(O_NONBLOCK, next);
  }
  if (error_number == ELOOP && !names_.follow_source) {
    Refuse(Refusal::kSourceReplaced, /*on_target=*/false);
  } else {
    // What is gone was gone when it was looked at; GNU cp stats first and says so.
    Fail(error_number == ENOENT ? Operation::kStat : Operation::kOpen, error_number,
         /*on_target=*/false);
    if (policy_.no_clobber && error_number != ENOENT) return StatBoth(next);
  }
  Finish(next);
}

void FileCopy::OnStatSource(int32_t result, NextChains* next) {
  if (result < 0) {
    Fail(Operation::kStat, -result, /*on_target=*/false);
    return CloseAll(next);
  }
  if (!S_ISREG(source_stat_.stx_mode)) {
    Refuse(Refusal::kSourceReplaced, /*on_target=*/false);
    return CloseAll(next);
  }
  const bool is_named = names_.source_device == CloneTable::kAnyDevice;
  if (is_named) {
    names_.source_device =
        makedev(source_stat_.stx_dev_major, source_stat_.stx_dev_minor);
  }
  has_holes_ = source_stat_.stx_size > block_size_bytes_ &&
               source_stat_.stx_blocks < source_stat_.stx_size / kStatBlockBytes;
  const bool gets_set_id =
      policy_.preserve.mode && (source_stat_.stx_mode & kSetIdBits) != 0;
  if (use_slots_ && (gets_set_id || has_holes_ || is_large() || wants_direct() ||
                     (is_named && may_clone()))) {
    use_slots_ = false;
    if (source_ == FileRef()) return OpenSource(O_NONBLOCK, next);
    return Enter(State::kReopenSource, Close(source_), next);
  }
  if (source_ == FileRef() && (!is_small() || has_cached())) {
    return OpenSource(O_NONBLOCK, next);
  }
  if (policy_.offer_all_links || (policy_.preserve.links && source_stat_.stx_nlink > 1)) {
    state_ = State::kAwaitDecision;
    outcome_ = Outcome::kMultiplyLinked;
    return;
  }
  OnSourceKnown(next);
}

void FileCopy::Proceed(NextChains* next) {
  RINGCP_CHECK(state_ == State::kAwaitDecision);
  outcome_ = Outcome::kRunning;
  OnSourceKnown(next);
  SetAtOnce(next);
}

void FileCopy::Abandon(NextChains* next) {
  RINGCP_CHECK(state_ == State::kAwaitDecision);
  outcome_ = Outcome::kRunning;
  outcome_at_end_ = Outcome::kAbandoned;
  CloseAll(next);
  SetAtOnce(next);
}

void FileCopy::OnSourceKnown(NextChains* next) {
  if (stopped_) return CloseAll(next);
  if (!source_is_found_) {
    counters_->bytes_found.Add(static_cast<int64_t>(source_stat_.stx_size));
  }
  source_is_found_ = true;
  mode_wanted_ = policy_.FinalMode(source_stat_.stx_mode);
  // Of what has to leave the page cache the chain must not close the files.
  // (Another worker may have found out only now: then this one file stays there.)
  if (use_slots_ && is_small() && (source_ == FileRef() || !has_cached())) {
    return CopyWhole(next);
  }
  OpenTarget(kNewTargetFlags, next);
}

// --- The target ---

uint64_t FileCopy::SourceEnd() const {
  return source_stat_.stx_size == 0 ? BlockPump::kEndUnknown : source_stat_.stx_size;
}

mode_t FileCopy::FirstMode() const {
  const mode_t mode = policy_.NewMode(source_stat_.stx_mode);
  // Nobody else gets in before the file has its owner.
  const bool changes_owner =
      policy_.preserve.ownership && (source_stat_.stx_uid != policy_.user ||
                                     source_stat_.stx_gid != names_.target_group);
  return changes_owner ? mode & kOwnerPermissions : mode;
}

void FileCopy::CopyWhole(NextChains* next) {
  const FileRef source = FileRef::Slot(slot_);
  const FileRef target = FileRef::Slot(slot_ + 1);
  state_ = State::kCopyWhole;
  Chain& chain = next->Add(0);
  opens_both_ = source_ == FileRef();
  if (opens_both_) chain.Add(SourceOpen(O_NONBLOCK));
  chain.Add(OpenAt(names_.target_directory, names_.target, kNewTargetFlags, FirstMode(),
                   target));
  pump_.Start(0, source_stat_.stx_size);
  pump_.AddWhole(source, target, &chain);
  if (policy_.preserve.any_attribute()) chain.Add(InstallDescriptor(target));
  chain.Add(Close(target));
  chain.Add(Close(source), Link::kHard);
}

void FileCopy::OnCopyWhole(absl::Span<const int32_t> results, NextChains* next) {
  const int32_t opened = results[0];
  if (opens_both_) results.remove_prefix(1);
  pump_.Settle(0, results[1], results[2]);
  if (opens_both_) {
    if (opened < 0) return OnOpenSourceFailed(-opened, next);
    source_ = FileRef::Slot(slot_);
  }
  if (results[0] < 0) {
    return OnOpenTargetFailed(-results[0], next);
  }
  target_ = FileRef::Slot(slot_ + 1);
  target_created_ = true;
  int position = 3;
  if (policy_.preserve.any_attribute()) {
    if (results[position] >= 0) installed_ = FileRef::Descriptor(results[position]);
    ++position;
  }
  // An op that was cancelled did not run; one that failed has closed the file all the
  // same.
  const int32_t target_closed = results[position];
  const int32_t source_closed = results[position + 1];
  if (source_closed != -ECANCELED) source_ = FileRef();
  if (target_closed != -ECANCELED) {
    target_ = FileRef();
    if (target_closed < 0 && target_closed != -EINTR) {
      Fail(Operation::kClose, -target_closed, /*on_target=*/true);
    }
  }
  Pump(next);
}

void FileCopy::OpenTarget(int flags, NextChains* next) {
  Enter(State::kOpenTarget,
        OpenAt(names_.target_directory, names_.target, flags, FirstMode(),
               use_slots_ ? FileRef::Slot(slot_ + 1) : FileRef()),
        next);
  target_overwritten_ = (flags & O_EXCL) == 0;
  target_changed_ = (flags & O_TRUNC) != 0;
}

void FileCopy::OnOpenTarget(int32_t result, NextChains* next) {
  if (result < 0) return OnOpenTargetFailed(-result, next);
  retries_ = 0;
  target_ = use_slots_ ? FileRef::Slot(slot_ + 1) : FileRef::Descriptor(result);
  target_created_ = !target_overwritten_;
  CopyContents(next);
}

void FileCopy::OnOpenTargetFailed(int error_number, NextChains* next) {
  const bool existing = target_overwritten_;
  target_overwritten_ = target_changed_ = false;
  if (existing && error_number == EAGAIN && !waits_for_target_) {
    // Somebody holds a lease on it: as with the source, opening waits for that now.
    waits_for_target_ = true;
    at_once_ = false;
  }
  if (ShouldRetry(-error_number, &retries_, counters_)) {
    return OpenTarget(kNewTargetFlags, next);
  }
  if (!existing && error_number == EEXIST) {
    return StatTarget(next);
  }
  if (existing && policy_.force && !tried_removing_) {
    tried_removing_ = true;
    return Enter(State::kRemoveTarget,
                 UnlinkAt(names_.target_directory, names_.target, 0), next);
  }
  Fail(Operation::kCreate, error_number, /*on_target=*/true);
  CloseAll(next);
}

void FileCopy::OnRemoveTarget(int32_t result, NextChains* next) {
  if (result < 0 && result != -ENOENT) {
    Fail(Operation::kRemove, -result, /*on_target=*/true);
    return CloseAll(next);
  }
  target_removable_ = true;  // What comes to its place has no other names.
  OpenTarget(kNewTargetFlags, next);
}

void FileCopy::StatTarget(NextChains* next) {
  state_ = State::kStatTarget;
  Chain& chain = next->Add(0);
  chain.Add(StatAt(names_.target_directory, names_.target, AT_SYMLINK_NOFOLLOW,
                   &target_link_stat_));
  chain.Add(StatAt(names_.target_directory, names_.target, 0, &target_stat_));
}

// Of a file that will not be copied it does not matter whether it can be read, as long as
// it can be looked at.
void FileCopy::StatBoth(NextChains* next) {
  state_ = State::kStatBoth;
  Chain& chain = next->Add(0);
  chain.Add(StatAt(names_.source_directory, names_.source,
                   names_.follow_source ? 0 : AT_SYMLINK_NOFOLLOW, &source_stat_));
  chain.Add(StatAt(names_.target_directory, names_.target, 0, &target_stat_));
}

void FileCopy::OnStatBoth(absl::Span<const int32_t> results, NextChains* next) {
  if (results[0] < 0) {
    failure_ = {.operation = Operation::kStat, .error_number = -results[0]};
  } else if (results[1] == 0) {
    outcome_at_end_ = Outcome::kSkipped;
  }
  Finish(next);
}

void FileCopy::OnStatTarget(absl::Span<const int32_t> results, NextChains* next) {
  if (stopped_) return CloseAll(next);
  const int32_t link_result = results[0];
  const int32_t file_result = results[1];
  const bool is_link = link_result == 0 && S_ISLNK(target_link_stat_.stx_mode);
  if (link_result == -ENOENT && retries_ < kRetriesMax) {  // Gone again meanwhile.
    ++retries_;
    return OpenTarget(kNewTargetFlags, next);
  }
  if (file_result == -ENOENT && is_link) {
    Refuse(Refusal::kTargetDangling, /*on_target=*/true);
  } else if (link_result < 0 || file_result < 0) {
    Fail(Operation::kStat, link_result < 0 ? -link_result : -file_result,
         /*on_target=*/true);
  } else if (policy_.no_clobber) {
    outcome_at_end_ = Outcome::kSkipped;
  } else if (S_ISDIR(target_stat_.stx_mode)) {
    Refuse(Refusal::kTargetIsDirectory, /*on_target=*/true);
  } else if (SameFile(source_stat_, target_stat_)) {
    Refuse(Refusal::kSameFile, /*on_target=*/true);
  } else if (!S_ISREG(target_stat_.stx_mode)) {
    outcome_at_end_ = Outcome::kTargetIsSpecial;
  } else if (policy_.preserve.links && target_stat_.stx_nlink > 1 && !tried_removing_) {
    // Its other names must keep their contents: this one is made anew.
    tried_removing_ = true;
    return Enter(State::kRemoveTarget,
                 UnlinkAt(names_.target_directory, names_.target, 0), next);
  } else {
    target_removable_ = !is_link && target_stat_.stx_nlink == 1;
    // A link is followed, as GNU cp does; what was none must not have become one.
    // If it can't be cloned to, it is to stay as it is.
    const int truncate = policy_.reflink == Reflink::kAlways ? 0 : O_TRUNC;
    const int flags = kExistingTargetFlags & ~(waits_for_target_ ? O_NONBLOCK : 0);
    return OpenTarget(flags | truncate | (is_link ? 0 : O_NOFOLLOW), next);
  }
  CloseAll(next);
}

bool FileCopy::is_large() const {
  return policy_.shared_files != nullptr &&
         source_stat_.stx_size >= policy_.shared_files->bytes_min();
}

bool FileCopy::may_clone() const {
  return policy_.MayClone(names_.source_device, names_.target_device);
}

void FileCopy::CopyContents(NextChains* next) {
  // Of an empty file there is nothing to share; one in /proc may only look empty.
  const bool always = policy_.reflink == Reflink::kAlways;
  if (use_slots_ || !may_clone() || (source_stat_.stx_size == 0 && !always)) {
    at_once_ = at_once_ && may_be_read_at_once();
    return CopyBytes(next);
  }
  Enter(State::kClone, Clone(source_.index, target_.index), next);
}

void FileCopy::OnClone(int32_t result, NextChains* next) {
  const bool refuses_all = result < 0 && CloneTable::RefusesAll(-result);
  if (target_overwritten_ && !target_changed_ && !refuses_all) {
    // It was a trial, so that the old contents would stay where cloning is impossible.
    // Parts of them may still be behind or between the new ones.
    target_changed_ = true;
    return Enter(State::kTruncate, SetSize(target_.index, 0), next);
  }
  if (result == 0) {
    counters_->bytes_done.Add(static_cast<int64_t>(source_stat_.stx_size));
    return SetAttributes(next);
  }
  if (policy_.reflink == Reflink::kAlways) {
    Fail(Operation::kClone, -result, /*on_target=*/true);
    return CloseAll(next);
  }
  at_once_ = at_once_ && may_be_read_at_once();
  // A target that was there may be a link to elsewhere.
  if (refuses_all && target_created_) {
    policy_.clones->NoteRefused(names_.source_device, names_.target_device);
  }
  CopyBytes(next);
}

void FileCopy::OnTruncate(int32_t result, NextChains* next) {
  if (result < 0) {
    Fail(Operation::kWrite, -result, /*on_target=*/true);
    return CloseAll(next);
  }
  Enter(State::kClone, Clone(source_.index, target_.index), next);
}

uint64_t FileCopy::DirectEnd() const {
  return source_stat_.stx_size / kDirectAlignment * kDirectAlignment;
}

bool FileCopy::wants_direct() const {
  return policy_.page_cache == PageCache::kBypass && !has_holes_ &&
         source_stat_.stx_size > block_size_bytes_;
}

void FileCopy::SwitchDirect(bool on, NextChains* next) {
  Enter(on ? State::kSetDirect : State::kUnsetDirect,
        SetDirect(source_.index, reads_direct_ ? FileRef() : target_, on), next);
}

void FileCopy::OnSetDirect(int32_t result, NextChains* next) {
  if (result < 0) return CopyPieces(next);  // Not to be had here.
  is_direct_ = true;
  if (reads_direct_) {
    pump_.Start(0, DirectEnd());
    return Pump(next);
  }
  PollIfAsked();
  Enter(State::kPreallocate, Preallocate(target_, source_stat_.stx_size), next);
}

void FileCopy::PollIfAsked() {
  PolledIo* const polled_io = policy_.polled_io;
  if (polled_io == nullptr || polled_io->refused()) return;
  const dev_t target_device =
      target_created_ ? names_.target_device
                      : makedev(target_stat_.stx_dev_major, target_stat_.stx_dev_minor);
  pump_.BeginPolling(polled_io->LengthMax(
                         makedev(source_stat_.stx_dev_major, source_stat_.stx_dev_minor)),
                     polled_io->LengthMax(target_device));
}

void FileCopy::OnPreallocate(int32_t result, NextChains* next) {
  if (stopped_) return CloseAll(next);
  if (ShouldRetry(result, &retries_, counters_)) {
    return Enter(State::kPreallocate, Preallocate(target_, source_stat_.stx_size), next);
  }
  const bool is_unsupported =
      result == -EOPNOTSUPP || result == -ENOSYS || result == -EPERM || result == -EINVAL;
  if (result < 0 && !is_unsupported) {
    Fail(Operation::kWrite, -result, /*on_target=*/true);
    return CloseAll(next);
  }
  is_preallocated_ = result == 0;
  pump_.Start(0, DirectEnd());
  Pump(next);
}

void FileCopy::OnUnsetDirect(int32_t result, NextChains* next) {
  is_direct_ = false;
  pump_.EndPolling();
  if (result < 0) Fail(Operation::kWrite, -result, /*on_target=*/true);
  if (stopped_ || result < 0) return CloseAll(next);
  if (pump_.complete() && !pump_.end_found()) {
    pump_.Start(DirectEnd(), source_stat_.stx_size);
    return Pump(next);
  }
  counters_->bytes_done.Add(-static_cast<int64_t>(pump_.bytes_written()));
  Enter(State::kDiscard, SetSize(target_.index, 0), next);
}

void FileCopy::OnDiscard(int32_t result, NextChains* next) {
  if (result < 0) {
    Fail(Operation::kWrite, -result, /*on_target=*/true);
    return CloseAll(next);
  }
  is_preallocated_ = false;
  CopyPieces(next);
}

uint32_t FileCopy::CacheSampleBytes() const {
  return static_cast<uint32_t>(
      std::min<uint64_t>(kCacheSampleBytesMax, source_stat_.stx_size / 2));
}

void FileCopy::CopyBytes(NextChains* next) {
  if (wants_direct()) {
    return SwitchDirect(/*on=*/true, next);
  }
  const bool may_copy_blocks_at_once = may_call_ &&
                                       policy_.page_cache == PageCache::kKeep &&
                                       source_stat_.stx_size > block_size_bytes_;
  if (!is_large() && !may_copy_blocks_at_once) return CopyPieces(next);
  Enter(State::kCountCached,
        CountCached(source_.index, source_stat_.stx_size / 2, CacheSampleBytes(),
                    &cached_bytes_),
        next);
}

void FileCopy::CopyPieces(NextChains* next) {
  if (has_holes_) return FindPieces(0, next);
  const uint64_t end = SourceEnd();
  if (is_shareable(0, end)) return CopyShared(0, end, next);
  pump_.Start(0, end);
  Pump(next);
}

bool FileCopy::is_shareable(uint64_t begin, uint64_t end) const {
  return is_large() && is_cached_ && !stopped_ &&
         end - begin >= policy_.shared_files->bytes_min();
}

void FileCopy::CopyShared(uint64_t begin, uint64_t end, NextChains* next) {
  shared_.Start(source_.index, target_.index, begin, end);
  pump_.Start(&shared_);
  offered_ = true;
  policy_.shared_files->Offer(&shared_);
  Pump(next);
}

void FileCopy::FindPieces(uint64_t offset, NextChains* next) {
  piece_end_ = offset;
  pump_.Start(offset, offset);
  FindPiece(next);
}

void FileCopy::FindPiece(NextChains* next) {
  if (stopped_) return CloseAll(next);
  if (piece_end_ >= source_stat_.stx_size || !pump_.may_add()) return Pump(next);
  Enter(State::kFindData, SeekData(source_.index, piece_end_, &piece_begin_), next);
}

void FileCopy::OnFindData(int32_t result, NextChains* next) {
  const uint64_t size = source_stat_.stx_size;
  if (result == -ENXIO) piece_begin_ = size;
  // Where holes can't be found there are none.
  if (result < 0 && result != -ENXIO) piece_begin_ = piece_end_;
  piece_begin_ = std::min<uint64_t>(piece_begin_, size);
  // A hole is copied by leaving it out.
  counters_->bytes_done.Add(static_cast<int64_t>(piece_begin_ - piece_end_));
  piece_end_ = piece_begin_;
  if (piece_begin_ == size) return FindPiece(next);
  Enter(State::kFindHole, SeekHole(source_.index, piece_begin_, &piece_end_), next);
}

void FileCopy::OnFindHole(int32_t result, NextChains* next) {
  const uint64_t size = source_stat_.stx_size;
  piece_end_ = result < 0 ? size : std::min<uint64_t>(piece_end_, size);
  if (is_shareable(piece_begin_, piece_end_)) {
    if (pump_.complete()) return CopyShared(piece_begin_, piece_end_, next);
    // It is found again once those before it are copied.
    piece_end_ = piece_begin_;
    return Pump(next);
  }
  if (piece_begin_ < piece_end_) pump_.Add(piece_begin_, piece_end_);
  FindPiece(next);
}

void FileCopy::OnContentsCopied(NextChains* next) {
  if (is_preallocated_ && pump_.end_found()) {
    // The source's last bytes are gone meanwhile.
    return Enter(State::kSetSize,
                 SetSize(target_.index, DirectEnd() + pump_.bytes_written()), next);
  }
  if (!has_holes_ || pump_.end_found()) return SetAttributes(next);
  // The last hole, if there is one.
  Enter(State::kSetSize, SetSize(target_.index, source_stat_.stx_size), next);
}

void FileCopy::Pump(NextChains* next) {
  state_ = State::kPump;
  if (stopped_ && !pump_.complete()) pump_.Stop();
  pump_.SetOneLane(at_once_);
  pump_.Advance(source_, target_, next);
  if (pump_.busy()) return;
  if (offered_ && !policy_.shared_files->Withdraw(&shared_)) {
    state_ = State::kAwaitHelper;
    outcome_ = Outcome::kAwaitHelper;
    return;
  }
  offered_ = false;
  OnPumped(next);
}

void FileCopy::Resume(NextChains* next) {
  RINGCP_CHECK(state_ == State::kAwaitHelper);
  outcome_ = Outcome::kRunning;
  Pump(next);
  SetAtOnce(next);
}

void FileCopy::OnPumped(NextChains* next) {
  if (is_direct_ && stopped_) return CloseAll(next);
  // A direct read that nobody asked for must not be what a copy fails by.
  const bool may_be_refused =
      pump_.error_number() == EINVAL ||
      (reads_direct_ && pump_.failed_operation() == Operation::kRead);
  if (is_direct_ && (!pump_.failed() || may_be_refused)) {
    const bool is_whole = pump_.complete() && !pump_.end_found();
    if (is_whole && !reads_direct_) counters_->files_direct.Add(1);
    return SwitchDirect(/*on=*/false, next);
  }
  if (pump_.complete()) {
    const bool more =
        has_holes_ && !pump_.end_found() && piece_end_ < source_stat_.stx_size;
    return more ? FindPieces(piece_end_, next) : OnContentsCopied(next);
  }
  if (pump_.failed()) {
    Fail(pump_.failed_operation(), pump_.error_number(),
         pump_.failed_operation() == Operation::kWrite);
  } else {
    stopped_ = true;  // If not by its own worker, then by its helper.
  }
  CloseAll(next);
}

// --- Attributes, in GNU cp's order: times, owner, mode ---

int FileCopy::target_fd() const {
  return installed_.index >= 0 ? installed_.index : target_.index;
}

bool FileCopy::owner_differs() const {
  return target_stat_.stx_uid != source_stat_.stx_uid ||
         target_stat_.stx_gid != source_stat_.stx_gid;
}

void FileCopy::SetAttributes(NextChains* next) {
  target_complete_ = outcome_at_end_ != Outcome::kFailed;  // Closing it may have.
  if (!policy_.preserve.any_attribute() || outcome_at_end_ == Outcome::kFailed) {
    return CloseAll(next);
  }
  if (installed_.index < 0 && use_slots_) {
    return Enter(State::kInstall, InstallDescriptor(target_), next);
  }
  if (!policy_.preserve.mode && !policy_.preserve.ownership) return SetTimesIfKept(next);
  // Most files have their owner and mode already: looking is cheaper than setting.
  Enter(State::kStatTargetDescriptor, StatDescriptor(target_fd(), &target_stat_), next);
}

void FileCopy::SetTimesIfKept(NextChains* next) {
  if (!policy_.preserve.timestamps) return RestrictModeIfNeeded(next);
  Enter(State::kSetTimes,
        SetTimes(target_fd(), ToTimespec(source_stat_.stx_atime),
                 ToTimespec(source_stat_.stx_mtime)),
        next);
}

void FileCopy::RestrictModeIfNeeded(NextChains* next) {
  // A file that was there may be open to more people than its new owner wants.
  if (target_overwritten_ && policy_.preserve.ownership && owner_differs() &&
      (target_stat_.stx_mode & kPermissions & ~kOwnerPermissions) != 0) {
    mode_t mode = target_stat_.stx_mode & kOwnerPermissions;
    if (policy_.preserve.mode) mode &= mode_wanted_;
    if (!policy_.preserve.mode) mode_wanted_ = target_stat_.stx_mode & kPermissions;
    target_stat_.stx_mode = mode;
    return Enter(State::kRestrictMode, SetMode(target_fd(), mode), next);
  }
  SetOwnerIfKept(next);
}

void FileCopy::SetOwnerIfKept(NextChains* next) {
  if (!policy_.preserve.ownership || !owner_differs()) return SetModeIfNeeded(next);
  Enter(State::kSetOwner,
        SetOwner(target_fd(), source_stat_.stx_uid, source_stat_.stx_gid), next);
}

void FileCopy::OnSetOwner(int32_t result, NextChains* next) {
  if (result == 0) {
    // A change of owner takes the set-ID bits away.
    target_stat_.stx_mode &= ~kSetIdBits;
    return SetModeIfNeeded(next);
  }
  if (!policy_.MayFailToSetOwner(-result)) {
    Fail(Operation::kSetOwner, -result, /*on_target=*/true);
  }
  // Not the owner's file: it must not act with its user's or group's rights.
  mode_wanted_ &= kPermissions;
  Enter(State::kSetGroup,
        SetOwner(target_fd(), static_cast<uid_t>(-1), source_stat_.stx_gid), next);
}

void FileCopy::SetModeIfNeeded(NextChains* next) {
  const bool wanted =
      policy_.preserve.mode ||
      (policy_.preserve.ownership &&
       (target_created_ || state_ == State::kSetOwner || state_ == State::kSetGroup));
  if (!wanted || (target_stat_.stx_mode & kAllModeBits) == mode_wanted_) {
    return CloseAll(next);
  }
  Enter(State::kSetMode, SetMode(target_fd(), mode_wanted_), next);
}

// --- The end ---

bool FileCopy::has_cached() const {
  return policy_.page_cache != PageCache::kKeep &&
         (policy_.uncached_io->reads_refused() || policy_.uncached_io->writes_refused());
}

void FileCopy::CloseAll(NextChains* next) {
  if (is_preallocated_ && !target_complete_ && !target_removable_) {
    // It stays: but not with a size as if it were whole.
    is_preallocated_ = false;
    return Enter(State::kEmpty, SetSize(target_.index, 0), next);
  }
  const bool both_open = source_ != FileRef() && target_ != FileRef();
  // ext4 keeps the page with the last bytes of a file that has been preallocated (6.18),
  // however it was written.
  const bool is_in_cache = has_cached() || is_preallocated_;
  // A copy that was stopped does not wait for the device.
  if (!both_open || !target_complete_ || cache_dropped_ || !is_in_cache || stopped_) {
    return CloseFiles(next);
  }
  cache_dropped_ = true;
  state_ = State::kDropCached;
  Chain& chain = next->Add(0);
  chain.Add(DropCached(source_));
  // A page that is not on the device yet can't be dropped.
  chain.Add(WriteBack(target_), Link::kHard).Add(DropCached(target_), Link::kHard);
}

void FileCopy::OnDropCached(int32_t written_back, NextChains* next) {
  // What could not be dropped stays, which is no error; what could not be written is,
  // whatever the device calls it. Nobody is told of it a second time.
  const bool is_unsupported = written_back == -EINVAL || written_back == -ENOSYS ||
                              written_back == -EOPNOTSUPP || written_back == -ESPIPE;
  if (written_back < 0 && !is_unsupported) {
    target_complete_ = false;
    Fail(Operation::kWrite, -written_back, /*on_target=*/true);
  }
  CloseFiles(next);
}

void FileCopy::CloseFiles(NextChains* next) {
  state_ = State::kClose;
  if (source_ == FileRef() && target_ == FileRef() && installed_ == FileRef()) {
    return Finish(next);
  }
  Chain& chain = next->Add(0);
  for (const FileRef file : {target_, installed_, source_}) {
    if (file != FileRef()) chain.Add(Close(file), Link::kHard);
  }
}

void FileCopy::OnClose(absl::Span<const int32_t> results, NextChains* next) {
  int position = 0;
  for (const FileRef* file : {&target_, &installed_, &source_}) {
    if (*file == FileRef()) continue;
    const int32_t result = results[position++];
    // Some file systems tell only now that the contents could not be stored.
    if (result < 0 && result != -EINTR && file != &source_) {
      target_complete_ = false;
      Fail(Operation::kClose, -result, /*on_target=*/true);
    }
  }
  source_ = target_ = installed_ = FileRef();
  Finish(next);
}

void FileCopy::Finish(NextChains* next) {
  const bool ours = target_created_ || target_changed_;
  if (ours && !target_complete_) {
    if (outcome_at_end_ == Outcome::kCopied) outcome_at_end_ = Outcome::kCancelled;
    if (target_removable_) {
      return Enter(State::kRemove, UnlinkAt(names_.target_directory, names_.target, 0),
                   next);
    }
  }
  if (!ours && stopped_ && outcome_at_end_ == Outcome::kCopied) {
    outcome_at_end_ = Outcome::kCancelled;
  }
  Done(outcome_at_end_);
}

void FileCopy::Done(Outcome outcome) {
  if (at_once_ && outcome == Outcome::kCopied) counters_->files_at_once.Add(1);
  state_ = State::kDone;
  outcome_ = outcome;
}

}  // namespace ringcp

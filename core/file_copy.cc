#include "core/file_copy.h"

#include <sys/sysmacros.h>

#include <cerrno>

#include "core/check.h"
#include "core/clone_table.h"

namespace ringcp {
namespace {

constexpr int kSourceFlags = O_RDONLY | O_NOCTTY;
constexpr int kNewTargetFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY;
constexpr int kExistingTargetFlags = O_WRONLY | O_NOCTTY | O_NONBLOCK;

}  // namespace

void FileCopy::Enter(State state, const Op& op, NextChains* next) {
  state_ = state;
  next->Add(0).Add(op);
}

void FileCopy::Fail(const CopyFailure& failure) {
  if (outcome_at_end_ == Outcome::kFailed) return;
  outcome_at_end_ = Outcome::kFailed;
  failure_ = failure;
}

void FileCopy::FailOnSource(Operation operation, int error_number) {
  Fail({.operation = operation, .error_number = error_number});
}

void FileCopy::FailOnTarget(Operation operation, int error_number) {
  Fail(TargetFailure(operation, error_number));
}

void FileCopy::Start(const FileCopyPolicy& policy, const FileCopyNames& names, int slot,
                     CallsAtOnce calls_at_once, NextChains* next) {
  RINGCP_CHECK(done() && state_ == State::kDone);
  policy_ = policy;
  names_ = names;
  slot_ = slot;
  control_.may_call = control_.at_once = calls_at_once == CallsAtOnce::kAll;
  control_.stopped = false;
  use_slots_ = policy.use_slots && !may_clone() && !control_.at_once;
  outcome_ = Outcome::kRunning;
  outcome_at_end_ = Outcome::kCopied;
  removal_error_ = 0;
  retries_ = 0;
  source_is_found_ = false;
  contents_.Reset(&policy_, &source_stat_);
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
  if (!control_.at_once) return;
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
  if (nonblock == 0) control_.at_once = false;  // It may take long.
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
    case State::kContents:
      contents_.Settle(lane, results, next);
      return OnContents(next);
    case State::kInstall:
      if (results[0] < 0) {
        FailOnTarget(Operation::kOpen, -results[0]);
        return CloseAll(next);
      }
      installed_ = FileRef::Descriptor(results[0]);
      return SetAttributes(next);
    case State::kAttributes:
      attributes_.Settle(results[0], next);
      return OnAttributes(next);
    case State::kInstallToEmpty:
      // Before Linux 6.8 there is no such op: then it stays as it is.
      if (results[0] < 0) return CloseFiles(next);
      installed_ = FileRef::Descriptor(results[0]);
      return EmptyTarget(next);
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
    case State::kDone:
      break;
  }
  RINGCP_CHECK(state_ != State::kDone && state_ != State::kAwaitDecision);
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
  if (control_.stopped && (error_number == EAGAIN || error_number == EINTR)) {
    return Finish(next);
  }
  // Somebody holds a lease on the file: with O_NONBLOCK off, opening waits for it.
  if (error_number == EAGAIN && retries_ == 0) {
    ++retries_;
    return OpenSource(0, next);
  }
  if (ShouldRetry(-error_number, &retries_, counters_)) {
    return OpenSource(O_NONBLOCK, next);
  }
  if (error_number == ELOOP && !names_.follow_source) {
    outcome_at_end_ = Outcome::kSourceIsOther;
  } else {
    // What is gone was gone when it was looked at; GNU cp stats first and says so.
    FailOnSource(error_number == ENOENT ? Operation::kStat : Operation::kOpen,
                 error_number);
    if (policy_.no_clobber && error_number != ENOENT) return StatBoth(next);
  }
  Finish(next);
}

void FileCopy::OnStatSource(int32_t result, NextChains* next) {
  if (result < 0) {
    FailOnSource(Operation::kStat, -result);
    return CloseAll(next);
  }
  if (!S_ISREG(source_stat_.stx_mode)) {
    outcome_at_end_ = Outcome::kSourceIsOther;
    return CloseAll(next);
  }
  const bool is_named = names_.source_device == CloneTable::kAnyDevice;
  if (is_named) {
    names_.source_device =
        makedev(source_stat_.stx_dev_major, source_stat_.stx_dev_minor);
  }
  const bool gets_set_id =
      policy_.preserve.mode && (source_stat_.stx_mode & kSetIdBits) != 0;
  if (use_slots_ &&
      (gets_set_id || contents_.needs_descriptors() || (is_named && may_clone()))) {
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
  if (control_.stopped) return CloseAll(next);
  if (!source_is_found_) {
    counters_->bytes_found.Add(static_cast<int64_t>(source_stat_.stx_size));
  }
  source_is_found_ = true;
  // Of what has to leave the page cache the chain must not close the files.
  // (Another worker may have found out only now: then this one file stays there.)
  if (use_slots_ && is_small() && (source_ == FileRef() || !has_cached())) {
    return CopyWhole(next);
  }
  OpenTarget(kNewTargetFlags, next);
}

// --- The target ---

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
  contents_.AddWhole(source, target, &chain);
  if (policy_.preserve.any_attribute()) chain.Add(InstallDescriptor(target));
  chain.Add(Close(target));
  chain.Add(Close(source), Link::kHard);
}

void FileCopy::OnCopyWhole(absl::Span<const int32_t> results, NextChains* next) {
  const int32_t opened = results[0];
  if (opens_both_) results.remove_prefix(1);
  contents_.SettleWhole(results[1], results[2]);
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
      FailOnTarget(Operation::kClose, -target_closed);
    }
  }
  state_ = State::kContents;
  contents_.Continue(source_, target_, next);
  OnContents(next);
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
    control_.at_once = false;
  }
  if (ShouldRetry(-error_number, &retries_, counters_)) {
    return OpenTarget(kNewTargetFlags, next);
  }
  if (!existing && error_number == EEXIST) {
    return StatTarget(next);
  }
  if (existing && policy_.force && !tried_removing_) {
    if (control_.stopped) return CloseAll(next);
    tried_removing_ = true;
    return Enter(State::kRemoveTarget,
                 UnlinkAt(names_.target_directory, names_.target, 0), next);
  }
  FailOnTarget(Operation::kCreate, error_number);
  CloseAll(next);
}

void FileCopy::OnRemoveTarget(int32_t result, NextChains* next) {
  if (result < 0 && result != -ENOENT) {
    FailOnTarget(Operation::kRemove, -result);
    return CloseAll(next);
  }
  if (control_.stopped) return CloseAll(next);
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
  if (control_.stopped) return CloseAll(next);
  const int32_t link_result = results[0];
  const int32_t file_result = results[1];
  const bool is_link = link_result == 0 && S_ISLNK(target_link_stat_.stx_mode);
  if (link_result == -ENOENT && retries_ < kRetriesMax) {  // Gone again meanwhile.
    ++retries_;
    return OpenTarget(kNewTargetFlags, next);
  }
  if (file_result == -ENOENT && is_link) {
    Fail(RefusedTarget(Refusal::kTargetDangling));
  } else if (link_result < 0 || file_result < 0) {
    FailOnTarget(Operation::kStat, link_result < 0 ? -link_result : -file_result);
  } else if (policy_.no_clobber) {
    outcome_at_end_ = Outcome::kSkipped;
  } else if (S_ISDIR(target_stat_.stx_mode)) {
    Fail(RefusedTarget(Refusal::kTargetIsDirectory));
  } else if (SameFile(source_stat_, target_stat_)) {
    Fail(RefusedTarget(Refusal::kSameFile));
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

bool FileCopy::may_clone() const {
  return policy_.MayClone(names_.source_device, names_.target_device);
}

// --- Contents ---

void FileCopy::CopyContents(NextChains* next) {
  const dev_t target_file_device =
      target_created_ ? names_.target_device
                      : makedev(target_stat_.stx_dev_major, target_stat_.stx_dev_minor);
  state_ = State::kContents;
  contents_.Start({.source = source_,
                   .target = target_,
                   .target_created = target_created_,
                   .target_has_contents = target_overwritten_ && !target_changed_,
                   .target_size = target_stat_.stx_size,
                   .may_clone = !use_slots_ && may_clone(),
                   .source_device = names_.source_device,
                   .target_device = names_.target_device,
                   .target_file_device = target_file_device},
                  next);
  OnContents(next);
}

void FileCopy::OnContents(NextChains* next) {
  target_changed_ = target_changed_ || contents_.target_emptied();
  outcome_ = Outcome::kRunning;
  switch (contents_.outcome()) {
    case ContentsCopy::Outcome::kRunning:
      return;
    case ContentsCopy::Outcome::kAwaitHelper:
      outcome_ = Outcome::kAwaitHelper;
      return;
    case ContentsCopy::Outcome::kCopied:
      return SetAttributes(next);
    case ContentsCopy::Outcome::kStopped:
      control_.stopped = true;  // If not by its own worker, then by its helper.
      return CloseAll(next);
    case ContentsCopy::Outcome::kFailed:
      Fail(contents_.failure());
      return CloseAll(next);
  }
}

void FileCopy::Resume(NextChains* next) {
  contents_.Resume(next);
  OnContents(next);
  SetAtOnce(next);
}

// --- Attributes ---

void FileCopy::SetAttributes(NextChains* next) {
  target_complete_ = outcome_at_end_ != Outcome::kFailed;  // Closing it may have.
  if (!policy_.preserve.any_attribute() || outcome_at_end_ == Outcome::kFailed) {
    return CloseAll(next);
  }
  if (target_fd() < 0) {
    return Enter(State::kInstall, InstallDescriptor(target_), next);
  }
  state_ = State::kAttributes;
  attributes_.Start(policy_, source_stat_, target_fd(), target_created_, next);
  OnAttributes(next);
}

void FileCopy::OnAttributes(NextChains* next) {
  if (!attributes_.done()) return;
  if (attributes_.failed()) Fail(attributes_.failure());
  CloseAll(next);
}

// --- The end ---

bool FileCopy::has_cached() const {
  return policy_.page_cache != PageCache::kKeep &&
         (policy_.uncached_io->reads_refused() || policy_.uncached_io->writes_refused());
}

void FileCopy::CloseAll(NextChains* next) {
  if (target_ != FileRef() && target_overwritten_ && target_changed_ &&
      !target_complete_ && !target_removable_) {
    return EmptyTarget(next);
  }
  const bool both_open = source_ != FileRef() && target_ != FileRef();
  // ext4 keeps the page with the last bytes of a file that has been preallocated (6.18),
  // however it was written.
  const bool is_in_cache = has_cached() || contents_.is_preallocated();
  // A copy that was stopped does not wait for the device.
  if (!both_open || !target_complete_ || !is_in_cache || control_.stopped) {
    return CloseFiles(next);
  }
  state_ = State::kDropCached;
  Chain& chain = next->Add(0);
  chain.Add(DropCached(source_));
  // A page that is not on the device yet can't be dropped.
  chain.Add(WriteBack(target_), Link::kHard).Add(DropCached(target_), Link::kHard);
}

void FileCopy::EmptyTarget(NextChains* next) {
  if (target_fd() < 0) {
    return Enter(State::kInstallToEmpty, InstallDescriptor(target_), next);
  }
  Enter(State::kEmpty, SetSize(target_fd(), 0), next);
}

void FileCopy::OnDropCached(int32_t written_back, NextChains* next) {
  // What could not be dropped stays, which is no error; what could not be written is,
  // whatever the device calls it. Nobody is told of it a second time.
  const bool is_unsupported = written_back == -EINVAL || written_back == -ENOSYS ||
                              written_back == -EOPNOTSUPP || written_back == -ESPIPE;
  if (written_back < 0 && !is_unsupported) {
    target_complete_ = false;
    FailOnTarget(Operation::kWrite, -written_back);
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
      FailOnTarget(Operation::kClose, -result);
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
  if (!ours && control_.stopped && outcome_at_end_ == Outcome::kCopied) {
    outcome_at_end_ = Outcome::kCancelled;
  }
  Done(outcome_at_end_);
}

void FileCopy::Done(Outcome outcome) {
  if (control_.at_once && outcome == Outcome::kCopied) counters_->files_at_once.Add(1);
  state_ = State::kDone;
  outcome_ = outcome;
}

}  // namespace ringcp

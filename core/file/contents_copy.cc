#include "core/file/contents_copy.h"

#include <cerrno>

#include "core/base/check.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"

namespace ringcp {

void ContentsCopy::Enter(State state, const Op& op, NextChains* next) {
  state_ = state;
  next->Add(0).Add(op);
}

void ContentsCopy::Done(Outcome outcome) {
  state_ = State::kDone;
  outcome_ = outcome;
}

void ContentsCopy::Fail(const CopyFailure& failure) {
  failure_ = failure;
  Done(Outcome::kFailed);
}

void ContentsCopy::FailToWrite(int32_t result) {
  Fail(TargetFailure(Operation::kWrite, -result));
}

void ContentsCopy::Reset(const FileCopyPolicy* policy, const struct statx* source_stat) {
  policy_ = policy;
  source_.blocks().io().Reset();
  target_.blocks().io().Reset();
  Restart(source_stat);
}

void ContentsCopy::Restart(const struct statx* source_stat) {
  RINGCP_CHECK(state_ == State::kDone);
  source_.Reset(source_stat, policy_->sparse == Sparse::kNever);
  target_.Reset(policy_);
  is_direct_ = reads_direct_ = is_behind_ = is_on_server_ = false;
  route_ = {};
  if (policy_->reflink == Reflink::kNever) route_.clone = ContentsRoute::Means::kNo;
  TakeCounted();
  outcome_ = Outcome::kRunning;
  retries_ = 0;
  pump_.Start();  // It forgets the last file.
  pace_.Reset();
}

void ContentsCopy::Start(const Files& files, NextChains* next) {
  files_ = files;
  const bool is_uncached = policy_->leaves_cache();
  source_.blocks().io().SetFileSystem(files.source_file_system, is_uncached);
  target_.blocks().io().SetFileSystem(files.target_file_system, is_uncached);
  // Where sizes are true a ring's empty read is at the end. Elsewhere only a call's is.
  source_.Start(files.source,
                policy_->queues_all && files.source_file_system->tells_true_sizes());
  target_.Start(files.target, files.target_has_contents, files.target_size);
  target_.blocks().SetSkipsZeros(skips_all_zeros());
  if (control_->only_calls) {
    control_->at_once = true;
    return CopyPieces(next);
  }
  // An empty file has nothing to share, and a file in /proc may only look empty.
  const bool is_worth_it = source_.size() != 0 || policy_->reflink == Reflink::kAlways;
  if (!files.may_clone || !is_worth_it) {
    control_->at_once = control_->at_once && may_be_read_at_once();
    return CopyBytes(next);
  }
  Enter(State::kClone, Clone(files_.source, files_.target), next);
}

void ContentsCopy::Settle(int lane, absl::Span<const int32_t> results, NextChains* next) {
  switch (state_) {
    case State::kPump:
      pump_.Settle(lane, results[0], results.back());
      return Pump(next);
    case State::kClone:
      return OnClone(results[0], next);
    case State::kTruncate:
      return OnTruncate(results[0], next);
    case State::kCopyRange:
      return OnCopyRange(results, next);
    case State::kCountCached:
      return OnCountCached(results[0], next);
    case State::kSetDirect:
      return OnSetDirect(results[0], next);
    case State::kAskSource:
      return OnSourceAsked(results, next);
    case State::kPreallocate:
      return OnPreallocate(results[0], next);
    case State::kLengthen:
      return OnLengthen(results[0], next);
    case State::kUnsetDirect:
      return OnUnsetDirect(results[0], next);
    case State::kDiscard:
      return OnDiscard(results[0], next);
    case State::kFindData:
      return OnFindData(results[0], next);
    case State::kFindHole:
      return OnFindHole(results[0], next);
    case State::kStatEnd:
      return OnStatEnd(results[0], next);
    case State::kSetSize:
      return results[0] < 0 ? FailToWrite(results[0])
                            : CopyBehind(target_.set_size(), next);
    case State::kAwaitHelper:
    case State::kDone:
      break;
  }
  RINGCP_CHECK(state_ != State::kDone && state_ != State::kAwaitHelper);
}

// --- The source ---

bool ContentsCopy::is_large() const {
  return policy_->shared_files != nullptr &&
         source_.size() >= policy_->shared_files->bytes_min();
}

// If nobody knows where the file ends, its last zeros have to be written.
bool ContentsCopy::skips_all_zeros() const {
  return policy_->sparse == Sparse::kAlways && source_.size() > 0;
}

bool ContentsCopy::wants_direct() const {
  return policy_->page_cache == PageCache::kBypass && !source_.has_holes() &&
         !skips_all_zeros() && source_.size() > block_size_bytes_;
}

// --- Clones ---

void ContentsCopy::OnClone(int32_t result, NextChains* next) {
  const bool refuses_all = result < 0 && FileSystemTable::RefusesAllClones(-result);
  // The clone of a target with old contents was a trial, so that they would stay if
  // cloning is impossible. After its success they have to go, because parts of them may
  // lie behind or between the new contents. They also have to go if they may be why it
  // failed.
  const bool was_trial = target_.has_old();
  const bool may_be_why =
      result == -ENOSPC || (result == -EINVAL && target_.old_size() > source_.size());
  if (was_trial && (result == 0 || may_be_why)) {
    return Enter(State::kTruncate, target_.EmptyOld(), next);
  }
  if (result == 0) {
    using Means = ContentsRoute::Means;
    route_ = {Means::kUnknown, Means::kYes, ContentsRoute::Holes::kUnknown};
    counters_->bytes_done.Add(static_cast<int64_t>(source_.size()));
    return Done(Outcome::kCopied);
  }
  if (policy_->reflink == Reflink::kAlways) {
    return Fail(TargetFailure(Operation::kClone, -result));
  }
  route_.clone = ContentsRoute::Means::kUnsupported;
  control_->at_once = control_->at_once && may_be_read_at_once();
  // The refusal is noted for the directories' file systems. A target that was there may
  // be a link to another file system, and another one may be mounted over the source.
  if (refuses_all && files_.target_created &&
      files_.source_file_system == files_.source_found_on) {
    policy_->file_systems->NoteCloneRefused(*files_.source_found_on,
                                            *files_.target_file_system);
  }
  CopyBytes(next);
}

void ContentsCopy::OnTruncate(int32_t result, NextChains* next) {
  target_.OnOldEmptied(result);
  if (result < 0) return FailToWrite(result);
  Enter(State::kClone, Clone(files_.source, files_.target), next);
}

ContentsRoute ContentsCopy::route() const {
  using Holes = ContentsRoute::Holes;
  ContentsRoute route = route_;
  if (route.clone == ContentsRoute::Means::kYes) return route;
  const bool takes_zeros =
      skips_all_zeros() || (source_.has_holes() && !source_.knows_holes());
  if (source_.has_holes()) {
    route.holes = takes_zeros ? Holes::kAskedAndZeros : Holes::kAsked;
  } else if (takes_zeros) {
    route.holes = Holes::kZeros;
  }
  return route;
}

int64_t ContentsCopy::TakeCounted() {
  return target_.blocks().TakeCounted() + shared_.TakeCounted();
}

// --- Pieces between holes, and large files that are shared ---

void ContentsCopy::CopyPieces(NextChains* next) {
  if (source_.has_holes()) return FindPieces(0, next);
  const uint64_t end = source_.end();
  if (is_shareable(0, end)) return CopyShared(0, end, next);
  CopyRange(0, end, next);
}

bool ContentsCopy::is_shareable(uint64_t begin, uint64_t end) const {
  return is_large() && source_.is_cached() && source_.knows_holes() &&
         !skips_all_zeros() && !control_->stopped &&
         end - begin >= policy_->shared_files->bytes_min();
}

void ContentsCopy::CopyShared(uint64_t begin, uint64_t end, NextChains* next) {
  shared_.SetFileSystems(files_.source_file_system, files_.target_file_system);
  shared_.Start(files_.source, files_.target, begin, end);
  source_.blocks().Start(&shared_);
  pump_.Start();
  offered_ = true;
  policy_->shared_files->Offer(&shared_);
  Pump(next);
}

void ContentsCopy::FindPieces(uint64_t offset, NextChains* next) {
  source_.GoTo(offset);
  source_.blocks().Start(offset, offset);
  pump_.Start();
  FindPiece(next);
}

void ContentsCopy::FindPiece(NextChains* next) {
  if (control_->stopped) return Done(Outcome::kStopped);
  if (!source_.has_more_pieces() || !source_.blocks().may_add()) return Pump(next);
  Enter(State::kFindData, source_.FindData(), next);
}

void ContentsCopy::OnFindData(int32_t result, NextChains* next) {
  // A hole that is left out counts as copied.
  target_.blocks().Count(static_cast<int64_t>(source_.OnFindData(result)));
  if (source_.ends_with_hole()) return FindPiece(next);
  Enter(State::kFindHole, source_.FindHole(), next);
}

void ContentsCopy::OnFindHole(int32_t result, NextChains* next) {
  source_.OnFindHole(result);
  if (!source_.knows_holes()) target_.blocks().SetSkipsZeros(true);
  const uint64_t begin = source_.piece_begin();
  const uint64_t end = source_.piece_end();
  // Zeros that are to be left out can only be seen in blocks.
  is_on_server_ = is_on_server_ && source_.knows_holes();
  if (is_on_server_ && begin < end) return CopyOnServer(begin, end, next);
  if (is_shareable(begin, end)) {
    if (pump_.complete()) return CopyShared(begin, end, next);
    // The piece is found again once the pieces before it are copied.
    source_.GoTo(begin);
    return Pump(next);
  }
  if (begin < end) source_.blocks().Add(begin, end);
  FindPiece(next);
}

// --- Blocks ---

void ContentsCopy::CopyRange(uint64_t begin, uint64_t end, NextChains* next) {
  source_.blocks().Start(begin, end);
  pump_.Start();
  Pump(next);
}

void ContentsCopy::Pump(NextChains* next) {
  state_ = State::kPump;
  if (control_->stopped && !pump_.complete()) pump_.Stop();
  pump_.SetOneLane(control_->at_once);
  if (policy_->may_enlarge_blocks) {
    pace_.Note(counters_->bytes_done.value(), policy_->kernel->Now());
    pump_.SetLargeBlocks(pace_.is_slow());
  }
  pump_.Advance(next);
  if (pump_.busy()) return;
  if (offered_ && !policy_->shared_files->Withdraw(policy_->kernel, &shared_)) {
    state_ = State::kAwaitHelper;
    outcome_ = Outcome::kAwaitHelper;
    return;
  }
  offered_ = false;
  OnPumped(next);
}

void ContentsCopy::Resume(NextChains* next) {
  RINGCP_CHECK(state_ == State::kAwaitHelper);
  outcome_ = Outcome::kRunning;
  Pump(next);
}

void ContentsCopy::OnPumped(NextChains* next) {
  if (is_direct_ && control_->stopped && !pump_.failed()) return Done(Outcome::kStopped);
  // A direct read that the user has not asked for must not make the copy fail.
  const bool may_be_refused =
      pump_.error_number() == EINVAL ||
      (reads_direct_ && pump_.failed_operation() == Operation::kRead);
  if (is_direct_ && (!pump_.failed() || may_be_refused)) {
    const bool is_whole = pump_.complete() && !source_.blocks().end_found();
    if (is_whole && direct_end_ < WholeDirectEnd()) {
      return CopyDirect(direct_end_, next);
    }
    if (is_whole && !reads_direct_) counters_->files_direct.Add(1);
    return SwitchDirect(/*on=*/false, next);
  }
  if (pump_.complete()) {
    if (is_behind_ || source_.end() == FileSource::kEndUnknown) {
      // A call has found the end. Room may have been set aside for a larger size.
      const uint64_t end = source_.blocks().end_offset();
      if (target_.is_too_long(end, source_.size())) return SetTargetSize(end, next);
      return Done(Outcome::kCopied);
    }
    const bool more =
        source_.has_holes() && !source_.blocks().end_found() && source_.has_more_pieces();
    return more ? FindPieces(source_.piece_end(), next) : OnEndReached(next);
  }
  // Its own worker stopped it, or a helper did.
  if (!pump_.failed()) return Done(Outcome::kStopped);
  Fail({.operation = pump_.failed_operation(),
        .error_number = pump_.error_number(),
        .on_target = pump_.failed_operation() == Operation::kWrite});
}

void ContentsCopy::OnEndReached(NextChains* next) {
  if (source_.blocks().end_found()) {
    return SetTargetSize(source_.blocks().end_offset(), next);
  }
  // If the source ends with data, the last write gave the target its size.
  const bool ends_with_data =
      !source_.has_holes() || (source_.knows_holes() && !source_.ends_with_hole());
  if (ends_with_data && !skips_all_zeros()) {
    return CopyBehind(source_.size(), next);
  }
  // The source may have been cut within its last hole.
  Enter(State::kStatEnd, policy_->CallUnlessQueued(source_.LookAtEnd()), next);
}

void ContentsCopy::OnStatEnd(int32_t result, NextChains* next) {
  if (result < 0) {
    return Fail({.operation = Operation::kStat, .error_number = -result});
  }
  SetTargetSize(source_.size_left(), next);
}

void ContentsCopy::SetTargetSize(uint64_t size, NextChains* next) {
  Enter(State::kSetSize, target_.SetSize(size), next);
}

void ContentsCopy::CopyBehind(uint64_t end, NextChains* next) {
  if (control_->stopped) return Done(Outcome::kStopped);
  is_behind_ = true;
  target_.blocks().SetSkipsZeros(false);
  source_.blocks().StartBehind(end);
  pump_.Start();
  Pump(next);
}

}  // namespace ringcp

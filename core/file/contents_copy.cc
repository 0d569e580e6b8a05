#include "core/file/contents_copy.h"

#include <algorithm>
#include <cerrno>

#include "core/base/check.h"
#include "core/base/file_identity.h"
#include "core/kernel/clone_table.h"

namespace ringcp {
namespace {

constexpr uint64_t kStatBlockBytes = 512;  // What stx_blocks counts, see statx(2).

// No hole is smaller. What is no larger may be stored beside its inode.
constexpr uint64_t kHoleBytesMin = 4096;

}  // namespace

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
  RINGCP_CHECK(state_ == State::kDone);
  policy_ = policy;
  source_stat_ = source_stat;
  target_emptied_ = false;
  empty_piece_ = kNone;
  is_direct_ = reads_direct_ = is_preallocated_ = is_cached_ = is_behind_ = false;
  is_size_set_ = false;
  TakeCounted();
  ends_with_hole_ = false;
  knows_holes_ = true;
  outcome_ = Outcome::kRunning;
  retries_ = 0;
  source_.Start(0, 0);  // Nothing is known of the last file any more.
  pump_.Start();
  for (BlockIo* const io : {&source_.io(), &sink_.io()}) {
    io->SetUncachedIo(policy->page_cache == PageCache::kKeep ? nullptr
                                                             : policy->uncached_io);
    io->SetPolledIo(policy->polled_io);
  }
  sink_.SetSkipsZeros(false);
}

void ContentsCopy::Start(const Files& files, NextChains* next) {
  files_ = files;
  source_.SetFile(files.source);
  source_.SetBelievesRing(policy_->queues_all && files.source_is_local);
  sink_.SetFile(files.target);
  if (control_->only_calls) {
    control_->at_once = true;
    return CopyPieces(next);
  }
  // Of an empty file there is nothing to share; one in /proc may only look empty.
  const bool is_worth_it =
      source_stat_->stx_size != 0 || policy_->reflink == Reflink::kAlways;
  if (!files.may_clone || !is_worth_it) {
    control_->at_once = control_->at_once && may_be_read_at_once();
    return CopyBytes(next);
  }
  Enter(State::kClone, Clone(files_.source.index, files_.target.index), next);
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
    case State::kCountCached:
      return OnCountCached(results[0], next);
    case State::kSetDirect:
      return OnSetDirect(results[0], next);
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
      return results[0] < 0 ? FailToWrite(results[0]) : CopyBehind(target_size_, next);
    case State::kAwaitHelper:
    case State::kDone:
      break;
  }
  RINGCP_CHECK(state_ != State::kDone && state_ != State::kAwaitHelper);
}

// --- What the source is like ---

bool ContentsCopy::HasHoles(const struct statx& stat) {
  return stat.stx_size > kHoleBytesMin &&
         stat.stx_blocks < stat.stx_size / kStatBlockBytes;
}

bool ContentsCopy::is_large() const {
  return policy_->shared_files != nullptr &&
         source_stat_->stx_size >= policy_->shared_files->bytes_min();
}

bool ContentsCopy::wants_direct() const {
  return policy_->page_cache == PageCache::kBypass && !has_holes() &&
         source_stat_->stx_size > block_size_bytes_;
}

uint64_t ContentsCopy::SourceEnd() const {
  return source_stat_->stx_size == 0 ? FileSource::kEndUnknown : source_stat_->stx_size;
}

// --- Clones ---

void ContentsCopy::OnClone(int32_t result, NextChains* next) {
  const bool refuses_all = result < 0 && CloneTable::RefusesAll(-result);
  // With old contents it was a trial, so that they stay where cloning is impossible. Now
  // they are to go: they may be behind or between the new ones, or be why it failed.
  const bool was_trial = files_.target_has_contents && !target_emptied_;
  const bool may_be_why =
      result == -ENOSPC ||
      (result == -EINVAL && files_.target_size > source_stat_->stx_size);
  if (was_trial && (result == 0 || may_be_why)) {
    target_emptied_ = true;
    return Enter(State::kTruncate, policy_->Resize(files_.target.index, 0), next);
  }
  if (result == 0) {
    counters_->bytes_done.Add(static_cast<int64_t>(source_stat_->stx_size));
    return Done(Outcome::kCopied);
  }
  if (policy_->reflink == Reflink::kAlways) {
    return Fail(TargetFailure(Operation::kClone, -result));
  }
  control_->at_once = control_->at_once && may_be_read_at_once();
  // A target that was there may be a link to elsewhere.
  if (refuses_all && files_.target_created) {
    policy_->clones->NoteRefused(files_.source_device, files_.target_device);
  }
  CopyBytes(next);
}

void ContentsCopy::OnTruncate(int32_t result, NextChains* next) {
  if (result < 0) return FailToWrite(result);
  Enter(State::kClone, Clone(files_.source.index, files_.target.index), next);
}

int64_t ContentsCopy::TakeCounted() {
  return sink_.TakeCounted() + shared_.TakeCounted();
}

// --- Pieces between holes, and large files that are shared ---

void ContentsCopy::CopyPieces(NextChains* next) {
  if (has_holes()) return FindPieces(0, next);
  const uint64_t end = SourceEnd();
  if (is_shareable(0, end)) return CopyShared(0, end, next);
  CopyRange(0, end, next);
}

bool ContentsCopy::is_shareable(uint64_t begin, uint64_t end) const {
  return is_large() && is_cached_ && knows_holes_ && !control_->stopped &&
         end - begin >= policy_->shared_files->bytes_min();
}

void ContentsCopy::CopyShared(uint64_t begin, uint64_t end, NextChains* next) {
  shared_.Start(files_.source.index, files_.target.index, begin, end);
  source_.Start(&shared_);
  pump_.Start();
  offered_ = true;
  policy_->shared_files->Offer(&shared_);
  Pump(next);
}

void ContentsCopy::FindPieces(uint64_t offset, NextChains* next) {
  piece_end_ = offset;
  source_.Start(offset, offset);
  pump_.Start();
  FindPiece(next);
}

void ContentsCopy::FindPiece(NextChains* next) {
  if (control_->stopped) return Done(Outcome::kStopped);
  if (piece_end_ >= source_stat_->stx_size || !source_.may_add()) return Pump(next);
  Enter(State::kFindData, SeekData(files_.source.index, piece_end_, &piece_begin_), next);
}

void ContentsCopy::OnFindData(int32_t result, NextChains* next) {
  const uint64_t size = source_stat_->stx_size;
  if (result == -ENXIO) piece_begin_ = size;
  // Where holes can't be found there are none.
  if (result < 0 && result != -ENXIO) piece_begin_ = piece_end_;
  piece_begin_ = std::min<uint64_t>(piece_begin_, size);
  // A hole is copied by leaving it out.
  sink_.Count(static_cast<int64_t>(piece_begin_ - piece_end_));
  piece_end_ = piece_begin_;
  ends_with_hole_ = piece_begin_ == size;
  if (ends_with_hole_) return FindPiece(next);
  Enter(State::kFindHole, SeekHole(files_.source.index, piece_begin_, &piece_end_), next);
}

void ContentsCopy::OnFindHole(int32_t result, NextChains* next) {
  const uint64_t size = source_stat_->stx_size;
  piece_end_ = result < 0 ? size : std::min<uint64_t>(piece_end_, size);
  if (piece_end_ == piece_begin_) {
    // It is a hole by now. One that is called data and a hole again and again would never
    // end: the rest is data then.
    if (empty_piece_ == piece_begin_) piece_end_ = size;
    empty_piece_ = piece_begin_;
  }
  if (piece_begin_ == 0 && piece_end_ == size) {
    // Then these are not holes that its file system knows.
    knows_holes_ = false;
    sink_.SetSkipsZeros(true);
  }
  if (is_shareable(piece_begin_, piece_end_)) {
    if (pump_.complete()) return CopyShared(piece_begin_, piece_end_, next);
    // It is found again once those before it are copied.
    piece_end_ = piece_begin_;
    return Pump(next);
  }
  if (piece_begin_ < piece_end_) source_.Add(piece_begin_, piece_end_);
  FindPiece(next);
}

// --- Blocks ---

void ContentsCopy::CopyRange(uint64_t begin, uint64_t end, NextChains* next) {
  source_.Start(begin, end);
  pump_.Start();
  Pump(next);
}

void ContentsCopy::Pump(NextChains* next) {
  state_ = State::kPump;
  if (control_->stopped && !pump_.complete()) pump_.Stop();
  pump_.SetOneLane(control_->at_once);
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
  // A direct read that nobody asked for must not be what a copy fails by.
  const bool may_be_refused =
      pump_.error_number() == EINVAL ||
      (reads_direct_ && pump_.failed_operation() == Operation::kRead);
  if (is_direct_ && (!pump_.failed() || may_be_refused)) {
    const bool is_whole = pump_.complete() && !source_.end_found();
    if (is_whole && direct_end_ < DirectEnd()) return CopyDirect(direct_end_, next);
    if (is_whole && !reads_direct_) counters_->files_direct.Add(1);
    return SwitchDirect(/*on=*/false, next);
  }
  if (pump_.complete()) {
    if (is_behind_ || SourceEnd() == FileSource::kEndUnknown) {
      // A call has found the end. Room was set aside for the size that it had.
      const bool is_too_long = is_preallocated_ && !is_size_set_ &&
                               source_.end_offset() < source_stat_->stx_size;
      if (is_too_long) return SetTargetSize(source_.end_offset(), next);
      return Done(Outcome::kCopied);
    }
    const bool more =
        has_holes() && !source_.end_found() && piece_end_ < source_stat_->stx_size;
    return more ? FindPieces(piece_end_, next) : OnEndReached(next);
  }
  // Stopped, if not by its own worker, then by its helper.
  if (!pump_.failed()) return Done(Outcome::kStopped);
  Fail({.operation = pump_.failed_operation(),
        .error_number = pump_.error_number(),
        .on_target = pump_.failed_operation() == Operation::kWrite});
}

void ContentsCopy::OnEndReached(NextChains* next) {
  if (source_.end_found()) return SetTargetSize(source_.end_offset(), next);
  // With the last byte written the target has its size.
  if (!has_holes() || (knows_holes_ && !ends_with_hole_)) {
    return CopyBehind(source_stat_->stx_size, next);
  }
  // Its last hole may be gone by now.
  Enter(State::kStatEnd,
        policy_->CallUnlessQueued(StatDescriptor(files_.source.index, &end_stat_)), next);
}

void ContentsCopy::OnStatEnd(int32_t result, NextChains* next) {
  if (result < 0) {
    return Fail({.operation = Operation::kStat, .error_number = -result});
  }
  SetTargetSize(std::min(source_stat_->stx_size, end_stat_.stx_size), next);
}

void ContentsCopy::SetTargetSize(uint64_t size, NextChains* next) {
  target_size_ = size;
  is_size_set_ = true;
  Enter(State::kSetSize, policy_->Resize(files_.target.index, size), next);
}

void ContentsCopy::CopyBehind(uint64_t end, NextChains* next) {
  if (control_->stopped) return Done(Outcome::kStopped);
  is_behind_ = true;
  sink_.SetSkipsZeros(false);
  source_.StartBehind(end);
  pump_.Start();
  Pump(next);
}

}  // namespace ringcp

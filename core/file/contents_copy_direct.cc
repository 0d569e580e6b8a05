// Whether contents pass through the page cache, and how they go past it (O_DIRECT).

#include <algorithm>
#include <cerrno>

#include "core/file/contents_copy.h"

namespace ringcp {
namespace {

// Of a large file no more is looked at to find out whether it is in the page cache: from
// its middle on, because somebody may have looked at its beginning alone.
constexpr uint32_t kCacheSampleBytesMax = 1024 * 1024;

// What offsets, lengths and buffers of direct reads and writes are multiples of: as much
// as any usual device asks for. Where it is too little they fail with EINVAL.
constexpr uint64_t kDirectAlignment = 4096;

// How much longer than what is written a target gets at a time, so that direct writes
// need not wait for each other: little enough that one whose copy was killed does not
// look whole, and so much that the lanes seldom run dry.
constexpr uint64_t kDirectAheadBytes = 64 * 1024 * 1024;

}  // namespace

uint32_t ContentsCopy::CacheSampleBytes() const {
  return static_cast<uint32_t>(
      std::min<uint64_t>(kCacheSampleBytesMax, source_stat_->stx_size / 2));
}

void ContentsCopy::CopyBytes(NextChains* next) {
  if (wants_direct()) return SwitchDirect(/*on=*/true, next);
  const bool may_copy_blocks_at_once = control_->may_call &&
                                       policy_->page_cache == PageCache::kKeep &&
                                       source_stat_->stx_size > block_size_bytes_;
  if (!is_large() && !may_copy_blocks_at_once) return CopyPieces(next);
  Enter(State::kCountCached,
        CountCached(files_.source.index, source_stat_->stx_size / 2, CacheSampleBytes(),
                    &cached_bytes_),
        next);
}

void ContentsCopy::OnCountCached(int32_t result, NextChains* next) {
  // Where it can't be told it is as if it were not.
  is_cached_ = result == 0 && cached_bytes_ >= CacheSampleBytes() / 2;
  // Between holes the sample tells nothing: the first piece that has to be waited for
  // does.
  control_->at_once = control_->may_call && (is_cached_ || has_holes()) &&
                      policy_->page_cache == PageCache::kKeep;
  // Then it is not put there either: that costs more CPU time than all the rest.
  if (policy_->direct_reads && is_large() && !is_cached_ && !has_holes() && result == 0) {
    reads_direct_ = true;
    return SwitchDirect(/*on=*/true, next);
  }
  CopyPieces(next);
}

uint64_t ContentsCopy::DirectEnd() const {
  return source_stat_->stx_size / kDirectAlignment * kDirectAlignment;
}

void ContentsCopy::SwitchDirect(bool on, NextChains* next) {
  Enter(on ? State::kSetDirect : State::kUnsetDirect,
        SetDirect(files_.source.index, reads_direct_ ? FileRef() : files_.target, on),
        next);
}

void ContentsCopy::OnSetDirect(int32_t result, NextChains* next) {
  if (result < 0) return CopyPieces(next);  // Not to be had here.
  is_direct_ = true;
  if (reads_direct_) return CopyDirect(0, next);
  PollIfAsked();
  Enter(State::kPreallocate, Preallocate(files_.target, source_stat_->stx_size), next);
}

void ContentsCopy::PollIfAsked() {
  PolledIo* const polled_io = policy_->polled_io;
  if (polled_io == nullptr || polled_io->refused()) return;
  const uint32_t read_length_max = polled_io->LengthMax(DeviceOf(*source_stat_));
  const uint32_t write_length_max = polled_io->LengthMax(files_.target_file_device);
  if (read_length_max == 0) return source_.io().RefusePolling(EOPNOTSUPP);
  if (write_length_max == 0) return sink_.io().RefusePolling(EOPNOTSUPP);
  const uint32_t length_max = std::min(read_length_max, write_length_max);
  source_.io().BeginPolling(length_max);
  sink_.io().BeginPolling(length_max);
}

void ContentsCopy::OnPreallocate(int32_t result, NextChains* next) {
  if (control_->stopped) return Done(Outcome::kStopped);
  if (ShouldRetry(result, &retries_, counters_)) {
    return Enter(State::kPreallocate, Preallocate(files_.target, source_stat_->stx_size),
                 next);
  }
  const bool is_unsupported =
      result == -EOPNOTSUPP || result == -ENOSYS || result == -EPERM || result == -EINVAL;
  if (result < 0 && !is_unsupported) return FailToWrite(result);
  is_preallocated_ = result == 0;
  CopyDirect(0, next);
}

void ContentsCopy::CopyDirect(uint64_t begin, NextChains* next) {
  direct_begin_ = begin;
  direct_end_ = DirectEnd();
  // With its last block it gets its whole size, once it has all the rest.
  const uint64_t last_block = direct_end_ - block_size_bytes_;
  const bool is_worth_it =
      !reads_direct_ && direct_end_ > kLanesMax * uint64_t{block_size_bytes_};
  if (is_worth_it && begin < last_block) {
    direct_end_ = std::min(begin + kDirectAheadBytes, last_block);
    return Enter(State::kLengthen, policy_->Resize(files_.target.index, direct_end_),
                 next);
  }
  CopyRange(begin, direct_end_, next);
}

void ContentsCopy::OnLengthen(int32_t result, NextChains* next) {
  if (control_->stopped) return Done(Outcome::kStopped);
  // Without it the copy is only slower.
  if (result < 0) direct_end_ = DirectEnd();
  CopyRange(direct_begin_, direct_end_, next);
}

void ContentsCopy::OnUnsetDirect(int32_t result, NextChains* next) {
  is_direct_ = false;
  source_.io().EndPolling();
  sink_.io().EndPolling();
  if (result < 0 && reads_direct_) {
    return Fail({.operation = Operation::kRead, .error_number = -result});
  }
  if (result < 0) return FailToWrite(result);
  if (control_->stopped) return Done(Outcome::kStopped);
  if (pump_.complete() && !source_.end_found()) return CopyBehind(DirectEnd(), next);
  Discard(next);
}

void ContentsCopy::Discard(NextChains* next) {
  counters_->bytes_done.Add(-TakeCounted());
  Enter(State::kDiscard, policy_->Resize(files_.target.index, 0), next);
}

void ContentsCopy::OnDiscard(int32_t result, NextChains* next) {
  if (result < 0) return FailToWrite(result);
  is_preallocated_ = is_size_set_ = is_behind_ = false;
  empty_piece_ = kNone;
  CopyPieces(next);
}

}  // namespace ringcp

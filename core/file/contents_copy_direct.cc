// The part of ContentsCopy that decides whether contents pass through the page cache, and
// moves them past it (O_DIRECT).

#include <algorithm>
#include <cerrno>

#include "core/file/contents_copy.h"

namespace ringcp {
namespace {

// How far a target is made longer ahead of its direct writes, so that they need not wait
// for each other. It is little enough that a target whose copy was killed does not look
// whole, and enough that the lanes seldom run dry.
constexpr uint64_t kDirectAheadBytes = 64 * 1024 * 1024;

// Bytes that offsets, lengths and buffers of direct reads and writes are multiples of at
// least: as many as most devices ask for. What asks for more says so; if it does not, or
// asks for more than a block, it fails them with EINVAL.
constexpr uint64_t kDirectAlignmentMin = 4096;

uint64_t DirectAlignment(const struct statx& stat) {
  const bool is_told = (stat.stx_mask & STATX_DIOALIGN) != 0;
  return std::max<uint64_t>(is_told ? stat.stx_dio_offset_align : 0, kDirectAlignmentMin);
}

}  // namespace

void ContentsCopy::CopyBlocks(NextChains* next) {
  if (wants_direct()) {
    const bool is_refused = files_.source_file_system->refuses_direct() ||
                            files_.target_file_system->refuses_direct();
    return is_refused ? CopyPieces(next) : SwitchDirect(/*on=*/true, next);
  }
  const bool may_copy_blocks_at_once = control_->may_call && !policy_->leaves_cache() &&
                                       source_.size() > block_size_bytes_;
  if (!is_large() && !may_copy_blocks_at_once) return CopyPieces(next);
  Enter(State::kCountCached, source_.CountCached(), next);
}

void ContentsCopy::OnCountCached(int32_t result, NextChains* next) {
  const bool is_known = source_.OnCountCached(result);
  // The sample of a file with holes tells nothing. Its pieces are copied at once until
  // the first one has to be waited for.
  control_->at_once = control_->may_call &&
                      (source_.is_cached() || source_.has_holes()) &&
                      !policy_->leaves_cache();
  // A large file that is not in the page cache is not put there either, because that
  // takes more CPU time than the rest of the copy.
  if (policy_->direct_reads && is_large() && is_known && !source_.is_cached() &&
      !source_.has_holes() && !files_.source_file_system->refuses_direct()) {
    reads_direct_ = true;
    return SwitchDirect(/*on=*/true, next);
  }
  CopyPieces(next);
}

void ContentsCopy::SwitchDirect(bool on, NextChains* next) {
  const FileRef target = reads_direct_ ? FileRef() : files_.target;
  state_ = on ? State::kSetDirect : State::kUnsetDirect;
  Chain& chain = next->Add(0).Add(SetDirect(files_.source, target, on));
  if (on && !reads_direct_) {
    direct_target_ = {};
    chain.Add(StatDescriptor(target, &direct_target_));
  }
}

uint64_t ContentsCopy::WholeDirectEnd() const {
  // Both are powers of two.
  const uint64_t alignment = reads_direct_ ? DirectAlignment(source_.stat())
                                           : std::max(DirectAlignment(source_.stat()),
                                                      DirectAlignment(direct_target_));
  return source_.size() / alignment * alignment;
}

void ContentsCopy::OnSetDirect(int32_t result, NextChains* next) {
  if (result == -EINVAL && !reads_direct_) return AskSource(next);
  if (result == -EINVAL) files_.source_file_system->NoteDirectRefused();
  if (result < 0) return CopyPieces(next);  // Without O_DIRECT.
  is_direct_ = true;
  if (reads_direct_) return CopyDirect(0, next);
  PollIfAsked();
  Enter(State::kPreallocate, target_.SetRoomAside(source_.size()), next);
}

void ContentsCopy::AskSource(NextChains* next) {
  const FileRef source = files_.source;
  state_ = State::kAskSource;
  next->Add(0)
      .Add(SetDirect(source, FileRef(), /*on=*/true))
      .Add(SetDirect(source, FileRef(), /*on=*/false), Tie::kHard);
}

void ContentsCopy::OnSourceAsked(absl::Span<const int32_t> results, NextChains* next) {
  if (results[0] == -EINVAL) files_.source_file_system->NoteDirectRefused();
  if (results[0] == 0) files_.target_file_system->NoteDirectRefused();
  if (results[0] == 0 && results[1] < 0) {
    return Fail({.operation = Operation::kRead, .error_number = -results[1]});
  }
  CopyPieces(next);
}

void ContentsCopy::PollIfAsked() {
  FileSystem* const source = files_.source_file_system;
  FileSystem* const target = files_.target_file_system;
  if (!policy_->polls || source->refuses_polling() || target->refuses_polling()) return;
  const uint32_t read_length_max = policy_->file_systems->PollableBytes(source);
  const uint32_t write_length_max = policy_->file_systems->PollableBytes(target);
  if (read_length_max == 0) source_.blocks().io().RefusePolling(EOPNOTSUPP);
  if (write_length_max == 0) target_.blocks().io().RefusePolling(EOPNOTSUPP);
  if (read_length_max == 0 || write_length_max == 0) return;
  const uint32_t length_max = std::min(read_length_max, write_length_max);
  source_.blocks().io().BeginPolling(length_max);
  target_.blocks().io().BeginPolling(length_max);
}

void ContentsCopy::OnPreallocate(int32_t result, NextChains* next) {
  if (control_->stopped) return Done(Outcome::kStopped);
  if (ShouldRetry(result, &retries_, counters_)) {
    return Enter(State::kPreallocate, target_.SetRoomAside(source_.size()), next);
  }
  if (target_.OnRoomSetAside(result)) return FailToWrite(result);
  CopyDirect(0, next);
}

void ContentsCopy::CopyDirect(uint64_t begin, NextChains* next) {
  direct_begin_ = begin;
  direct_end_ = WholeDirectEnd();
  // The target gets its whole size only with the last block, once all others are written.
  const uint64_t last_block = direct_end_ - block_size_bytes_;
  const bool is_worth_it =
      !reads_direct_ && direct_end_ > kLanesMax * uint64_t{block_size_bytes_};
  if (is_worth_it && begin < last_block) {
    direct_end_ = std::min(begin + kDirectAheadBytes, last_block);
    return Enter(State::kLengthen, target_.Lengthen(direct_end_), next);
  }
  CopyRange(begin, direct_end_, next);
}

void ContentsCopy::OnLengthen(int32_t result, NextChains* next) {
  if (control_->stopped) return Done(Outcome::kStopped);
  // If the target could not be made longer, the copy is only slower.
  if (result < 0) direct_end_ = WholeDirectEnd();
  CopyRange(direct_begin_, direct_end_, next);
}

void ContentsCopy::OnUnsetDirect(int32_t result, NextChains* next) {
  is_direct_ = false;
  source_.blocks().io().EndPolling();
  target_.blocks().io().EndPolling();
  if (result < 0 && reads_direct_) {
    return Fail({.operation = Operation::kRead, .error_number = -result});
  }
  if (result < 0) return FailToWrite(result);
  if (control_->stopped) return Done(Outcome::kStopped);
  if (pump_.complete() && !source_.blocks().end_found()) {
    return CopyBehind(WholeDirectEnd(), next);
  }
  Discard(next);
}

void ContentsCopy::Discard(NextChains* next) {
  counters_->bytes_done.Add(-TakeCounted());
  Enter(State::kDiscard, target_.Discard(), next);
}

void ContentsCopy::OnDiscard(int32_t result, NextChains* next) {
  if (result < 0) return FailToWrite(result);
  target_.OnDiscarded();
  is_behind_ = false;
  CopyPieces(next);
}

}  // namespace ringcp

// The part of FileCopy that closes both files, and keeps, empties or removes the target.
//
// If nothing is to stay in the page cache, but reads or writes that say so are refused,
// the target is written back, and both files are dropped from the page cache, before they
// are closed (kDropCached).

#include <cerrno>

#include "core/file/file_copy.h"

namespace ringcp {

bool FileCopy::has_cached() const {
  return policy_.leaves_cache() &&
         (contents_.refused_uncached() || source_refuses_uncached() ||
          target_.file_system()->refuses_uncached_writes());
}

bool FileCopy::source_refuses_uncached() const {
  // While the file system is not known, it counts as refusing if any has refused.
  return source_file_system_ != nullptr
             ? source_file_system_->refuses_uncached_reads()
             : policy_.file_systems->has_refused_uncached_reads();
}

void FileCopy::CloseAll(NextChains* next) {
  DropFirstBlock();
  const bool both_open = source_ != FileRef() && target_.is_open();
  // ext4 keeps the page with the last bytes of a preallocated file in the page cache,
  // however they were written (Linux 6.18).
  const bool is_in_cache = has_cached() || contents_.is_preallocated();
  // A stopped copy does not wait for the device.
  if (!both_open || !target_.is_whole() || !is_in_cache || control_.stopped) {
    return CloseFiles(next);
  }
  state_ = State::kDropCached;
  Chain& chain = next->Add(0);
  chain.Add(DropCached(source_));
  // A page can be dropped only once it is on the device.
  const FileRef target = target_.file();
  chain.Add(WriteBack(target), Tie::kHard).Add(DropCached(target), Tie::kHard);
}

bool FileCopy::EndsTarget(NextChains* next) {
  switch (target_.step()) {
    case PlacedTarget::Step::kInstall:
      LeaveSlot(next);
      return true;
    case PlacedTarget::Step::kClose:
    case PlacedTarget::Step::kDone:
      return false;
    default:
      break;
  }
  state_ = State::kEndTarget;
  Chain& chain = next->Add(0);
  target_.AddStep(&chain);
  if (closes_at_once_) chain.SetAtOnce();
  return true;
}

void FileCopy::OnEndTarget(absl::Span<const int32_t> results, NextChains* next) {
  if (MayNotHaveRun(results[0])) {
    closes_at_once_ = true;
    EndsTarget(next);
    return;
  }
  target_.Settle(results);
  const bool goes_on = outcome_at_end_ != Outcome::kFailed && !control_.stopped;
  const bool is_done = target_.step() == PlacedTarget::Step::kDone;
  if (!begins_anew() || !goes_on || !is_done) return CloseFiles(next);
  // The target that this copy made could not be opened once more, so it was removed, if
  // possible, and a new one is made.
  if (target_.removal_error() != 0) {
    FailOnTarget(Operation::kRemove, target_.removal_error());
    return CloseFiles(next);
  }
  target_.Forget();
  OpenNewTarget(next);
}

void FileCopy::OnDropCached(int32_t written_back, NextChains* next) {
  // Pages that could not be dropped stay, which is no error. Pages that could not be
  // written back are one, and the kernel tells of it only once.
  const bool is_unsupported = written_back == -EINVAL || written_back == -ENOSYS ||
                              written_back == -EOPNOTSUPP || written_back == -ESPIPE;
  if (written_back < 0 && !is_unsupported) {
    target_.NoteNotStored();
    FailOnTarget(Operation::kWrite, -written_back);
    return CloseAll(next);
  }
  CloseFiles(next);
}

void FileCopy::AddCloses(Tie tie, Chain* chain) {
  if (target_.is_open()) {
    target_.AddClose(closes_at_once_, tie, chain);
    tie = Tie::kHard;
  }
  if (source_ == FileRef()) return;
  chain->Add(closes_at_once_ ? AtOnce(Close(source_)) : Close(source_), tie);
}

void FileCopy::CloseFiles(NextChains* next) {
  if (EndsTarget(next)) return;
  if (source_ == FileRef() && !target_.is_open()) return Done();
  state_ = State::kClose;
  AddCloses(Tie::kHard, &next->Add(0));
}

// A call has always run, so its -ECANCELED is an answer of the file system.
bool FileCopy::MayNotHaveRun(int32_t result) const {
  return result == -ECANCELED && !closes_at_once_ && !control_.at_once;
}

void FileCopy::OnClosed(absl::Span<const int32_t> results) {
  bool repeats = false;
  if (target_.is_open()) {
    const int ops = target_.CloseOps();
    if (MayNotHaveRun(results[ops - 1])) {
      repeats = true;
    } else {
      target_.SettleClose(results.first(ops));
      if (target_.close_error() != 0) {
        FailOnTarget(Operation::kClose, target_.close_error());
      }
    }
    results.remove_prefix(ops);
  }
  if (source_ != FileRef() && MayNotHaveRun(results[0])) {
    repeats = true;
  } else {
    source_ = FileRef();
  }
  closes_at_once_ = closes_at_once_ || repeats;
}

void FileCopy::Done() {
  if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
  outcome_ = outcome_at_end_;
  if (outcome_ == Outcome::kCopied && !target_.is_whole()) outcome_ = Outcome::kCancelled;
  if (control_.at_once && outcome_ == Outcome::kCopied) counters_->files_at_once.Add(1);
  state_ = State::kDone;
}

}  // namespace ringcp

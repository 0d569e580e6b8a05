// The part of FileCopy that writes the contents to the target, and that copies all once
// more if queued writes fail.

#include <sys/stat.h>

#include <cerrno>

#include "core/base/file_identity.h"
#include "core/file/file_copy.h"

namespace ringcp {

void FileCopy::CopyWhole(NextChains* next) {
  const FileRef target = FileRef::Slot(slot_);
  state_ = State::kCopyWhole;
  Chain& chain = next->Add(0);
  chain.Add(OpenAt(names_.target_directory, names_.target, opening_.flags(), FirstMode(),
                   target));
  BeginToWrite();
  if (block_.filled > 0) chain.Add(WriteBlock(target));
  if (sets_attributes()) chain.Add(InstallDescriptor(target));
  chain.Add(Close(target));
  chain.Add(Close(source_), Tie::kHard);
}

void FileCopy::OnCopyWhole(absl::Span<const int32_t> results, NextChains* next) {
  if (results[0] < 0) return OnOpenTargetFailed(-results[0], next);
  target_.NoteMade(FileRef::Slot(slot_));
  size_t at = 1;
  if (block_.filled > 0) NoteWritten(results[at++]);
  const int32_t installed = sets_attributes() ? results[at++] : -ECANCELED;
  const int32_t target_closed = results[at];
  const int32_t source_closed = results[at + 1];
  // A close that was cancelled did not run. A close that failed has closed the file.
  if (source_closed != -ECANCELED) source_ = FileRef();
  if (block_.is_written()) target_.NoteWhole();
  // The target is in its slot still, but the slot is for this chain only.
  if (installed < 0 && target_closed == -ECANCELED) return LeaveSlot(next);
  target_.SetFile(installed >= 0 ? FileRef::Descriptor(installed) : FileRef());
  if (target_closed < 0 && target_closed != -ECANCELED) {
    FailOnTarget(Operation::kClose, -target_closed);
    // Without a descriptor nobody can say whether the name still leads to the target, so
    // it stays.
    if (target_.is_open()) target_.NoteNotStored();
  }
  // The close did not run, because the kernel lacked memory or a thread.
  if (installed >= 0 && target_closed == -ECANCELED) return LeaveSlot(next);
  SetAttributes(next);
}

// A file that stays in its slot is open until another file takes the slot, or until the
// ring is gone.
void FileCopy::LeaveSlot(NextChains* next) {
  state_ = State::kLeaveSlot;
  Chain& chain = next->Add(0);
  if (target_.file().is_slot()) chain.Add(InstallDescriptor(target_.file()));
  chain.Add(Close(FileRef::Slot(slot_)), Tie::kHard);
}

void FileCopy::OnLeaveSlot(absl::Span<const int32_t> results, NextChains* next) {
  const int32_t result = results[0];
  const bool installs = target_.file().is_slot();
  if (result == -ECANCELED && ShouldRetry(result, &retries_, counters_)) {
    return LeaveSlot(next);  // None of the ops has run.
  }
  if (installs && result < 0) {
    FailOnTarget(Operation::kOpen, -result);
    // Without a descriptor nobody can say whether the name still leads to the target.
    target_.NoteLost(-result);
    return CloseAll(next);
  }
  if (installs) {
    target_.SetFile(FileRef::Descriptor(result));
    if (results[1] == -ECANCELED) return LeaveSlot(next);
  }
  const bool gives_up = control_.stopped && !target_.is_whole();
  if (outcome_at_end_ == Outcome::kFailed || gives_up) return CloseAll(next);
  WriteWhole(next);
}

void FileCopy::CopyContents(NextChains* next) {
  first_failure_.reset();
  if (policy_.attributes_only) {
    target_.NoteWithoutContents();
    return SetAttributes(next);
  }
  if (is_whole_) {
    BeginToWrite();
    return WriteWhole(next);
  }
  state_ = State::kContents;
  contents_.Start({.source = source_,
                   .target = target_.file(),
                   .source_file_system = source_file_system_,
                   .target_file_system = target_.file_system(),
                   .target_created = target_.is_made(),
                   .target_has_contents = target_.is_untouched(),
                   .target_size = target_.stat().stx_size,
                   .may_clone = may_clone(),
                   .source_found_on = names_.source_file_system},
                  next);
  OnContents(next);
}

std::optional<ContentsRoute> FileCopy::route() const {
  if (policy_.attributes_only) return std::nullopt;
  ContentsRoute route = contents_.route();
  const bool is_refused = route.clone == ContentsRoute::Means::kAvoided && !may_clone();
  if (is_refused) route.clone = ContentsRoute::Means::kUnsupported;
  return route;
}

void FileCopy::BeginToWrite() {
  contents_.sink().io().SetFileSystem(target_.file_system(), policy_.leaves_cache());
}

Op FileCopy::WriteBlock(FileRef target) {
  contents_.sink().SetFile(target);
  return contents_.sink().Write(&block_);
}

bool FileCopy::closes_when_written() const {
  return !sets_attributes() && !policy_.leaves_cache();
}

void FileCopy::WriteWhole(NextChains* next) {
  state_ = State::kWriteWhole;
  const bool writes = !block_.is_written();
  if (!writes && !closes_when_written()) return OnWriteWhole({}, next);
  Chain& chain = next->Add(0);
  if (writes) chain.Add(WriteBlock(target_.file()));
  if (closes_when_written()) AddCloses(Tie::kSoft, &chain);
  // Either all ops of a chain are carried out at once or none is, and the closes have to
  // be.
  if (control_.only_calls || (closes_when_written() && closes_at_once_)) {
    chain.SetAtOnce();
  }
}

void FileCopy::OnWriteWhole(absl::Span<const int32_t> results, NextChains* next) {
  if (!block_.is_written()) {
    const bool may_go_on = NoteWritten(results[0]);
    results.remove_prefix(1);
    if (!block_.is_written()) return may_go_on ? WriteWhole(next) : CloseAll(next);
  }
  target_.NoteWhole();
  if (!closes_when_written()) return SetAttributes(next);
  OnClosed(results);
  CloseAll(next);
}

bool FileCopy::may_help_to_call() const {
  return target_.file_system()->may_write_by_calls_only() && !control_.only_calls;
}

bool FileCopy::NoteWritten(int32_t result) {
  if (result == -EIO && may_help_to_call() && !control_.stopped) {
    control_.only_calls = closes_at_once_ = true;
    counters_->bytes_done.Add(-contents_.TakeCounted());
    block_.written = 0;
    return true;
  }
  const BlockResult written = contents_.sink().OnWrite(result, &block_);
  if (written.kind == BlockResult::Kind::kFailed) {
    FailOnTarget(Operation::kWrite, written.error_number);
    return false;
  }
  return !control_.stopped;
}

void FileCopy::OnContents(NextChains* next) {
  if (contents_.target_emptied()) target_.NoteEmptied();
  outcome_ = Outcome::kRunning;
  switch (contents_.outcome()) {
    case ContentsCopy::Outcome::kRunning:
      return;
    case ContentsCopy::Outcome::kAwaitHelper:
      outcome_ = Outcome::kAwaitHelper;
      return;
    case ContentsCopy::Outcome::kCopied:
      target_.NoteWhole();
      return SetAttributes(next);
    case ContentsCopy::Outcome::kStopped:
      control_.stopped = true;  // A helper may have stopped the copy.
      return CloseAll(next);
    case ContentsCopy::Outcome::kFailed:
      if (ShouldCopyAnew(contents_.failure())) return CopyAnew(next);
      Fail(contents_.failure());
      return CloseAll(next);
  }
}

bool FileCopy::ShouldCopyAnew(const CopyFailure& failure) const {
  const int error = failure.error_number;
  return may_help_to_call() && !control_.stopped && policy_.reflink != Reflink::kAlways &&
         failure.on_target && failure.operation == Operation::kWrite && error != ENOSPC &&
         error != EDQUOT && error != EFBIG;
}

// A queued write may fail although a call would not. If a file system in user space
// stores only a part of an asynchronous write, the kernel answers EIO (Linux 6.18), where
// pwrite(2) is told how much was stored, and goes on. Other such file systems, on object
// stores, take writes in order only. So if the target may be on one of them, the whole
// file is copied once more, in order and by calls, into a target that is opened anew, and
// the results of these calls count. Writing only the failed block again would not do,
// because an error may also tell, once, that earlier blocks could not be stored.
//
// After a failed write some file systems take nothing more from the open file. So the
// target is emptied, closed and opened once more, if its name still leads to it:
// kLookAnew, kLetGo, kConfirmTarget, kOpenTarget, kContents. If each look may tell
// another inode number, nobody can say where the name leads, and the open file is emptied
// and written to again: kLookAnew, kEmptyTarget, kContents.
void FileCopy::CopyAnew(NextChains* next) {
  first_failure_ = contents_.failure();
  state_ = State::kLookAnew;
  Chain& chain = next->Add(0);
  if (contents_.is_direct()) {
    chain.Add(SetDirect(source_, target_.file(), /*on=*/false));
  }
  chain.Add(StatDescriptor(target_.file(), target_.mutable_stat()), Tie::kHard);
  chain.Add(StatAt(names_.target_directory, names_.target, opening_.look_flags(),
                   target_.mutable_named()),
            Tie::kHard);
  chain.SetAtOnce();
}

void FileCopy::OnLookAnew(absl::Span<const int32_t> results, NextChains* next) {
  target_.NoteStat(results[results.size() - 2], target_.stat());
  const bool is_known = target_.is_identified() && results.back() == 0;
  const bool may_be_made_up = is_known && !target_.file_system()->has_true_inodes() &&
                              S_ISREG(target_.named().stx_mode) &&
                              DeviceOf(target_.named()) == DeviceOf(target_.stat());
  counters_->bytes_done.Add(-contents_.TakeCounted());
  contents_.Restart();
  control_.only_calls = control_.at_once = closes_at_once_ = true;
  if (control_.stopped) return CloseAll(next);
  if (may_be_made_up && !IsStillTheSame(target_.stat(), target_.named())) {
    return Enter(State::kEmptyTarget, SetSize(target_.file(), 0), next);
  }
  state_ = State::kLetGo;
  next->Add(0).Add(SetSize(target_.file(), 0)).Add(Close(target_.file()), Tie::kHard);
}

void FileCopy::OnEmptyAnew(int32_t result, NextChains* next) {
  if (result < 0) Fail(*first_failure_);
  if (result < 0 || control_.stopped) return CloseAll(next);
  CopyContents(next);
}

void FileCopy::LetGo(NextChains* next) {
  const Op close = Close(target_.file());
  Enter(State::kLetGo, closes_at_once_ ? AtOnce(close) : close, next);
}

void FileCopy::OnLetGo(absl::Span<const int32_t> results, NextChains* next) {
  // The close did not run, because the kernel lacked memory or a thread.
  if (MayNotHaveRun(results.back())) {
    closes_at_once_ = true;
    return LetGo(next);
  }
  target_.NoteClosed();
  if (control_.stopped) return CloseAll(next);
  if (begins_anew()) return ConfirmTarget(next);
  target_.Forget();
  return opening_.truncates() ? OpenExistingTarget(next) : OpenNewTarget(next);
}

void FileCopy::OnConfirmAnew(int32_t result, NextChains* next) {
  if (result == 0 && target_.is_identified() &&
      IsStillTheSame(target_.stat(), target_.named())) {
    opening_.way = TargetOpening::Way::kTruncating;
    return OpenExistingTarget(next);
  }
  // Some file systems forget a file that was not written to its end.
  if (result == -ENOENT && target_.is_made()) {
    target_.Forget();
    return OpenNewTarget(next);
  }
  Fail(*first_failure_);
  CloseAll(next);
}

void FileCopy::Resume(NextChains* next) {
  contents_.Resume(next);
  OnContents(next);
  SetAtOnce(next);
}

}  // namespace ringcp

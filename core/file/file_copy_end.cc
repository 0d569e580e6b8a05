// The end of a file's copy: the target is closed, and kept or removed.

#include <fcntl.h>

#include <cerrno>

#include "core/base/file_identity.h"
#include "core/file/file_copy.h"

namespace ringcp {

bool FileCopy::has_cached() const {
  return policy_.page_cache != PageCache::kKeep &&
         (refused_uncached_ || source_refuses_uncached() ||
          target_file_system_->refuses_uncached_writes());
}

bool FileCopy::source_refuses_uncached() const {
  // One that is not known yet is taken for any that has refused.
  return source_file_system_ != nullptr
             ? source_file_system_->refuses_uncached_reads()
             : policy_.file_systems->has_refused_uncached_reads();
}

void FileCopy::CloseAll(NextChains* next) {
  DropFirstBlock();
  if (is_half_written() && !cleaned_up_ && target_ != FileRef()) {
    if (target_.is_slot()) return InstallTarget(next);
    if (created_ && !target_file_system_->may_keep_what_is_open()) return Identify(next);
    // Some file systems in user space refuse to remove what is open, or bring it back
    // when it is closed.
    removes_closed_ = created_;
    return Enter(State::kEmpty, policy_.Resize(target_.index, 0), next);
  }
  const bool both_open = source_ != FileRef() && target_ != FileRef();
  // ext4 keeps the page with the last bytes of a file that has been preallocated (6.18),
  // however it was written.
  const bool is_in_cache = has_cached() || contents_.is_preallocated();
  // A copy that was stopped does not wait for the device.
  if (!both_open || !complete_ || !is_in_cache || control_.stopped) {
    return CloseFiles(next);
  }
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
    complete_ = false;
    FailOnTarget(Operation::kWrite, -written_back);
    return CloseAll(next);
  }
  CloseFiles(next);
}

void FileCopy::Identify(NextChains* next) {
  state_ = State::kIdentify;
  Chain& chain = next->Add(0);
  if (target_ != FileRef()) chain.Add(StatDescriptor(target_.index, &target_stat_));
  chain.Add(StatAt(names_.target_directory, names_.target, AT_SYMLINK_NOFOLLOW,
                   &target_name_stat_),
            Link::kHard);
}

void FileCopy::OnIdentify(absl::Span<const int32_t> results, NextChains* next) {
  cleaned_up_ = true;
  const int32_t target_result = target_ != FileRef() ? results[0] : 0;
  const int32_t name_result = results.back();
  if (name_result == -ENOENT && (target_ == FileRef() || target_result < 0)) {
    removal_error_ = not_identified_ = 0;
    return CloseFiles(next);
  }
  if (target_result < 0 || (name_result < 0 && name_result != -ENOENT)) {
    removal_error_ = target_result < 0 ? -target_result : -name_result;
    return CloseFiles(next);
  }
  // Whatever somebody else has put there by now is left alone. Between this look and the
  // removal another file can still come there, for some microseconds: Linux has no way to
  // remove a file by its descriptor.
  if (name_result == 0 && IsStillTheSame(target_stat_, target_name_stat_)) {
    return Enter(State::kRemove, UnlinkAt(names_.target_directory, names_.target, 0),
                 next);
  }
  // Wherever it is now, and where each look tells another inode number, it is not left
  // half-written either.
  if (target_ == FileRef() || target_stat_.stx_nlink == 0) return CloseFiles(next);
  Enter(State::kEmpty, policy_.Resize(target_.index, 0), next);
}

void FileCopy::OnRemove(int32_t result, NextChains* next) {
  const bool is_gone = result == 0 || result == -ENOENT;
  if (!is_gone && target_ != FileRef()) {
    removes_closed_ = true;
    is_identified_ = true;
    return Enter(State::kEmpty, policy_.Resize(target_.index, 0), next);
  }
  // That it could not be emptied does not matter any more.
  removal_error_ = is_gone ? 0 : -result;
  CloseFiles(next);
}

void FileCopy::OnReopen(int32_t result, NextChains* next) {
  if (result < 0) {
    if (result != -ENOENT) removal_error_ = -result;
    return Finish(next);
  }
  target_ = FileRef::Descriptor(result);
  Enter(State::kStatReopened, StatDescriptor(result, &target_name_stat_), next);
}

void FileCopy::OnStatReopened(int32_t result, NextChains* next) {
  if (result == 0 && IsStillTheSame(target_stat_, target_name_stat_)) {
    return Enter(State::kEmpty, policy_.Resize(target_.index, 0), next);
  }
  if (result < 0) removal_error_ = -result;
  // Where each look gives another inode number, it may be the one that was half-written.
  if (result == 0 && is_any_) removal_error_ = ESTALE;
  CloseFiles(next);
}

// What fails when it is closed can be looked at no more, so that is done before: without
// asking a server, because only its identity is wanted.
bool FileCopy::identifies_before_closing() const {
  return target_ != FileRef() && !target_.is_slot() && created_ && !is_identified_ &&
         !cleaned_up_ && target_file_system_->tells_errors_at_close();
}

void FileCopy::AddCloses(Link link, Chain* chain) {
  const auto add = [&](const Op& op) {
    chain->Add(closes_at_once_ ? AtOnce(op) : op, link);
    link = Link::kHard;
  };
  if (identifies_before_closing()) {
    add(StatDescriptor(target_.index, &target_stat_, AT_STATX_DONT_SYNC));
  }
  for (const FileRef file : {target_, source_}) {
    if (file != FileRef()) add(Close(file));
  }
}

void FileCopy::CloseFiles(NextChains* next) {
  state_ = State::kClose;
  if (source_ == FileRef() && target_ == FileRef()) return Finish(next);
  AddCloses(Link::kHard, &next->Add(0));
}

// By a call it has run in any case; then -ECANCELED is what a file system answers.
bool FileCopy::MayNotHaveRun(int32_t closed) const {
  return closed == -ECANCELED && !closes_at_once_ && !control_.at_once;
}

void FileCopy::OnClosed(absl::Span<const int32_t> results) {
  size_t at = 0;
  bool repeats = false;
  if (identifies_before_closing()) {
    is_identified_ = results[at] == 0;
    // What is to be removed can't be told from another file then.
    not_identified_ = -results[at];
    if (removes_closed_ && !is_identified_) removal_error_ = not_identified_;
    ++at;
  }
  for (FileRef* const file : {&target_, &source_}) {
    if (*file == FileRef()) continue;
    const int32_t result = results[at++];
    // Some file systems tell only now that the contents could not be stored.
    if (MayNotHaveRun(result)) {
      repeats = true;
      continue;
    }
    const bool matters =
        file == &target_ && (created_ || changed_) && !cleaned_up_ && !removes_closed_;
    if (result < 0 && matters) {
      complete_ = false;
      FailOnTarget(Operation::kClose, -result);
    }
    *file = FileRef();
  }
  closes_at_once_ = closes_at_once_ || repeats;
}

void FileCopy::Finish(NextChains* next) {
  if (is_half_written() && !cleaned_up_) {
    cleaned_up_ = true;  // At least it is tried only once.
    if (created_ && is_identified_) return Identify(next);
    if (created_ && removal_error_ == 0) removal_error_ = not_identified_;
    if (!created_) {
      const int flags = kExistingTargetFlags | (is_link_ ? 0 : O_NOFOLLOW);
      return Enter(State::kReopen,
                   OpenAt(names_.target_directory, names_.target, flags, 0, FileRef()),
                   next);
    }
  }
  if (outcome_at_end_ == Outcome::kCopied && !complete_) {
    outcome_at_end_ = Outcome::kCancelled;
  }
  Done(outcome_at_end_);
}

void FileCopy::Done(Outcome outcome) {
  if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
  if (control_.at_once && outcome == Outcome::kCopied) counters_->files_at_once.Add(1);
  state_ = State::kDone;
  outcome_ = outcome;
}

}  // namespace ringcp

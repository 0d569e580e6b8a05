// The states of a file's copy:
//
//          Start()
//             v
//         (kStatBoth)    [statx source, statx target] only with -u
//             v
//        kOpenSource     [openat source], an ordinary descriptor
//             v
//       kLookAtSource    [statx of that descriptor (-> no pipe -> read the first block)]
//             v
//       (kAwaitCaller)   only for a file with several hard links, if they are kept: the
//             |            worker calls Proceed() or Abandon()
//             v
//    kLookAtAttributes (source_attributes.h), if the mode or others are kept
//             |
//    up to one block: kReadFirst (if it has not been read yet), kConfirmEnd
//             |                                           other sizes
//             v                                                |
//         kCopyWhole     a new target in a slot:               |
//             |            [openat -> write -> (install ->)    |
//             |             close => close source]             |
//             |     or                                         |
//             |   kOpenTarget [openat] <-----------------------+
//             |     | target exists: kStatTarget, (kLookAtOld,)
//             |     |   (kRemoveTarget,) kOpenTarget,
//             |     |   kStatOpened, (kAwaitCaller,) kConfirmTarget, kEmptyTarget
//             |     v                                          v
//             |   kWriteWhole [write -> close => close]     kContents (contents_copy.h)
//             v     |                                          |
//         kAttributes (attribute_plan.h), if any are kept
//             v
//          kClose
//             v
//           kDone        outcome()
//
// -> ties ops softly, => hard (Link in op.h). If the copy fails or is stopped, kEndTarget
// does what the target needs besides being closed (placed_target.h).

#include "core/file/file_copy.h"

#include "core/base/check.h"

namespace ringcp {

void FileCopy::Enter(State state, const Op& op, NextChains* next) {
  state_ = state;
  next->Add(0).Add(op);
}

void FileCopy::Fail(const CopyFailure& failure) {
  if (outcome_at_end_ == Outcome::kFailed) return;
  outcome_at_end_ = Outcome::kFailed;
  failure_ = first_failure_.value_or(failure);
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
  calls_at_once_ = calls_at_once;
  control_.may_call = CopiesBlocksAtOnce(calls_at_once);
  control_.at_once = OpensAtOnce(calls_at_once);
  control_.stopped = false;
  outcome_ = Outcome::kRunning;
  outcome_at_end_ = Outcome::kCopied;
  bytes_found_ = 0;
  retries_ = 0;
  contents_.Reset(&policy_, &source_stat_);
  source_ = FileRef();
  target_.Start(policy_, names_);
  block_.Begin(0, block_size_bytes_);
  is_whole_ = false;
  opening_ = TargetOpening();
  attributes_.Forget();
  keeps_newer_ = false;
  question_ = QuestionAbout(CopyKind::kContents, policy, names);
  old_target_ = OldTarget::kKept;
  backup_.clear();
  closes_at_once_ = false;
  first_failure_.reset();
  control_.only_calls = false;
  SetSourceFileSystem(names.source_file_system);
  targets_let_go_ = 0;
  // Most files of a tree that is updated are as they were: two looks tell that.
  policy_.update == Update::kOlder ? StatBoth(next) : OpenSource(O_NONBLOCK, next);
  SetAtOnce(next);
}

void FileCopy::SetAtOnce(NextChains* next) const {
  if (!control_.at_once) return;
  for (int i = 0; i < next->size; ++i) {
    next->chains[i].chain.SetAtOnce(/*may_ask=*/!control_.only_calls);
  }
}

void FileCopy::Settle(int lane, absl::Span<const int32_t> results, NextChains* next) {
  GoOn(lane, results, next);
  SetAtOnce(next);
}

void FileCopy::GoOn(int lane, absl::Span<const int32_t> results, NextChains* next) {
  switch (state_) {
    case State::kOpenSource:
      return OnOpenSource(results[0], next);
    case State::kLookAtSource:
      return OnLookAtSource(results, next);
    case State::kLookAtAttributes:
      if (ShouldRetry(results[0], &retries_, counters_)) return LookAtAttributes(next);
      source_attributes_.Settle(results[0]);
      return LookAtAttributes(next);
    case State::kReadFirst:
      return OnFirstRead(results[0], next);
    case State::kConfirmEnd:
      return OnConfirmEnd(results[0], next);
    case State::kCopyWhole:
      return OnCopyWhole(results, next);
    case State::kStatBoth:
      return OnStatBoth(results, next);
    case State::kStatTarget:
      return OnStatTarget(results, next);
    case State::kLookAtOld:
      return OnLookAtOld(results[0], next);
    case State::kRemoveTarget:
      return OnRemoveTarget(results[0], next);
    case State::kOpenTarget:
      return OnOpenTarget(results, next);
    case State::kStatOpened:
      return OnStatOpened(results[0], next);
    case State::kEmptyTarget:
      return begins_anew() ? OnEmptyAnew(results[0], next) : OnEmptyOld(results[0], next);
    case State::kWriteWhole:
      return OnWriteWhole(results, next);
    case State::kLeaveSlot:
      return OnLeaveSlot(results, next);
    case State::kConfirmTarget:
      return OnConfirmTarget(results[0], next);
    case State::kLookAnew:
      return OnLookAnew(results, next);
    case State::kLetGo:
      return OnLetGo(results, next);
    case State::kContents:
      contents_.Settle(lane, results, next);
      return OnContents(next);
    case State::kAttributes:
      if (ShouldRetry(results[0], &retries_, counters_)) return SetNextAttribute(next);
      attributes_.Settle(results[0]);
      return SetNextAttribute(next);
    case State::kEndTarget:
      return OnEndTarget(results, next);
    case State::kDropCached:
      return OnDropCached(results[1], next);
    case State::kClose:
      OnClosed(results);
      return CloseFiles(next);
    case State::kAwaitCaller:
    case State::kDone:
      break;
  }
  RINGCP_CHECK(state_ != State::kDone && state_ != State::kAwaitCaller);
}

void FileCopy::SetAttributes(NextChains* next) {
  DropFirstBlock();
  if (!sets_attributes() || outcome_at_end_ == Outcome::kFailed) return CloseAll(next);
  retries_ = 0;
  const bool makes = target_.is_made() || opening_.makes_pointee();
  attributes_.Start(policy_, source_stat_,
                    {.file = target_.file(),
                     .created = target_.is_made(),
                     .kept_mode = source_stat_.stx_mode & kAllModeBits,
                     .withheld = makes ? WithheldMode() : 0,
                     .lent = makes ? LentMode() : 0,
                     .default_acl = names_.target_default_acl,
                     .source = source_,
                     .attributes = &source_attributes_});
  SetNextAttribute(next);
}

void FileCopy::SetNextAttribute(NextChains* next) {
  if (!attributes_.done()) {
    return Enter(State::kAttributes, policy_.CallUnlessQueued(attributes_.op()), next);
  }
  if (attributes_.failed()) Fail(attributes_.failure());
  CloseAll(next);
}

}  // namespace ringcp

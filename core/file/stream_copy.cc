#include "core/file/stream_copy.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <cerrno>

#include "absl/time/time.h"
#include "core/base/check.h"
#include "core/kernel/op.h"

namespace ringcp {
namespace {

// A pipe's usual capacity: one read would not get more.
constexpr uint32_t kBufferBytes = 64 * 1024;
// How many blocks of a stream that never waits are copied before the worker gets a chance
// to do other things.
constexpr int kBlocksPerStep = 16;

}  // namespace

StreamCopy::StreamCopy(const FileCopyPolicy& policy, const FileCopyNames& names,
                       const std::atomic<bool>& cancelled, EngineCounters* counters)
    : kernel_(policy.kernel),
      policy_(policy),
      names_(names),
      cancelled_(cancelled),
      counters_(counters),
      question_(QuestionAbout(CopyKind::kStream, policy, names)) {
  target_.Start(policy_, names_);
}

StreamCopy::~StreamCopy() {
  if (source_ >= 0) kernel_->Close(source_);
  if (target_.is_open()) kernel_->Do(Close(target_.file()));
  if (policy_.claims != nullptr) policy_.claims->Release(&claim_);
}

bool StreamCopy::Step() {
  RINGCP_CHECK(outcome_ == Outcome::kRunning);
  waiting_ = {};
  const Outcome outcome = cancelled_ ? Outcome::kCancelled : GoOn();
  if (outcome == Outcome::kRunning) return false;
  outcome_ = Finish(outcome);
  return true;
}

StreamCopy::Outcome StreamCopy::GoOn() {
  Outcome outcome = Outcome::kCopied;
  switch (state_) {
    case State::kBegin:
      outcome = Begin();
      break;
    case State::kOpenTarget:
      outcome = OpenExisting();
      break;
    case State::kTakeTarget:
      outcome = TakeTarget();
      break;
    case State::kContents:
      break;
  }
  if (outcome == Outcome::kCopied) outcome = CopyContents();
  if (outcome == Outcome::kCopied) outcome = SetAttributes();
  return outcome;
}

bool StreamCopy::EndsAtFirstLook() {
  RINGCP_CHECK(outcome_ == Outcome::kRunning && state_ == State::kBegin);
  const Outcome outcome = LookFirst();
  if (outcome == Outcome::kCopied) return false;
  outcome_ = Finish(outcome);
  return true;
}

StreamCopy::Outcome StreamCopy::LookFirst() {
  const int32_t result =
      kernel_->Stat(names_.source_directory, names_.source,
                    names_.follow_source ? 0 : AT_SYMLINK_NOFOLLOW, &source_stat_);
  if (result != 0) return Fail(Operation::kStat, -result, false);
  LookAtExisting();
  const TargetDecision decision = Decide();
  if (decision.fate == Fate::kSkip) return Outcome::kSkipped;
  if (decision.fate == Fate::kAsk) return Outcome::kAsks;
  if (decision.fate == Fate::kKeepNewer) return Outcome::kKeptNewer;
  if (decision.refusal == Refusal::kTargetKept) return Refuse(decision.refusal);
  if (policy_.interactive && decision.fate == Fate::kFailToLook) {
    return Fail(Operation::kStat, target_error_, true);
  }
  return Outcome::kCopied;
}

StreamCopy::Outcome StreamCopy::Begin() {
  // A source that is skipped need not be readable, so this is decided before opening it.
  // So is a question: a pipe that was opened and closed again has lost its writer.
  Outcome outcome = Outcome::kCopied;
  if (policy_.update != Update::kAll || policy_.interactive) outcome = LookFirst();
  if (outcome == Outcome::kCopied) outcome = OpenSource();
  return outcome == Outcome::kCopied ? OpenTarget() : outcome;
}

StreamCopy::Outcome StreamCopy::Await(State state, const Waiting& waiting) {
  state_ = state;
  waiting_ = waiting;
  return Outcome::kRunning;
}

StreamCopy::Outcome StreamCopy::AwaitReady(FileRef file, short events) {
  return Await(State::kContents, {.file = file, .events = events, .max = kPollInterval});
}

StreamCopy::Outcome StreamCopy::Fail(Operation operation, int error_number,
                                     bool on_target) {
  failure_ = {
      .operation = operation, .error_number = error_number, .on_target = on_target};
  return Outcome::kFailed;
}

StreamCopy::Outcome StreamCopy::Refuse(Refusal refusal) {
  failure_ = RefusedTarget(refusal);
  return Outcome::kFailed;
}

StreamCopy::Outcome StreamCopy::Finish(Outcome outcome) {
  EndBy(&target_, [this](const Op& op) { return kernel_->Do(op); });
  // Only the first failure is reported.
  if (target_.close_error() == 0 || outcome != Outcome::kCopied) return outcome;
  return Fail(Operation::kClose, target_.close_error(), true);
}

StreamCopy::Outcome StreamCopy::OpenSource() {
  const int follow = names_.follow_source ? 0 : O_NOFOLLOW;
  source_ = kernel_->Open(names_.source_directory, names_.source,
                          O_RDONLY | O_NONBLOCK | O_NOCTTY | follow);
  if (source_ < 0) return Fail(Operation::kOpen, -source_, false);
  const int32_t result = kernel_->Stat(source_, &source_stat_);
  if (result != 0) return Fail(Operation::kStat, -result, false);
  source_attributes_.Start(policy_.preserve, FileRef::Descriptor(source_),
                           source_stat_.stx_mode);
  LookBy(&source_attributes_, [this](const Op& op) { return kernel_->Do(op); });
  mode_ = source_attributes_.mode_without_acl();
  return Outcome::kCopied;
}

bool StreamCopy::IsReady(FileRef file, short events) const {
  return kernel_->Do(Poll(file, events, /*milliseconds_max=*/0)) > 0;
}

StreamCopy::Outcome StreamCopy::CopyContents() {
  if (policy_.attributes_only) {
    if (!target_.is_special()) target_.NoteWithoutContents();
    return LabelExisting();
  }
  if (state_ != State::kContents) {
    state_ = State::kContents;
    const Outcome labelled = LabelExisting();
    if (labelled != Outcome::kCopied) return labelled;
    if (policy_.reflink == Reflink::kAlways) {
      const int32_t cloned =
          kernel_->Do(Clone(FileRef::Descriptor(source_), target_.file()));
      if (cloned != 0) return Fail(Operation::kClone, -cloned, true);
    }
    buffer_.resize(kBufferBytes);
  }
  for (int blocks = 0; blocks < kBlocksPerStep; ++blocks) {
    Outcome outcome = WriteBlock();
    if (outcome == Outcome::kCopied) outcome = ReadBlock();
    if (outcome != Outcome::kCopied || is_at_end_) return outcome;
  }
  return Await(State::kContents, {});
}

StreamCopy::Outcome StreamCopy::ReadBlock() {
  // Before the first writer has opened a pipe, a read would say that the pipe has ended;
  // poll(2) says that it is not ready yet.
  const FileRef source = FileRef::Descriptor(source_);
  if (!IsReady(source, POLLIN)) return AwaitReady(source, POLLIN);
  const int32_t size =
      kernel_->Do(ReadAt(source, buffer_.data(), kBufferBytes, kCurrentPosition));
  if (size == -EINTR || size == -EAGAIN) return Outcome::kCopied;
  if (size < 0) return Fail(Operation::kRead, -size, false);
  // Now there are contents to replace the old ones. Failing to empty the target is
  // reported like a failure of openat() with O_TRUNC.
  if (target_.is_untouched()) {
    const int error_number = EmptyOld();
    if (error_number != 0) return Fail(Operation::kCreate, error_number, true);
    target_.NoteEmptied();
  }
  filled_ = size;
  written_ = 0;
  is_at_end_ = size == 0;
  if (is_at_end_) target_.NoteWhole();
  return Outcome::kCopied;
}

StreamCopy::Outcome StreamCopy::WriteBlock() {
  while (written_ < filled_) {
    const int32_t written = kernel_->Do(WriteAt(target_.file(), buffer_.data() + written_,
                                                filled_ - written_, kCurrentPosition));
    if (written >= 0) {
      written_ += written;
      counters_->bytes_done.Add(written);
    } else if (written == -EAGAIN) {
      return AwaitReady(target_.file(), POLLOUT);
    } else if (written != -EINTR) {
      return Fail(Operation::kWrite, -written, true);
    }
    if (cancelled_) return Outcome::kCancelled;
  }
  return Outcome::kCopied;
}

StreamCopy::Outcome StreamCopy::SetAttributes() {
  if (target_.is_special()) return Outcome::kCopied;
  attributes_.Start(policy_, source_stat_,
                    {.file = target_.file(),
                     .created = target_.is_made(),
                     .kept_mode = mode_,
                     .withheld = target_.is_made() || made_pointee_ ? withheld_ : 0,
                     .default_acl = names_.target_default_acl,
                     .source = FileRef::Descriptor(source_),
                     .attributes = &source_attributes_});
  SetAttributesBy(&attributes_, [this](const Op& op) { return kernel_->Do(op); });
  if (!attributes_.failed()) return Outcome::kCopied;
  failure_ = attributes_.failure();
  return Outcome::kFailed;
}

}  // namespace ringcp

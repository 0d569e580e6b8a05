// The part of FileCopy that opens the source, unless the target makes that needless,
// looks at it and, if it is small, reads it.
//
// A file's size is a hint, and reads decide. A small file has been read whole when a read
// got less than it asked for, but not less than the size (on known local file systems),
// or when pread(2) has confirmed the end (elsewhere).

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/base/check.h"
#include "core/file/file_copy.h"
#include "core/file/source_contents.h"
#include "core/file/target_relation.h"

namespace ringcp {
namespace {

constexpr int kSourceFlags = O_RDONLY | O_NOCTTY;
// The result of a first read that has not run.
constexpr int32_t kNotRead = -ECANCELED;

}  // namespace

// `nonblock` is O_NONBLOCK or 0. With O_NONBLOCK, opening a pipe that has taken the
// file's place does not wait for somebody at its other end. For a regular file O_NONBLOCK
// makes a difference only if somebody holds a lease on it.
void FileCopy::OpenSource(int nonblock, NextChains* next) {
  if (nonblock == 0) control_.at_once = false;  // Opening may take long.
  const int follow = names_.follow_source ? 0 : O_NOFOLLOW;
  Enter(State::kOpenSource,
        OpenAt(names_.source_directory, names_.source, kSourceFlags | nonblock | follow,
               0, FileRef()),
        next);
}

void FileCopy::OnOpenSource(int32_t result, NextChains* next) {
  if (result < 0) return OnOpenSourceFailed(-result, next);
  retries_ = 0;
  source_ = FileRef::Descriptor(result);
  LookAtSource(next);
}

void FileCopy::OnOpenSourceFailed(int error_number, NextChains* next) {
  if (control_.stopped && (error_number == EAGAIN || error_number == EINTR)) {
    return CloseAll(next);
  }
  // Somebody holds a lease on the file. Without O_NONBLOCK, opening waits for its end.
  if (error_number == EAGAIN && retries_ == 0) {
    ++retries_;
    return OpenSource(0, next);
  }
  if (ShouldRetry(-error_number, &retries_, counters_)) {
    return OpenSource(O_NONBLOCK, next);
  }
  // It is a symbolic link that must not be followed, or a socket.
  if ((error_number == ELOOP && !names_.follow_source) || error_number == ENXIO) {
    outcome_at_end_ = Outcome::kSourceIsOther;
    return CloseAll(next);
  }
  if (keeps_newer_) {
    outcome_at_end_ = Outcome::kKeptNewer;
    return CloseAll(next);
  }
  // GNU cp stats a source before it opens it, so a source that is gone fails to be looked
  // at.
  FailOnSource(error_number == ENOENT ? Operation::kStat : Operation::kOpen,
               error_number);
  const bool may_be_kept = KeepsExisting(policy_.update) || policy_.interactive;
  if (may_be_kept && error_number != ENOENT) return StatBoth(next);
  CloseAll(next);
}

// A source that is not copied because of the target need not be readable, as long as it
// can be looked at.
void FileCopy::StatBoth(NextChains* next) {
  state_ = State::kStatBoth;
  Chain& chain = next->Add(0);
  chain.Add(StatAt(names_.source_directory, names_.source,
                   names_.follow_source ? 0 : AT_SYMLINK_NOFOLLOW, &source_stat_));
  chain.Add(StatAt(names_.target_directory, names_.target, question_.look_flags(),
                   target_.mutable_stat()));
}

void FileCopy::OnStatBoth(absl::Span<const int32_t> results, NextChains* next) {
  const bool has_failed = outcome_at_end_ == Outcome::kFailed;  // To open the source.
  if (results[0] < 0) {
    outcome_at_end_ = Outcome::kFailed;
    failure_ = {.operation = Operation::kStat, .error_number = -results[0]};
    return CloseAll(next);
  }
  if (!S_ISREG(source_stat_.stx_mode)) {
    // If a directory were skipped as a file, all that is in it would be missing.
    outcome_at_end_ = Outcome::kSourceIsOther;
    return CloseAll(next);
  }
  question_.NoteLook(results[1], target_.stat(), source_stat_);
  const TargetDecision decision = DecideTargetByLooking(question_, [this](Fact) {
    question_.relation =
        RelationOfContents(policy_.kernel, names_, source_stat_, target_.stat());
  });
  if (decision.fate == Fate::kSkip) {
    outcome_at_end_ = Outcome::kSkipped;
  } else if (decision.fate == Fate::kAsk && has_failed) {
    outcome_at_end_ = Outcome::kAsks;  // As in GNU cp: it may be declined.
  } else if (decision.refusal == Refusal::kTargetKept) {
    failure_ = RefusedTarget(decision.refusal);
  } else if (!has_failed && !control_.stopped) {
    // A file that has several names has to be offered to the worker in any case.
    keeps_newer_ = decision.fate == Fate::kKeepNewer;
    if (!keeps_newer_ || may_have_names()) {
      question_ = QuestionAbout(CopyKind::kContents, policy_, names_);
      return OpenSource(O_NONBLOCK, next);
    }
    outcome_at_end_ = Outcome::kKeptNewer;
  }
  CloseAll(next);
}

void FileCopy::LookAtSource(NextChains* next) {
  state_ = State::kLookAtSource;
  const Op stat = StatDescriptor(source_, &source_stat_);
  Chain& chain = next->Add(0);
  if (!control_.at_once && reads_first()) {
    chain.Add(stat).Add(RefusePipe(source_)).Add(FirstRead());
  } else {
    chain.Add(policy_.CallUnlessQueued(stat));
  }
}

void FileCopy::SetSourceFileSystem(FileSystem* file_system) {
  source_file_system_ = file_system;
  contents_.source_io().SetFileSystem(file_system, policy_.leaves_cache());
}

void FileCopy::OnLookAtSource(absl::Span<const int32_t> results, NextChains* next) {
  if (calls_at_once_ == CallsAtOnce::kBlocks) {
    control_.may_call = results[0] == 0 && !is_small();
  } else {
    control_.at_once = control_.may_call;
  }
  first_read_ = results.size() > 1 ? results.back() : kNotRead;
  if (results[0] < 0) {
    FailOnSource(Operation::kStat, -results[0]);
    return CloseAll(next);
  }
  if (!S_ISREG(source_stat_.stx_mode)) {
    outcome_at_end_ = Outcome::kSourceIsOther;
    return CloseAll(next);
  }
  const dev_t device = DeviceOf(source_stat_);
  if (names_.source_file_system == nullptr) {
    SetSourceFileSystem(policy_.file_systems->Find(policy_.kernel, source_, device));
    names_.source_file_system = source_file_system_;
  } else if (names_.source_file_system->device() != device) {
    // Another file system may be mounted over the file alone.
    SetSourceFileSystem(policy_.file_systems->FindByDevice(device));
  }
  if (may_have_names()) {
    state_ = State::kAwaitCaller;
    outcome_ = Outcome::kMultiplyLinked;
    return;
  }
  OnSourceKnown(next);
}

bool FileCopy::may_have_names() const {
  return policy_.offer_all_links || names_.offers_links ||
         (policy_.preserve.links && source_stat_.stx_nlink > 1);
}

void FileCopy::Proceed(NextChains* next) {
  RINGCP_CHECK(outcome_ == Outcome::kMultiplyLinked);
  outcome_ = Outcome::kRunning;
  OnSourceKnown(next);
  SetAtOnce(next);
}

void FileCopy::Abandon(NextChains* next) {
  RINGCP_CHECK(outcome_ == Outcome::kMultiplyLinked);
  outcome_ = Outcome::kRunning;
  outcome_at_end_ = Outcome::kAbandoned;
  CloseAll(next);
  SetAtOnce(next);
}

void FileCopy::OnSourceKnown(NextChains* next) {
  if (control_.stopped) return CloseAll(next);
  bytes_found_ = policy_.attributes_only ? 0 : source_stat_.stx_size;
  counters_->bytes_found.Add(static_cast<int64_t>(bytes_found_));
  retries_ = 0;
  source_attributes_.Start(policy_.preserve, source_, source_stat_.stx_mode);
  LookAtAttributes(next);
}

void FileCopy::LookAtAttributes(NextChains* next) {
  if (!source_attributes_.done()) {
    return Enter(State::kLookAtAttributes,
                 policy_.CallUnlessQueued(source_attributes_.op()), next);
  }
  if (policy_.preserve.mode) {
    source_stat_.stx_mode = source_attributes_.stx_mode_without_acl();
  }
  OnAttributesKnown(next);
}

void FileCopy::OnAttributesKnown(NextChains* next) {
  if (control_.stopped) return CloseAll(next);
  if (policy_.attributes_only) return OpenNewTarget(next);
  // An empty file has nothing to share.
  const bool may_share =
      may_clone() && (source_stat_.stx_size > 0 || policy_.reflink == Reflink::kAlways);
  const bool may_have_holes =
      policy_.sparse == Sparse::kAlways ||
      (policy_.sparse == Sparse::kAuto && SourceContents::HasHoles(source_stat_));
  if (!is_small() || may_have_holes || may_share || has_cached()) {
    DropFirstBlock();
    return OpenNewTarget(next);
  }
  if (first_read_ == kNotRead) return ReadFirst(next);
  OnFirstRead(first_read_, next);
}

// --- The contents of a small file ---

bool FileCopy::reads_first() const {
  return !may_clone() && !has_cached() && !policy_.attributes_only;
}

Op FileCopy::FirstRead() {
  if (block_.buffer == nullptr) block_.buffer = pool_->Take();
  Op op = ReadAt(source_, block_.buffer, block_.length, block_.offset);
  contents_.source_io().Prepare(block_, &op, &block_.read);
  return op;
}

void FileCopy::ReadFirst(NextChains* next) {
  Enter(State::kReadFirst, FirstRead(), next);
}

void FileCopy::DropFirstBlock() {
  if (block_.buffer != nullptr) pool_->GiveBack(block_.buffer, /*extra=*/0);
  block_.buffer = nullptr;
  block_.Begin(0, block_size_bytes_);
  is_whole_ = false;
}

void FileCopy::OnFirstRead(int32_t result, NextChains* next) {
  const BlockResult read = contents_.source_io().Settle(result, block_.read, &block_);
  if (read.kind == BlockResult::Kind::kAgain && contents_.refused_uncached()) {
    // The file is copied through the page cache, like a larger one, and dropped in the
    // end.
    DropFirstBlock();
    return OpenNewTarget(next);
  }
  if (control_.stopped) return CloseAll(next);
  if (read.kind == BlockResult::Kind::kAgain) return ReadFirst(next);
  if (read.kind == BlockResult::Kind::kFailed) {
    FailOnSource(Operation::kRead, read.error_number == EINTR ? EIO : read.error_number);
    return CloseAll(next);
  }
  block_.retries = 0;
  block_.filled = result;
  // A read of less than the file's size may have met a bad place on the device.
  const bool is_at_end =
      block_.filled < block_.length && block_.filled >= source_stat_.stx_size;
  if (source_file_system_->tells_true_sizes() && is_at_end) return OnReadWhole(next);
  ConfirmEnd(next);
}

void FileCopy::ConfirmEnd(NextChains* next) {
  // At and beyond the size that the file system tells, io_uring reads nothing without
  // asking the file system (Linux 6.18). pread(2) does ask.
  Enter(State::kConfirmEnd,
        ByCall(ReadAt(source_, beyond_end_.data(), kBeyondEndBytes, block_.filled)),
        next);
}

void FileCopy::OnConfirmEnd(int32_t result, NextChains* next) {
  if (control_.stopped) return CloseAll(next);
  if (result == 0) return OnReadWhole(next);
  if (result < 0) {
    if (ShouldRetry(result, &retries_, counters_)) return ConfirmEnd(next);
    FailOnSource(Operation::kRead, -result);
    return CloseAll(next);
  }
  // There is more. The file is copied from its beginning, like one of several blocks.
  DropFirstBlock();
  OpenNewTarget(next);
}

void FileCopy::OnReadWhole(NextChains* next) {
  is_whole_ = true;
  retries_ = 0;
  if (!may_use_slot()) return OpenNewTarget(next);
  ClaimNewTarget();
  CopyWhole(next);
}

}  // namespace ringcp

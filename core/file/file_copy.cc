#include "core/file/file_copy.h"

#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "core/base/file_identity.h"
#include "core/base/posix_acl.h"
#include "core/file/target_relation.h"
#include "core/kernel/clone_table.h"
#include "core/kernel/file_systems.h"

namespace ringcp {
namespace {

constexpr int kSourceFlags = O_RDONLY | O_NOCTTY;
constexpr int kNewTargetFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY;
constexpr int kExistingTargetFlags = O_WRONLY | O_NOCTTY | O_NONBLOCK;

constexpr mode_t kExecutePermissions = 0111;

// How often a target is let go because its name leads to another inode, before the number
// of an inode that may be made up is no longer believed.
constexpr int kLooksMax = 3;

// For a first block that has not been read.
constexpr int32_t kNotRead = -ECANCELED;

}  // namespace

void FileCopy::Enter(State state, const Op& op, NextChains* next) {
  state_ = state;
  next->Add(0).Add(op);
}

void FileCopy::Fail(const CopyFailure& failure) {
  if (outcome_at_end_ == Outcome::kFailed) return;
  outcome_at_end_ = Outcome::kFailed;
  failure_ = begins_anew_ ? first_failure_ : failure;
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
  control_.may_call = calls_at_once == CallsAtOnce::kAll;
  control_.at_once = calls_at_once != CallsAtOnce::kNone;
  control_.stopped = false;
  outcome_ = Outcome::kRunning;
  outcome_at_end_ = Outcome::kCopied;
  removal_error_ = not_identified_ = 0;
  bytes_found_ = 0;
  retries_ = 0;
  contents_.Reset(&policy_, &source_stat_);
  source_ = target_ = FileRef();
  filled_ = written_ = 0;
  is_whole_ = false;
  existing_ = created_ = changed_ = complete_ = cleaned_up_ = false;
  is_link_ = makes_pointee_ = is_identified_ = false;
  waits_for_target_ = left_out_rights_ = false;
  question_ = {.kind = CopyKind::kContents, .conditions = ConditionsOf(policy, names)};
  old_target_ = OldTarget::kKept;
  closes_at_once_ = truncates_ = is_any_ = begins_anew_ = removes_closed_ = false;
  control_.only_calls = false;
  target_kind_ = names.target_file_system;
  targets_let_go_ = 0;
  OpenSource(O_NONBLOCK, next);
  SetAtOnce(next);
}

void FileCopy::SetAtOnce(NextChains* next) const {
  if (!control_.at_once) return;
  for (int i = 0; i < next->size; ++i) next->chains[i].chain.SetAtOnce();
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
    case State::kGetAcl:
      return OnGetAcl(results[0], next);
    case State::kGetCapability:
      if (results[0] > 0) left_out_rights_ = true;
      return OnRightsKnown(next);
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
    case State::kRemoveTarget:
      return OnRemoveTarget(results[0], next);
    case State::kOpenTarget:
      return OnOpenTarget(results[0], next);
    case State::kStatOpened:
      return OnStatOpened(results[0], next);
    case State::kEmptyOld:
      return OnEmptyOld(results[0], next);
    case State::kWriteWhole:
      return OnWriteWhole(results, next);
    case State::kInstallTarget:
      return OnInstallTarget(results, next);
    case State::kCloseSlot:
      return OnCloseSlot(results[0], next);
    case State::kConfirmTarget:
      return OnConfirmTarget(results[0], next);
    case State::kLookAnew:
      return OnLookAnew(results, next);
    case State::kEmptyAnew:
      return OnEmptyAnew(results[0], next);
    case State::kLetGo:
      return OnLetGo(results, next);
    case State::kContents:
      contents_.Settle(lane, results, next);
      return OnContents(next);
    case State::kAttributes:
      attributes_.Settle(results[0]);
      return SetNextAttribute(next);
    case State::kIdentify:
      return OnIdentify(results, next);
    case State::kRemove:
      return OnRemove(results[0], next);
    case State::kReopen:
      return OnReopen(results[0], next);
    case State::kStatReopened:
      return OnStatReopened(results[0], next);
    case State::kEmpty:
      if (results[0] < 0) removal_error_ = -results[0];
      cleaned_up_ = !removes_closed_;
      return CloseFiles(next);
    case State::kDropCached:
      return OnDropCached(results[1], next);
    case State::kClose:
      OnClosed(results);
      return CloseFiles(next);
    case State::kAwaitDecision:
    case State::kAwaitTarget:
    case State::kDone:
      break;
  }
  RINGCP_CHECK(state_ != State::kDone && state_ != State::kAwaitDecision &&
               state_ != State::kAwaitTarget);
}

// --- The source ---

// `nonblock` is O_NONBLOCK or 0. With it, a file that was replaced by a pipe meanwhile
// does not make the open wait for somebody at the pipe's other end; for regular files it
// makes a difference only where somebody holds a lease.
void FileCopy::OpenSource(int nonblock, NextChains* next) {
  if (nonblock == 0) control_.at_once = false;  // It may take long.
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
    return Finish(next);
  }
  // Somebody holds a lease on the file: with O_NONBLOCK off, opening waits for it.
  if (error_number == EAGAIN && retries_ == 0) {
    ++retries_;
    return OpenSource(0, next);
  }
  if (ShouldRetry(-error_number, &retries_, counters_)) {
    return OpenSource(O_NONBLOCK, next);
  }
  // A symbolic link that is not to be followed, or a socket.
  if ((error_number == ELOOP && !names_.follow_source) || error_number == ENXIO) {
    outcome_at_end_ = Outcome::kSourceIsOther;
    return Finish(next);
  }
  // What is gone was gone when it was looked at; GNU cp stats first and says so.
  FailOnSource(error_number == ENOENT ? Operation::kStat : Operation::kOpen,
               error_number);
  if (policy_.no_clobber && error_number != ENOENT) return StatBoth(next);
  Finish(next);
}

void FileCopy::LookAtSource(NextChains* next) {
  state_ = State::kLookAtSource;
  const Op stat = StatDescriptor(source_.index, &source_stat_);
  Chain& chain = next->Add(0);
  if (!control_.at_once && reads_first()) {
    chain.Add(stat).Add(RefusePipe(source_)).Add(FirstRead());
  } else {
    chain.Add(policy_.CallUnlessQueued(stat));
  }
}

void FileCopy::OnLookAtSource(absl::Span<const int32_t> results, NextChains* next) {
  control_.at_once = control_.may_call;
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
  // Another file system may be mounted over the file alone.
  if (names_.source_device != device) {
    const bool is_operand = names_.source_device == CloneTable::kAnyDevice;
    if (is_operand) names_.source_device = device;
    names_.source_file_system = is_operand
                                    ? KindOfFileSystem(policy_.kernel, source_.index)
                                    : FileSystemKind::kOther;
  }
  const bool has_many_links = policy_.preserve.links && source_stat_.stx_nlink > 1;
  if (policy_.offer_all_links || names_.offers_links || has_many_links) {
    state_ = State::kAwaitDecision;
    outcome_ = Outcome::kMultiplyLinked;
    return;
  }
  OnSourceKnown(next);
}

void FileCopy::Proceed(NextChains* next) {
  RINGCP_CHECK(state_ == State::kAwaitDecision);
  outcome_ = Outcome::kRunning;
  OnSourceKnown(next);
  SetAtOnce(next);
}

void FileCopy::Abandon(NextChains* next) {
  RINGCP_CHECK(state_ == State::kAwaitDecision);
  outcome_ = Outcome::kRunning;
  outcome_at_end_ = Outcome::kAbandoned;
  CloseAll(next);
  SetAtOnce(next);
}

void FileCopy::OnSourceKnown(NextChains* next) {
  if (control_.stopped) return CloseAll(next);
  bytes_found_ = source_stat_.stx_size;
  counters_->bytes_found.Add(static_cast<int64_t>(bytes_found_));
  if (!policy_.preserve.mode) return OnRightsKnown(next);
  GetAcl(next);
}

void FileCopy::GetAcl(NextChains* next) {
  Enter(State::kGetAcl,
        policy_.CallUnlessQueued(
            GetXattr(source_.index, kAccessAclName, acl_.data(), kAclBytesMax)),
        next);
}

void FileCopy::OnGetAcl(int32_t result, NextChains* next) {
  if (ShouldRetry(result, &retries_, counters_)) return GetAcl(next);
  retries_ = 0;
  if (result > 0 || (result < 0 && !SaysNoAcl(-result))) {
    std::optional<mode_t> permissions;
    if (result > 0) {
      permissions = PermissionsWithoutAcl(
          std::string_view(acl_.data(), static_cast<size_t>(result)));
    }
    // Of a list that can't be read nobody but the owner is known to get in.
    const mode_t without = permissions.value_or(kOwnerPermissions);
    source_stat_.stx_mode &= static_cast<uint16_t>(~kPermissions | without);
    left_out_rights_ = true;
  }
  const bool may_have_capability =
      policy_.notes_capabilities && (source_stat_.stx_mode & kExecutePermissions) != 0;
  if (!may_have_capability) return OnRightsKnown(next);
  Enter(State::kGetCapability,
        policy_.CallUnlessQueued(GetXattr(source_.index, kCapabilityName, nullptr, 0)),
        next);
}

void FileCopy::OnRightsKnown(NextChains* next) {
  if (control_.stopped) return CloseAll(next);
  // Of an empty file there is nothing to share.
  const bool may_share =
      may_clone() && (source_stat_.stx_size > 0 || policy_.reflink == Reflink::kAlways);
  const bool has_holes = ContentsCopy::HasHoles(source_stat_);
  if (!is_small() || has_holes || may_share || has_cached()) {
    DropFirstBlock();
    return OpenNewTarget(next);
  }
  if (first_read_ == kNotRead) return ReadFirst(next);
  OnFirstRead(first_read_, next);
}

// --- The contents of a small file ---

bool FileCopy::reads_first() const { return !may_clone() && !has_cached(); }

Op FileCopy::FirstRead() {
  if (block_ == nullptr) block_ = pool_->Take();
  Op op = ReadAt(source_, block_ + filled_, block_size_bytes_ - filled_, filled_);
  if (policy_.page_cache != PageCache::kKeep) {
    op.io.flags = policy_.uncached_io->read_flags();
  }
  first_read_is_uncached_ = op.io.flags != 0;
  return op;
}

void FileCopy::ReadFirst(NextChains* next) {
  Enter(State::kReadFirst, FirstRead(), next);
}

void FileCopy::DropFirstBlock() {
  if (block_ != nullptr) pool_->GiveBack(block_, /*extra=*/false);
  block_ = nullptr;
  filled_ = written_ = 0;
  is_whole_ = false;
}

void FileCopy::OnFirstRead(int32_t result, NextChains* next) {
  if (first_read_is_uncached_ && UncachedIo::IsRefusal(result)) {
    policy_.uncached_io->NoteReadsRefused();
    DropFirstBlock();
    return OpenNewTarget(next);
  }
  if (result < 0) {
    if (control_.stopped) return CloseAll(next);
    if (ShouldRetry(result, &retries_, counters_)) return ReadFirst(next);
    FailOnSource(Operation::kRead, result == -EINTR ? EIO : -result);
    return CloseAll(next);
  }
  retries_ = 0;
  filled_ += result;
  if (control_.stopped) return CloseAll(next);
  // One that is shorter than the file was may have met a bad place on its device.
  const bool is_at_end = filled_ < block_size_bytes_ && filled_ >= source_stat_.stx_size;
  if (source_is_local() && is_at_end) return OnReadWhole(next);
  // At and beyond the size that the file system tells, a ring reads nothing without
  // asking it (Linux 6.18); pread(2) does ask.
  Enter(State::kConfirmEnd, AtOnce(ReadAt(source_, acl_.data(), kAclBytesMax, filled_)),
        next);
}

void FileCopy::OnConfirmEnd(int32_t result, NextChains* next) {
  if (control_.stopped) return CloseAll(next);
  if (result == 0) return OnReadWhole(next);
  if (result < 0) {
    if (ShouldRetry(result, &retries_, counters_)) {
      return Enter(State::kConfirmEnd,
                   AtOnce(ReadAt(source_, acl_.data(), kAclBytesMax, filled_)), next);
    }
    FailOnSource(Operation::kRead, -result);
    return CloseAll(next);
  }
  // There is more: as of a file of more than a block, from the beginning.
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

// --- The target ---

mode_t FileCopy::WithheldMode() const {
  const bool inherits_acl = names_.target_default_acl.has_value();
  // Nobody has to be kept out until the owner is set if it is right from the beginning. A
  // server may give files another one, and where a link leads nobody has looked.
  const bool has_owner = names_.target_is_local() && !makes_pointee_ &&
                         source_stat_.stx_uid == policy_.user &&
                         source_stat_.stx_gid == names_.target_group;
  if (has_owner && !inherits_acl) return 0;
  return policy_.WithheldMode(source_stat_.stx_mode, inherits_acl);
}

mode_t FileCopy::FirstMode() const {
  return policy_.NewMode(source_stat_.stx_mode) & ~WithheldMode();
}

bool FileCopy::may_use_slot() const {
  return policy_.use_slots && names_.target_is_local() && !control_.at_once &&
         !has_cached();
}

void FileCopy::ClaimNewTarget() {
  if (policy_.claims == nullptr || claim_.held()) return;
  policy_.claims->AnnounceNew(names_.target_place(), &claim_);
}

void FileCopy::CopyWhole(NextChains* next) {
  const FileRef target = FileRef::Slot(slot_);
  state_ = State::kCopyWhole;
  Chain& chain = next->Add(0);
  chain.Add(OpenAt(names_.target_directory, names_.target, kNewTargetFlags, FirstMode(),
                   target));
  if (filled_ > 0) chain.Add(WriteBlock(target));
  if (policy_.preserve.any_attribute()) chain.Add(InstallDescriptor(target));
  chain.Add(Close(target));
  chain.Add(Close(source_), Link::kHard);
}

void FileCopy::OnCopyWhole(absl::Span<const int32_t> results, NextChains* next) {
  if (results[0] < 0) return OnOpenTargetFailed(-results[0], next);
  created_ = true;
  size_t at = 1;
  if (filled_ > 0) NoteWritten(results[at++]);
  const int32_t installed = policy_.preserve.any_attribute() ? results[at++] : -ECANCELED;
  const int32_t target_closed = results[at];
  const int32_t source_closed = results[at + 1];
  // An op that was cancelled did not run; one that failed has closed the file all the
  // same.
  if (source_closed != -ECANCELED) source_ = FileRef();
  complete_ = written_ == filled_;
  if (installed >= 0) {
    target_ = FileRef::Descriptor(installed);
  } else if (target_closed == -ECANCELED) {
    // Its slot is for this chain only.
    target_ = FileRef::Slot(slot_);
    return InstallTarget(next);
  }
  if (target_closed < 0 && target_closed != -ECANCELED) {
    FailOnTarget(Operation::kClose, -target_closed);
    // Without a descriptor it can't be told whether the name still leads to it.
    complete_ = target_ == FileRef();
  }
  // For want of memory or a thread in the kernel.
  if (installed >= 0 && target_closed == -ECANCELED) return CloseSlot(next);
  SetAttributes(next);
}

void FileCopy::InstallTarget(NextChains* next) {
  state_ = State::kInstallTarget;
  next->Add(0).Add(InstallDescriptor(target_)).Add(Close(target_), Link::kHard);
}

void FileCopy::OnInstallTarget(absl::Span<const int32_t> results, NextChains* next) {
  const int32_t result = results[0];
  if (result == -ECANCELED && ShouldRetry(result, &retries_, counters_)) {
    return InstallTarget(next);  // Neither of the two has run.
  }
  if (result < 0) {
    target_ = FileRef();
    FailOnTarget(Operation::kOpen, -result);
    // Without a descriptor it can't be told whether the name still leads to it.
    if (!complete_) removal_error_ = -result;
    cleaned_up_ = true;
    return CloseAll(next);
  }
  target_ = FileRef::Descriptor(result);
  if (results[1] == -ECANCELED) return CloseSlot(next);
  OnInstalled(next);
}

// What stays in a slot is open until another file takes its place, or the ring is gone.
void FileCopy::CloseSlot(NextChains* next) {
  state_ = State::kCloseSlot;
  next->Add(0).Add(Close(FileRef::Slot(slot_)));
}

void FileCopy::OnCloseSlot(int32_t result, NextChains* next) {
  if (result == -ECANCELED && ShouldRetry(result, &retries_, counters_)) {
    return CloseSlot(next);
  }
  OnInstalled(next);
}

void FileCopy::OnInstalled(NextChains* next) {
  const bool gives_up = control_.stopped && !complete_;
  if (outcome_at_end_ == Outcome::kFailed || gives_up) return CloseAll(next);
  WriteWhole(next);
}

void FileCopy::OpenNewTarget(NextChains* next) {
  existing_ = false;
  target_kind_ = names_.target_file_system;
  if (truncates_ && policy_.claims != nullptr) policy_.claims->Release(&claim_);
  truncates_ = false;
  ClaimNewTarget();
  Enter(State::kOpenTarget,
        OpenAt(names_.target_directory, names_.target, kNewTargetFlags, FirstMode(),
               FileRef()),
        next);
}

void FileCopy::OpenExistingTarget(NextChains* next) {
  existing_ = true;
  // A link is followed, as GNU cp does; what was none must not have become one.
  const int flags = (kExistingTargetFlags & ~(waits_for_target_ ? O_NONBLOCK : 0)) |
                    (is_link_ ? 0 : O_NOFOLLOW) | (makes_pointee_ ? O_CREAT : 0) |
                    (truncates_ ? O_TRUNC : 0);
  Enter(State::kOpenTarget,
        OpenAt(names_.target_directory, names_.target, flags,
               makes_pointee_ ? FirstMode() : 0, FileRef()),
        next);
}

void FileCopy::OnOpenTarget(int32_t result, NextChains* next) {
  if (result < 0) return OnOpenTargetFailed(-result, next);
  retries_ = 0;
  target_ = FileRef::Descriptor(result);
  if (existing_) {
    return Enter(State::kStatOpened,
                 policy_.CallUnlessQueued(StatDescriptor(result, &target_stat_)), next);
  }
  created_ = true;
  CopyContents(next);
}

void FileCopy::OnOpenTargetFailed(int error_number, NextChains* next) {
  if (existing_ && error_number == EAGAIN && !waits_for_target_) {
    // Somebody holds a lease on it: as with the source, opening waits for that now.
    waits_for_target_ = true;
    control_.at_once = false;
  }
  if (ShouldRetry(-error_number, &retries_, counters_)) {
    return existing_ && begins_anew_ ? OpenExistingTarget(next) : OpenNewTarget(next);
  }
  // What it made may be one that nobody may write to, like its source.
  if (begins_anew_ && existing_ && created_ && RemovingMayHelp(error_number)) {
    return RemoveTarget(old_target_, next);
  }
  if (begins_anew_ || makes_pointee_ || (!existing_ && error_number != EEXIST)) {
    FailOnTarget(Operation::kCreate, error_number);
    return CloseAll(next);
  }
  if (existing_ && ShouldTruncate(error_number)) {
    if (control_.stopped) return CloseAll(next);
    truncates_ = true;
    return TakeTarget(next);
  }
  if (!existing_ && policy_.claims != nullptr) policy_.claims->Release(&claim_);
  existing_ ? question_.NoteFailedOpening(error_number) : question_.NoteThatItExists();
  target_error_ = error_number;
  CarryOut(DecideTarget(question_), next);
}

void FileCopy::CarryOut(const TargetDecision& decision, NextChains* next) {
  switch (decision.fate) {
    case Fate::kLook:
      if (decision.look != Fact::kRelation) return StatTarget(next);
      question_.relation =
          RelationOfContents(policy_.kernel, names_, source_stat_, target_stat_);
      return CarryOut(DecideTarget(question_), next);
    case Fate::kCreate:  // It is gone again.
      if (retries_++ < kRetriesMax) return OpenNewTarget(next);
      FailOnTarget(Operation::kStat, target_error_);
      break;
    case Fate::kOverwrite:
      return Overwrite(next);
    case Fate::kReplace:
      if (control_.stopped) break;
      return RemoveTarget(decision.old_target, next);
    case Fate::kMakePointee:
      makes_pointee_ = true;
      return OpenExistingTarget(next);
    case Fate::kAsStream:
      outcome_at_end_ = Outcome::kTargetIsSpecial;
      break;
    case Fate::kSkip:
      outcome_at_end_ = Outcome::kSkipped;
      break;
    default:
      Fail(FailureOf(decision, Operation::kCreate, target_error_));
  }
  CloseAll(next);
}

bool FileCopy::ShouldTruncate(int error_number) const {
  // What can't be cloned to is to stay as it is.
  return !truncates_ && !makes_pointee_ && policy_.reflink != Reflink::kAlways &&
         NeedsTruncating(target_kind_, error_number,
                         target_stat_.stx_nlink == 1 && !is_link_);
}

void FileCopy::RemoveTarget(OldTarget removed_as, NextChains* next) {
  question_.conditions.Add(Condition::kRemoved);
  removed_as_ = removed_as;
  Enter(State::kRemoveTarget, UnlinkAt(names_.target_directory, names_.target, 0), next);
}

void FileCopy::OnRemoveTarget(int32_t result, NextChains* next) {
  if (result < 0 && result != -ENOENT) {
    FailOnTarget(Operation::kRemove, -result);
    return CloseAll(next);
  }
  if (begins_anew_) created_ = is_identified_ = false;
  if (result == 0) old_target_ = removed_as_;
  if (control_.stopped) return CloseAll(next);
  OpenNewTarget(next);
}

void FileCopy::StatTarget(NextChains* next) {
  state_ = State::kStatTarget;
  const auto stat = [&](int flags, struct statx* result) {
    return StatAt(names_.target_directory, names_.target, flags, result);
  };
  Chain& chain = next->Add(0);
  chain.Add(stat(AT_SYMLINK_NOFOLLOW, &target_name_stat_));
  if (question_.looks_through_links()) chain.Add(stat(0, &target_stat_));
}

// Of a file that will not be copied it does not matter whether it can be read, as long as
// it can be looked at.
void FileCopy::StatBoth(NextChains* next) {
  state_ = State::kStatBoth;
  Chain& chain = next->Add(0);
  chain.Add(StatAt(names_.source_directory, names_.source,
                   names_.follow_source ? 0 : AT_SYMLINK_NOFOLLOW, &source_stat_));
  chain.Add(StatAt(names_.target_directory, names_.target, question_.look_flags(),
                   &target_stat_));
}

void FileCopy::OnStatBoth(absl::Span<const int32_t> results, NextChains* next) {
  if (results[0] < 0) {
    failure_ = {.operation = Operation::kStat, .error_number = -results[0]};
  } else if (!S_ISREG(source_stat_.stx_mode)) {
    // A directory that is skipped as a file would be missing with all that is in it.
    outcome_at_end_ = Outcome::kSourceIsOther;
  } else {
    question_.NoteLook(results[1], target_stat_, source_stat_);
    if (DecideTarget(question_).fate == Fate::kSkip) outcome_at_end_ = Outcome::kSkipped;
  }
  Finish(next);
}

// What the names say is a plan; what is opened is looked at once more.
void FileCopy::OnStatTarget(absl::Span<const int32_t> results, NextChains* next) {
  if (control_.stopped) return CloseAll(next);
  const int32_t name_result = results[0];
  is_link_ = name_result == 0 && S_ISLNK(target_name_stat_.stx_mode);
  if (!question_.looks_through_links()) target_stat_ = target_name_stat_;
  const int32_t result = name_result < 0 ? name_result : results.back();
  target_error_ = -result;
  question_.NoteLook(result, target_stat_, source_stat_);
  if (result < 0 && !is_link_) {
    question_.there = name_result == -ENOENT ? There::kNothing : There::kUnknown;
  }
  CarryOut(DecideTarget(question_), next);
}

void FileCopy::Overwrite(NextChains* next) {
  // Through a link it may be on another file system than its directory.
  if (is_link_ && DeviceOf(target_stat_) != names_.target_device) {
    target_kind_ =
        KindOfFileSystemAt(policy_.kernel, names_.target_directory, names_.target);
  }
  if (!ShouldTruncate(/*error_number=*/0)) return OpenExistingTarget(next);
  truncates_ = true;
  TakeTarget(next);
}

void FileCopy::OnStatOpened(int32_t result, NextChains* next) {
  if (result < 0) {
    FailOnTarget(Operation::kStat, -result);
  } else if (control_.stopped) {
    // Nothing has been written to it.
    changed_ = changed_ || truncates_;
  } else {
    const TargetDecision decision =
        DecideOpenTarget(CopyKind::kContents, source_stat_, target_stat_);
    if (decision.fate != Fate::kOverwrite) return CarryOut(decision, next);
    is_identified_ = true;
    if (DeviceOf(target_stat_) != names_.target_device) {
      target_kind_ = KindOfFileSystem(policy_.kernel, target_.index);
    }
    // With O_TRUNC it has been claimed and emptied.
    changed_ = changed_ || truncates_;
    return truncates_ ? CopyContents(next) : TakeTarget(next);
  }
  CloseAll(next);
}

void FileCopy::TakeTarget(NextChains* next) {
  if (policy_.claims == nullptr) return UseTaken(next);
  const bool is_open = target_ != FileRef();
  if (!policy_.claims->TryTake({.device = DeviceOf(target_stat_),
                                .inode = target_stat_.stx_ino,
                                .links = target_stat_.stx_nlink,
                                .file_system = target_kind_,
                                .is_any = is_any_},
                               names_.target_place(), /*announces=*/!is_open, &claim_)) {
    state_ = State::kAwaitTarget;
    outcome_ = Outcome::kAwaitTarget;
    return;
  }
  ConfirmTarget(next);
}

void FileCopy::ConfirmTarget(NextChains* next) {
  const Op stat = StatAt(names_.target_directory, names_.target,
                         is_link_ ? 0 : AT_SYMLINK_NOFOLLOW, &target_name_stat_);
  Enter(State::kConfirmTarget, policy_.CallUnlessQueued(stat), next);
}

void FileCopy::OnConfirmTarget(int32_t result, NextChains* next) {
  if (control_.stopped) return CloseAll(next);
  if (begins_anew_) return OnConfirmAnew(result, next);
  if (result == 0 && SameFile(target_stat_, target_name_stat_)) {
    target_stat_ = target_name_stat_;  // It may have another size by now.
    return UseTaken(next);
  }
  // Where each look gives another inode number, nobody can tell. Then it is claimed as
  // one that may be any file there; but it must not be the source.
  const bool is_elsewhere = DeviceOf(target_stat_) != DeviceOf(source_stat_);
  const bool may_be_made_up = target_kind_ == FileSystemKind::kOther;
  const bool may_be_it = result == 0 && S_ISREG(target_name_stat_.stx_mode) &&
                         may_be_made_up && is_elsewhere;
  if (is_any_ && may_be_it) return UseTaken(next);
  // Another copy that failed, or somebody else, has removed it since it was opened:
  // nobody would find what is written to it now.
  policy_.claims->Release(&claim_);
  if (++targets_let_go_ > (may_be_made_up ? kLooksMax : kRetriesMax)) {
    if (may_be_it && !is_any_) {
      is_any_ = true;
      return TakeTarget(next);
    }
    Fail(RefusedTarget(Refusal::kTargetReplaced));
    return CloseAll(next);
  }
  if (target_ == FileRef()) return OpenNewTarget(next);
  LetGo(next);
}

void FileCopy::RetryTarget(NextChains* next) {
  RINGCP_CHECK(state_ == State::kAwaitTarget);
  outcome_ = Outcome::kRunning;
  if (control_.stopped) {
    CloseAll(next);
  } else {
    TakeTarget(next);
  }
  SetAtOnce(next);
}

void FileCopy::UseTaken(NextChains* next) {
  if (target_ == FileRef()) return OpenExistingTarget(next);
  EmptyOld(next);
}

void FileCopy::EmptyOld(NextChains* next) {
  // If it can't be cloned to, it is to stay as it is.
  if (policy_.reflink == Reflink::kAlways) return CopyContents(next);
  Enter(State::kEmptyOld, policy_.Resize(target_.index, 0), next);
}

void FileCopy::OnEmptyOld(int32_t result, NextChains* next) {
  if (result < 0 && !control_.stopped && ShouldTruncate(-result)) {
    truncates_ = true;
    return LetGo(next);
  }
  if (result < 0) {
    FailOnTarget(Operation::kCreate, -result);
    return CloseAll(next);
  }
  changed_ = true;
  CopyContents(next);
}

bool FileCopy::may_clone() const {
  return policy_.MayClone(names_.source_device, names_.target_device);
}

// --- Contents ---

void FileCopy::CopyContents(NextChains* next) {
  begins_anew_ = false;
  if (is_whole_) return WriteWhole(next);
  const dev_t target_file_device =
      created_ ? names_.target_device : DeviceOf(target_stat_);
  state_ = State::kContents;
  contents_.Start({.source = source_,
                   .target = target_,
                   .source_is_local = source_is_local(),
                   .target_created = created_,
                   .target_has_contents = existing_ && !changed_,
                   .target_size = target_stat_.stx_size,
                   .may_clone = may_clone(),
                   .source_device = names_.source_device,
                   .target_device = names_.target_device,
                   .target_file_device = target_file_device},
                  next);
  OnContents(next);
}

Op FileCopy::WriteBlock(FileRef target) {
  Op op = WriteAt(target, block_ + written_, filled_ - written_, written_);
  if (policy_.page_cache != PageCache::kKeep) {
    op.io.flags = policy_.uncached_io->write_flags();
  }
  write_is_uncached_ = op.io.flags != 0;
  return op;
}

bool FileCopy::closes_when_written() const {
  return !policy_.preserve.any_attribute() && policy_.page_cache == PageCache::kKeep;
}

void FileCopy::WriteWhole(NextChains* next) {
  state_ = State::kWriteWhole;
  const bool writes = written_ < filled_;
  if (!writes && !closes_when_written()) return OnWriteWhole({}, next);
  Chain& chain = next->Add(0);
  if (writes) chain.Add(WriteBlock(target_));
  if (closes_when_written()) AddCloses(Link::kSoft, &chain);
  if (control_.only_calls) chain.SetAtOnce();
}

void FileCopy::OnWriteWhole(absl::Span<const int32_t> results, NextChains* next) {
  if (written_ < filled_) {
    const bool may_go_on = NoteWritten(results[0]);
    results.remove_prefix(1);
    if (written_ < filled_) return may_go_on ? WriteWhole(next) : CloseAll(next);
  }
  complete_ = true;
  if (!closes_when_written()) return SetAttributes(next);
  OnClosed(results);
  CloseAll(next);
}

bool FileCopy::may_help_to_call() const {
  const bool may_be_in_user_space =
      target_kind_ == FileSystemKind::kOther || target_kind_ == FileSystemKind::kOverlay;
  return may_be_in_user_space && !control_.only_calls;
}

bool FileCopy::NoteWritten(int32_t result) {
  if (write_is_uncached_ && UncachedIo::IsRefusal(result)) {
    policy_.uncached_io->NoteWritesRefused();
    return true;
  }
  // Cancelled it was by a chain cut short; 0 bytes is not an answer that a regular file
  // gives. Both are tried again as if interrupted.
  if (result == 0 || result == -ECANCELED) result = -EINTR;
  if (result == -EIO && may_help_to_call() && !control_.stopped) {
    control_.only_calls = true;
    counters_->bytes_done.Add(-static_cast<int64_t>(written_));
    written_ = 0;
    return true;
  }
  if (result < 0) {
    if (!control_.stopped && ShouldRetry(result, &retries_, counters_)) return true;
    if (!control_.stopped || result != -EINTR) {
      FailOnTarget(Operation::kWrite, result == -EINTR ? EIO : -result);
    }
    return false;
  }
  retries_ = 0;
  counters_->bytes_done.Add(result);
  written_ += result;
  if (written_ < filled_) counters_->short_writes.Add(1);
  return !control_.stopped;
}

void FileCopy::OnContents(NextChains* next) {
  changed_ = changed_ || contents_.target_emptied();
  outcome_ = Outcome::kRunning;
  switch (contents_.outcome()) {
    case ContentsCopy::Outcome::kRunning:
      return;
    case ContentsCopy::Outcome::kAwaitHelper:
      outcome_ = Outcome::kAwaitHelper;
      return;
    case ContentsCopy::Outcome::kCopied:
      complete_ = true;
      return SetAttributes(next);
    case ContentsCopy::Outcome::kStopped:
      control_.stopped = true;  // If not by its own worker, then by its helper.
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

// After a failed write some file systems take nothing more from the open file. So if the
// target's name still leads to it, it is emptied, closed and opened again. Where each
// look may tell another inode number nobody can tell, and the open file is written to
// again.
void FileCopy::CopyAnew(NextChains* next) {
  begins_anew_ = true;
  first_failure_ = contents_.failure();
  state_ = State::kLookAnew;
  Chain& chain = next->Add(0);
  if (contents_.is_direct()) {
    chain.Add(SetDirect(source_.index, target_, /*on=*/false));
  }
  chain.Add(StatDescriptor(target_.index, &target_stat_), Link::kHard);
  chain.Add(StatAt(names_.target_directory, names_.target,
                   is_link_ ? 0 : AT_SYMLINK_NOFOLLOW, &target_name_stat_),
            Link::kHard);
  chain.SetAtOnce();
}

void FileCopy::OnLookAnew(absl::Span<const int32_t> results, NextChains* next) {
  const int32_t identified = results[results.size() - 2];
  is_identified_ = identified == 0;
  const bool is_known = is_identified_ && results.back() == 0;
  const bool may_be_made_up = is_known && target_kind_ == FileSystemKind::kOther &&
                              S_ISREG(target_name_stat_.stx_mode) &&
                              DeviceOf(target_name_stat_) == DeviceOf(target_stat_);
  counters_->bytes_done.Add(-contents_.TakeCounted());
  contents_.Reset(&policy_, &source_stat_);
  control_.only_calls = control_.at_once = true;
  if (control_.stopped) return CloseAll(next);
  if (may_be_made_up && !IsStillTheSame(target_stat_, target_name_stat_)) {
    return Enter(State::kEmptyAnew, SetSize(target_.index, 0), next);
  }
  // If it can't be told from another file it stays, as long as it is there.
  removal_error_ = is_identified_ ? 0 : -identified;
  state_ = State::kLetGo;
  next->Add(0).Add(SetSize(target_.index, 0)).Add(Close(target_), Link::kHard);
}

void FileCopy::OnEmptyAnew(int32_t result, NextChains* next) {
  if (result < 0) Fail(first_failure_);
  if (result < 0 || control_.stopped) return CloseAll(next);
  CopyContents(next);
}

void FileCopy::LetGo(NextChains* next) { Enter(State::kLetGo, Close(target_), next); }

void FileCopy::OnLetGo(absl::Span<const int32_t> results, NextChains* next) {
  // It did not run for want of a thread or of memory in the kernel.
  if (MayNotHaveRun(results.back())) {
    closes_at_once_ = true;
    return Enter(State::kLetGo, AtOnce(Close(target_)), next);
  }
  target_ = FileRef();
  if (control_.stopped) return CloseAll(next);
  if (begins_anew_) return ConfirmTarget(next);
  is_identified_ = false;
  return truncates_ ? OpenExistingTarget(next) : OpenNewTarget(next);
}

void FileCopy::OnConfirmAnew(int32_t result, NextChains* next) {
  if (result == 0 && is_identified_ && IsStillTheSame(target_stat_, target_name_stat_)) {
    truncates_ = true;
    return OpenExistingTarget(next);
  }
  // Some forget what was not written to its end.
  if (result == -ENOENT && created_) {
    created_ = is_identified_ = false;
    removal_error_ = not_identified_ = 0;
    return OpenNewTarget(next);
  }
  Fail(first_failure_);
  CloseAll(next);
}

void FileCopy::Resume(NextChains* next) {
  contents_.Resume(next);
  OnContents(next);
  SetAtOnce(next);
}

// --- Attributes ---

void FileCopy::SetAttributes(NextChains* next) {
  DropFirstBlock();
  if (!policy_.preserve.any_attribute() || outcome_at_end_ == Outcome::kFailed) {
    return CloseAll(next);
  }
  attributes_.Start(policy_, source_stat_,
                    {.fd = target_.index,
                     .created = created_,
                     .kept_mode = source_stat_.stx_mode & kAllModeBits,
                     .withheld = created_ || makes_pointee_ ? WithheldMode() : 0,
                     .default_acl = names_.target_default_acl});
  SetNextAttribute(next);
}

void FileCopy::SetNextAttribute(NextChains* next) {
  if (!attributes_.done()) {
    return Enter(State::kAttributes, policy_.CallUnlessQueued(attributes_.op()), next);
  }
  if (attributes_.failed()) Fail(attributes_.failure());
  CloseAll(next);
}

// --- The end ---

bool FileCopy::has_cached() const {
  return policy_.page_cache != PageCache::kKeep &&
         (policy_.uncached_io->reads_refused() || policy_.uncached_io->writes_refused());
}

void FileCopy::CloseAll(NextChains* next) {
  DropFirstBlock();
  if (is_half_written() && !cleaned_up_ && target_ != FileRef()) {
    if (target_.is_slot()) return InstallTarget(next);
    if (created_ && target_kind_ != FileSystemKind::kOther) return Identify(next);
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
         !cleaned_up_ && !target_is_local();
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

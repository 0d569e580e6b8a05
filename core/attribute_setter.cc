#include "core/attribute_setter.h"

#include "core/check.h"

namespace ringcp {
namespace {

timespec ToTimespec(const statx_timestamp& time) {
  return {.tv_sec = time.tv_sec, .tv_nsec = time.tv_nsec};
}

}  // namespace

void AttributeSetter::Enter(State state, const Op& op, NextChains* next) {
  state_ = state;
  next->Add(0).Add(op);
}

void AttributeSetter::Fail(Operation operation, int error_number) {
  if (!failed_) failure_ = TargetFailure(operation, error_number);
  failed_ = true;
}

void AttributeSetter::Start(const FileCopyPolicy& policy, const struct statx& source_stat,
                            int target_fd, bool created, NextChains* next) {
  RINGCP_CHECK(done());
  policy_ = &policy;
  source_stat_ = &source_stat;
  target_fd_ = target_fd;
  created_ = created;
  failed_ = false;
  mode_wanted_ = policy.FinalMode(source_stat.stx_mode);
  if (!policy.preserve.mode && !policy.preserve.ownership) return SetTimesIfKept(next);
  Enter(State::kStat, StatDescriptor(target_fd_, &target_stat_), next);
}

void AttributeSetter::Settle(int32_t result, NextChains* next) {
  switch (state_) {
    case State::kStat:
      if (result == 0) return SetTimesIfKept(next);
      Fail(Operation::kStat, -result);
      state_ = State::kDone;
      return;
    case State::kSetTimes:
      if (result < 0) Fail(Operation::kSetTimes, -result);
      return RestrictModeIfNeeded(next);
    case State::kRestrictMode:
      if (result == 0) return SetOwnerIfKept(next);
      Fail(Operation::kSetMode, -result);
      state_ = State::kDone;
      return;
    case State::kSetOwner:
      return OnSetOwner(result, next);
    case State::kSetGroup:  // An attempt: its failure is no error, as in GNU cp.
      return SetModeIfNeeded(next);
    case State::kSetMode:
      if (result < 0) Fail(Operation::kSetMode, -result);
      state_ = State::kDone;
      return;
    case State::kDone:
      break;
  }
  RINGCP_CHECK(!done());
}

void AttributeSetter::SetTimesIfKept(NextChains* next) {
  if (!policy_->preserve.timestamps) return RestrictModeIfNeeded(next);
  Enter(State::kSetTimes,
        SetTimes(target_fd_, ToTimespec(source_stat_->stx_atime),
                 ToTimespec(source_stat_->stx_mtime)),
        next);
}

void AttributeSetter::RestrictModeIfNeeded(NextChains* next) {
  // A file that was there may be open to more people than its new owner wants.
  if (!created_ && policy_->preserve.ownership && owner_differs() &&
      (target_stat_.stx_mode & kPermissions & ~kOwnerPermissions) != 0) {
    mode_t mode = target_stat_.stx_mode & kOwnerPermissions;
    if (policy_->preserve.mode) mode &= mode_wanted_;
    if (!policy_->preserve.mode) mode_wanted_ = target_stat_.stx_mode & kPermissions;
    target_stat_.stx_mode = mode;
    return Enter(State::kRestrictMode, SetMode(target_fd_, mode), next);
  }
  SetOwnerIfKept(next);
}

void AttributeSetter::SetOwnerIfKept(NextChains* next) {
  if (!policy_->preserve.ownership || !owner_differs()) return SetModeIfNeeded(next);
  Enter(State::kSetOwner,
        SetOwner(target_fd_, source_stat_->stx_uid, source_stat_->stx_gid), next);
}

void AttributeSetter::OnSetOwner(int32_t result, NextChains* next) {
  if (result == 0) {
    // A change of owner takes the set-ID bits away.
    target_stat_.stx_mode &= ~kSetIdBits;
    return SetModeIfNeeded(next);
  }
  if (!policy_->MayFailToSetOwner(-result)) Fail(Operation::kSetOwner, -result);
  // Not the owner's file: it must not act with its user's or group's rights.
  mode_wanted_ &= kPermissions;
  Enter(State::kSetGroup,
        SetOwner(target_fd_, static_cast<uid_t>(-1), source_stat_->stx_gid), next);
}

void AttributeSetter::SetModeIfNeeded(NextChains* next) {
  const bool wanted =
      policy_->preserve.mode ||
      (policy_->preserve.ownership &&
       (created_ || state_ == State::kSetOwner || state_ == State::kSetGroup));
  if (!wanted || (target_stat_.stx_mode & kAllModeBits) == mode_wanted_) {
    state_ = State::kDone;
    return;
  }
  Enter(State::kSetMode, SetMode(target_fd_, mode_wanted_), next);
}

}  // namespace ringcp

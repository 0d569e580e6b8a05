#include "core/file/attribute_setter.h"

#include <cerrno>

#include "core/base/check.h"
#include "core/base/posix_acl.h"

namespace ringcp {

void AttributeSetter::Enter(State state, const Op& op, NextChains* next) {
  state_ = state;
  next->Add(0).Add(op);
}

void AttributeSetter::Fail(Operation operation, int error_number) {
  if (!failed_) failure_ = TargetFailure(operation, error_number);
  failed_ = true;
}

void AttributeSetter::Start(const FileCopyPolicy& policy, const struct statx& source_stat,
                            const Target& target, NextChains* next) {
  RINGCP_CHECK(done());
  policy_ = &policy;
  source_stat_ = &source_stat;
  target_ = target;
  failed_ = drops_set_id_ = keeps_withheld_ = closes_group_ = false;
  if (!policy.preserve.mode && !policy.preserve.ownership) return SetTimesIfKept(next);
  Enter(State::kStat, policy.CallUnlessQueued(StatDescriptor(target_.fd, &target_stat_)),
        next);
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
      if (!keeps_withheld_) return ReplaceAclIfNeeded(next);
      state_ = State::kDone;
      return;
    case State::kReplaceAcl:
      return OnReplaceAcl(result, next);
    case State::kSetMode:
      return OnSetMode(result);
    case State::kDone:
      break;
  }
  RINGCP_CHECK(!done());
}

void AttributeSetter::SetTimesIfKept(NextChains* next) {
  if (!policy_->preserve.timestamps) return RestrictModeIfNeeded(next);
  Enter(State::kSetTimes, SetTimes(target_.fd, *source_stat_), next);
}

void AttributeSetter::RestrictModeIfNeeded(NextChains* next) {
  // A file that was there may be open to more people than its new owner wants.
  const mode_t for_others = kPermissions & ~kOwnerPermissions;
  if (!target_.created && policy_->preserve.ownership && policy_->preserve.mode &&
      owner_differs() && (target_stat_.stx_mode & for_others) != 0) {
    const mode_t mode = target_stat_.stx_mode & kOwnerPermissions &
                        policy_->FinalMode(source_stat_->stx_mode);
    target_stat_.stx_mode = static_cast<uint16_t>(S_IFREG | mode);
    return Enter(State::kRestrictMode, SetMode(target_.fd, mode), next);
  }
  SetOwnerIfKept(next);
}

void AttributeSetter::SetOwnerIfKept(NextChains* next) {
  if (!policy_->preserve.ownership || !owner_differs()) return ReplaceAclIfNeeded(next);
  Enter(State::kSetOwner,
        SetOwner(target_.fd, source_stat_->stx_uid, source_stat_->stx_gid), next);
}

void AttributeSetter::OnSetOwner(int32_t result, NextChains* next) {
  if (result == 0) {
    // A change of owner takes the set-ID bits away.
    target_stat_.stx_mode &= static_cast<uint16_t>(~kSetIdBits);
    return ReplaceAclIfNeeded(next);
  }
  if (!policy_->MayFailToSetOwner(-result)) {
    Fail(Operation::kSetOwner, -result);
    // As in GNU cp: what the owner's absence was to keep others out of stays closed.
    keeps_withheld_ = true;
  }
  // Not the owner's file: it must not act with its user's or group's rights.
  drops_set_id_ = true;
  Enter(State::kSetGroup,
        SetOwner(target_.fd, static_cast<uid_t>(-1), source_stat_->stx_gid), next);
}

mode_t AttributeSetter::KeptMode() const {
  const mode_t mode = policy_->FinalMode(source_stat_->stx_mode);
  return drops_set_id_ ? mode & kPermissions : mode;
}

// To remove the list would leave its mask to the group until the mode is set. One that
// says no more than a mode does takes its place, and the kernel makes that the mode.
void AttributeSetter::ReplaceAclIfNeeded(NextChains* next) {
  const bool may_have_acl = !target_.created || target_.default_acl.has_value();
  if (!policy_->preserve.mode || !may_have_acl) return SetModeIfNeeded(next);
  acl_ = AclOfMode(KeptMode());
  Enter(State::kReplaceAcl,
        policy_->CallUnlessQueued(SetXattr(target_.fd, kAccessAclName, acl_.data(),
                                           static_cast<uint32_t>(acl_.size()))),
        next);
}

void AttributeSetter::OnReplaceAcl(int32_t result, NextChains* next) {
  if (result < 0 && !SaysNoAcl(-result)) {
    Fail(Operation::kSetMode, -result);
    // Without the group's bits a list that is there still lets nobody in whom it names.
    closes_group_ = true;
  }
  // What its mode is by now is not known.
  if (result == 0) target_stat_.stx_mode = 0;
  SetModeIfNeeded(next);
}

void AttributeSetter::SetModeIfNeeded(NextChains* next) {
  if (!policy_->preserve.mode && !policy_->preserve.ownership) {
    state_ = State::kDone;
    return;
  }
  mode_t wanted = target_stat_.stx_mode & kAllModeBits;
  if (policy_->preserve.mode) {
    wanted = KeptMode() & ~(closes_group_ ? mode_t{S_IRWXG} : 0);
  } else if (policy_->preserve.ownership) {
    // What making the file would have given it without withholding anything.
    const mode_t granted = target_.default_acl.value_or(kPermissions & ~policy_->umask);
    wanted |= target_.withheld & granted;
  }
  if (target_stat_.stx_mode != 0 && (target_stat_.stx_mode & kAllModeBits) == wanted) {
    state_ = State::kDone;
    return;
  }
  Enter(State::kSetMode, SetMode(target_.fd, wanted), next);
}

void AttributeSetter::OnSetMode(int32_t result) {
  if (result < 0 && !policy_->MayFailToSetMode(-result)) {
    Fail(Operation::kSetMode, -result);
  }
  state_ = State::kDone;
}

}  // namespace ringcp

// Gives the copy of a regular file its source's times, owner and mode, as far as they are
// to be kept and it has others: the last part of a FileCopy, as a state machine without
// I/O, in GNU cp's order.
//
//   kStat -> kSetTimes -> (kRestrictMode ->) kSetOwner (-> kSetGroup) (-> kReplaceAcl) ->
//   kSetMode -> kDone
//
// Most files have their owner and mode already: looking (kStat, unless only times are
// kept) is cheaper than setting.
// Mode comes last because a change of owner takes the set-ID bits away, times come first
// because they may be set by an owner that is about to change.
//
// Where the mode is not to be kept, nothing is granted but what this copy has withheld
// while the file had another owner: a target that was there keeps the mode it has.
//
// Where the mode is to be kept, an access control list that the target has by its
// directory, or had before, goes: with it others could get in whom the source keeps out.
//
// Thread-safety: belongs to its FileCopy.

#ifndef RINGCP_CORE_FILE_ATTRIBUTE_SETTER_H_
#define RINGCP_CORE_FILE_ATTRIBUTE_SETTER_H_

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/file_error.h"
#include "core/file/copy_policy.h"
#include "core/file/next_chains.h"
#include "core/kernel/op.h"

namespace ringcp {

class AttributeSetter {
 public:
  struct Target {
    int fd = -1;           // An ordinary descriptor.
    bool created = false;  // By this copy, not there before.
    // Permissions that it was created without, to be granted once it has its owner.
    mode_t withheld = 0;
    // What the default access control list of its directory grants at most, if there is
    // one.
    std::optional<mode_t> default_acl;
  };

  // Begins. REQUIRES: done(); `policy` and `source_stat` stay as they are until done()
  // again.
  void Start(const FileCopyPolicy& policy, const struct statx& source_stat,
             const Target& target, NextChains* next);

  // Takes in the result of the one op that was queued.
  void Settle(int32_t result, NextChains* next);

  bool done() const { return state_ == State::kDone; }
  bool failed() const { return failed_; }
  // The first thing that failed. REQUIRES: failed().
  const CopyFailure& failure() const { return failure_; }

 private:
  enum class State {
    kStat,
    kSetTimes,
    kRestrictMode,
    kSetOwner,
    kSetGroup,
    kReplaceAcl,
    kSetMode,
    kDone,
  };

  // Each sets one attribute if that is needed, or goes on with the next.
  void SetTimesIfKept(NextChains* next);
  void RestrictModeIfNeeded(NextChains* next);
  void SetOwnerIfKept(NextChains* next);
  void OnSetOwner(int32_t result, NextChains* next);
  // The mode in the end, where the source's is kept.
  mode_t KeptMode() const;
  void ReplaceAclIfNeeded(NextChains* next);
  void OnReplaceAcl(int32_t result, NextChains* next);
  void SetModeIfNeeded(NextChains* next);
  void OnSetMode(int32_t result);

  bool owner_differs() const {
    return target_stat_.stx_uid != source_stat_->stx_uid ||
           target_stat_.stx_gid != source_stat_->stx_gid;
  }
  void Enter(State state, const Op& op, NextChains* next);
  void Fail(Operation operation, int error_number);

  const FileCopyPolicy* policy_ = nullptr;
  const struct statx* source_stat_ = nullptr;
  Target target_;

  State state_ = State::kDone;
  bool failed_ = false;
  CopyFailure failure_;
  std::string acl_;              // What takes the place of the target's.
  bool closes_group_ = false;    // Its access control list could not be replaced.
  bool drops_set_id_ = false;    // It could not be given its owner.
  bool keeps_withheld_ = false;  // ... which is an error.
  struct statx target_stat_ = {};
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_ATTRIBUTE_SETTER_H_

// Gives the copy of a regular file its source's times, owner and mode, as far as they are
// to be kept and it has others: the last part of a FileCopy, as a state machine without
// I/O, in GNU cp's order.
//
//   kStat -> kSetTimes -> (kRestrictMode ->) kSetOwner (-> kSetGroup) -> kSetMode ->
//   kDone
//
// Most files have their owner and mode already: looking (kStat, unless only times are
// kept) is cheaper than setting.
// Mode comes last because a change of owner takes the set-ID bits away, times come first
// because they may be set by an owner that is about to change.
//
// Thread-safety: belongs to its FileCopy.

#ifndef RINGCP_CORE_ATTRIBUTE_SETTER_H_
#define RINGCP_CORE_ATTRIBUTE_SETTER_H_

#include <sys/stat.h>

#include <cstdint>

#include "core/copy_policy.h"
#include "core/file_error.h"
#include "core/next_chains.h"
#include "core/op.h"

namespace ringcp {

class AttributeSetter {
 public:
  // Begins with a file that is open as the ordinary descriptor `target_fd`. `created`: by
  // this copy, not there before.
  // REQUIRES: done(); `policy` and `source_stat` stay as they are until done() again.
  void Start(const FileCopyPolicy& policy, const struct statx& source_stat, int target_fd,
             bool created, NextChains* next);

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
    kSetMode,
    kDone,
  };

  // Each sets one attribute if that is needed, or goes on with the next.
  void SetTimesIfKept(NextChains* next);
  void RestrictModeIfNeeded(NextChains* next);
  void SetOwnerIfKept(NextChains* next);
  void OnSetOwner(int32_t result, NextChains* next);
  void SetModeIfNeeded(NextChains* next);

  bool owner_differs() const {
    return target_stat_.stx_uid != source_stat_->stx_uid ||
           target_stat_.stx_gid != source_stat_->stx_gid;
  }
  void Enter(State state, const Op& op, NextChains* next);
  void Fail(Operation operation, int error_number);

  const FileCopyPolicy* policy_ = nullptr;
  const struct statx* source_stat_ = nullptr;
  int target_fd_ = -1;
  bool created_ = false;

  State state_ = State::kDone;
  bool failed_ = false;
  CopyFailure failure_;
  mode_t mode_wanted_ = 0;
  struct statx target_stat_ = {};
};

}  // namespace ringcp

#endif  // RINGCP_CORE_ATTRIBUTE_SETTER_H_

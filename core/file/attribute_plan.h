// Gives a target its source's times, owner and mode, as far as they are to be kept: what
// is set, in which order, what may fail without being an error, and what follows from a
// failure. One set of rules for files, links, pipes, devices, streams and directories. It
// does no I/O: it hands out one op at a time and takes in its result. A file's copy puts
// the ops into chains; all others carry them out with SetAttributesAtOnce().
//
// The order is GNU cp's: times first, because whoever gives a file away may not set them
// any more; the mode last, because a change of owner takes the set-ID bits away. A step
// is taken if it is needed when its turn comes:
//
//   kLook              if more than times may have to be set, and the caller has not
//                      just looked. Most targets have their owner and mode already, and
//                      looking is cheaper than setting.
//   kSetTimes          if times are kept.
//   kRestrictMode      if owner and mode are kept and the owner is another one: a target
//                      that was there may be open to more people than that one wants.
//   kSetOwner          if the owner is kept and is another one. An ordinary user may fail
//                      to give a file away; then the set-ID bits are dropped, because the
//                      file must not act with the rights of somebody else.
//   kSetGroup          if that was not permitted. It may fail.
//   kListAcls          if the mode is kept and a directory may have ACLs, which is seldom
//                      so. Other files' are replaced unseen.
//   kRemoveDefaultAcl  if the directory has one.
//   kReplaceAcl        if the mode is kept and the target may have an access ACL, by its
//                      directory or from before: with it others could get in whom the
//                      source keeps out.
//   kSetMode           if the mode is not what it is to be. It may fail where nobody
//                      asked for the mode (FileCopyPolicy::MayFailToSetMode).
//
// Any other failure is an error, which ends the plan as it does GNU cp's: permissions
// that were withheld until the target has its owner stay withheld. There are two
// exceptions. The group is tried also where failing to set the owner is an error. And
// where an ACL could not be replaced the mode is set without the group's permissions,
// which are the mask of all whom the list names.
//
// Two things differ between kinds: a link has no mode; and a directory keeps its sticky
// bit where its set-ID bits are dropped, because without it others could remove what is
// in it.
//
// The other shape that was considered is a list of ops, made from one look at the target,
// each with what its failure means. But what to set depends on what could be set before
// it, so a failure would have to rewrite the rest of the list, and the rules would stand
// in two places. Steps in a fixed order that each say whether they are needed have no
// transitions that could be wrong.
//
// Thread-safety: belongs to one thread.
// Ownership: the ops borrow the plan's memory, so it stays where it is until done().

#ifndef RINGCP_CORE_FILE_ATTRIBUTE_PLAN_H_
#define RINGCP_CORE_FILE_ATTRIBUTE_PLAN_H_

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/file_error.h"
#include "core/base/posix_acl.h"
#include "core/file/copy_policy.h"
#include "core/kernel/op.h"

namespace ringcp {

class AttributePlan {
 public:
  struct Target {
    int fd = -1;  // An ordinary descriptor, or one that was opened with O_PATH.
    // Its stat of just now; nullptr: the plan looks if it has to know.
    const struct statx* stat = nullptr;
    bool created = false;  // By this copy, not there before.
    // The mode that it gets if modes are kept: its source's, without what that one's ACL
    // denies.
    mode_t kept_mode = 0;
    // If modes are not kept: permissions that it was created without, to be granted as
    // far as the umask and `default_acl` permit; and those that its owner was lent, to be
    // taken away.
    mode_t withheld = 0;
    mode_t lent = 0;
    // What the default ACL that it was made under grants at most, if there is one: then
    // it has inherited an access ACL.
    std::optional<mode_t> default_acl = std::nullopt;
  };

  AttributePlan() = default;
  AttributePlan(const AttributePlan&) = delete;
  AttributePlan& operator=(const AttributePlan&) = delete;

  // Begins. REQUIRES: done(); `policy` and `source` stay as they are until done() again.
  void Start(const FileCopyPolicy& policy, const struct statx& source,
             const Target& target);

  bool done() const { return step_ == Step::kDone; }
  // What is to be done next. REQUIRES: !done().
  Op op();
  // Takes in its result. REQUIRES: !done().
  void Settle(int32_t result);

  bool failed() const { return failed_; }
  // The first error. REQUIRES: failed().
  const CopyFailure& failure() const { return failure_; }

 private:
  enum class Step {
    kLook,
    kSetTimes,
    kRestrictMode,
    kSetOwner,
    kSetGroup,
    kListAcls,
    kRemoveDefaultAcl,
    kReplaceAcl,
    kSetMode,
    kDone,
  };

  static Step After(Step step) { return static_cast<Step>(static_cast<int>(step) + 1); }
  // Goes on with the first step from `step` on that is needed.
  void GoOnWith(Step step);
  bool Needs(Step step) const;
  // Its owner or group was set: the kernel takes the set-ID bits of all but directories.
  // (Of root's, set-group-ID may stay with a file that its group can't execute; but then
  // kRestrictMode has taken it.)
  void OnOwnerSet();
  void OnOwnerNotSet(int error_number);
  void OnListAcls(int32_t result);
  void OnAclNotSet(int error_number);
  void NoteAclStays(int error_number);
  // The first error counts; what comes after it is its consequence.
  void Fail(Operation operation, int error_number);

  bool is_link() const { return S_ISLNK(source_->stx_mode); }
  bool is_directory() const { return S_ISDIR(source_->stx_mode); }
  bool keeps_mode() const;
  bool may_set_mode() const;
  bool owner_differs() const;
  bool replaces_acls() const;
  mode_t RestrictedMode() const { return *mode_ & target_.kept_mode & kOwnerPermissions; }
  mode_t WantedMode() const;

  const FileCopyPolicy* policy_ = nullptr;
  const struct statx* source_ = nullptr;
  Target target_;

  Step step_ = Step::kDone;
  bool failed_ = false;
  CopyFailure failure_;
  bool tries_group_ = false;   // The owner could not be set.
  bool closes_group_ = false;  // An ACL could not be replaced.
  struct statx stat_ = {};     // Of the target when it was looked at.
  // Its mode by now, without the type; absent where that is not known.
  std::optional<mode_t> mode_;
  // The ACLs of a directory; absent where they are not known.
  std::optional<AccessAttributes> acls_;
  std::string buffer_;  // Of names, or an ACL.
};

// Carries out all of `plan`. `carry_out` carries out one op: its result.
template <typename CarryOut>
void SetAttributesAtOnce(AttributePlan* plan, CarryOut carry_out) {
  while (!plan->done()) plan->Settle(carry_out(plan->op()));
}

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_ATTRIBUTE_PLAN_H_

// Gives a target its source's times, owner and mode, as far as the options ask for them.
// The plan decides what is set, in which order, which failures are errors, and what
// follows from a failure. The same rules hold for files, symbolic links, pipes, devices,
// streams and directories. The plan does no I/O: it hands out one op at a time and takes
// in the op's result. A file's copy puts the ops into chains; all other callers carry
// them out with SetAttributesAtOnce().
//
// The order is GNU cp's: times first, because a user who has given a file away may no
// longer set them; the mode last, because the kernel clears the set-ID bits when the
// owner changes. When a step's turn comes, it is taken only if it is needed:
//
//   kLook              if more than times may have to be set, and the caller has not
//                      just looked. Most targets already have the right owner and mode,
//                      and looking is cheaper than setting.
//   kSetTimes          if times are kept.
//   kRestrictMode      if owner and mode are kept and an existing target has another
//                      owner than its source: until the mode is set, the old permissions
//                      could let in people whom the new owner wants to keep out.
//   kSetOwner          if the owner is kept and the target has another one. An ordinary
//                      user may fail to give a file away. The plan then drops the set-ID
//                      bits, because the file must not act with somebody else's rights.
//   kSetGroup          if kSetOwner was not permitted. It may fail.
//   kListAcls          if the mode is kept and the target is a directory that may have
//                      ACLs: few have any. The ACLs of other files are replaced without
//                      looking.
//   kRemoveDefaultAcl  if the directory has one.
//   kReplaceAcl        if the mode is kept and the target may have an access ACL, either
//                      inherited from its directory or from before the copy. That ACL
//                      could let in people whom the source keeps out.
//   kSetMode           if the target does not have the wanted mode yet. It may fail if
//                      nobody asked for the mode (FileCopyPolicy::MayFailToSetMode).
//
// Any other failure is an error and ends the plan, as in GNU cp. Permissions that were
// withheld until the target has its owner then stay withheld. There are two exceptions.
// After a forbidden kSetOwner the plan still tries kSetGroup, even if the failure is an
// error. And if an ACL could not be replaced, the plan still sets the mode, but without
// the group's permissions: these would be the mask of everybody whom the ACL names.
//
// Two kinds of target are special. A symbolic link has no mode. A directory whose set-ID
// bits are dropped keeps its sticky bit, because without it others could remove the
// directory's entries.
//
// The alternative was a list of ops, made after one look at the target, each with what
// its failure means. But what has to be set depends on what could be set before, so a
// failure would have to rewrite the rest of the list, and the rules would be in two
// places. Steps in a fixed order, each of which says whether it is needed, have no
// transitions that could be wrong.
//
// Thread-safety: belongs to one thread.
// Ownership: the ops borrow the plan's memory, so the plan must not move until done().

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
    FileRef file = {};  // An ordinary descriptor, or one that was opened with O_PATH.
    // The target's stat, taken just now; nullptr: the plan looks itself if it has to.
    const struct statx* stat = nullptr;
    bool created = false;  // By this copy, not there before.
    // The mode that the target gets if modes are kept: its source's, without the
    // permissions that the source's ACL denies.
    mode_t kept_mode = 0;
    // If modes are not kept: permissions that the target was created without, which the
    // plan grants as far as the umask and `default_acl` permit; and permissions that its
    // owner was lent for the time of the copy, which the plan takes away.
    mode_t withheld = 0;
    mode_t lent = 0;
    // The most that the default ACL of the target's directory grants; absent if there is
    // none. If there is one, a new target has inherited an access ACL from it.
    std::optional<mode_t> default_acl = std::nullopt;
  };

  AttributePlan() = default;
  AttributePlan(const AttributePlan&) = delete;
  AttributePlan& operator=(const AttributePlan&) = delete;

  // Begins. REQUIRES: done(); `policy` and `source` stay unchanged until done() again.
  void Start(const FileCopyPolicy& policy, const struct statx& source,
             const Target& target);

  bool done() const { return step_ == Step::kDone; }
  // The next op to carry out. REQUIRES: !done().
  Op op();
  // Takes in the result of op(). REQUIRES: !done().
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
  // Moves on to the first needed step, beginning with `step` itself.
  void GoOnWith(Step step);
  bool Needs(Step step) const;
  // The target's owner or group was set: the kernel has cleared the set-ID bits, except a
  // directory's. (If root sets the owner, the kernel may leave set-group-ID to a file
  // that its group can't execute; but kRestrictMode has cleared that bit already.)
  void OnOwnerSet();
  void OnOwnerNotSet(int error_number);
  void OnListAcls(int32_t result);
  void OnAclNotSet(int error_number);
  void NoteAclStays(int error_number);
  // Only the first error counts, because later ones are its consequences.
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
  struct statx stat_ = {};     // The target's, when it was looked at.
  // The target's current mode, without the type; absent if it is not known.
  std::optional<mode_t> mode_;
  // Which ACLs a directory has; absent if that is not known.
  std::optional<AccessAttributes> acls_;
  std::string buffer_;  // For names of attributes, or for an ACL.
};

// Carries out the whole `plan`. `carry_out` carries out one op and returns its result.
template <typename CarryOut>
void SetAttributesAtOnce(AttributePlan* plan, CarryOut carry_out) {
  while (!plan->done()) plan->Settle(carry_out(plan->op()));
}

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_ATTRIBUTE_PLAN_H_

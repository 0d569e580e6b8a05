// Gives a target its source's times, owner, extended attributes, mode and access control
// lists (ACLs), as far as the options ask for them.
// The plan decides what is set, in which order, which failures are errors, and what
// follows from a failure. The same rules hold for files, symbolic links, pipes, devices,
// streams and directories. The plan does no I/O: it hands out one op at a time and takes
// in the op's result. A file's copy puts the ops into chains; all other callers carry
// them out with SetAttributesBy().
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
//   kLendMode          if an attribute is to be set, but the umask has taken off the
//                      permission that its owner was to be lent for that.
//   kGetXattr          for each attribute that goes with --preserve=xattr: reads it ...
//   kSetXattr          ... and sets it. Here, because the kernel takes away a file's
//                      capabilities when its owner changes, and because the mode may
//                      forbid it. How failures are told is up to Preserve::xattrs.
//   kListAcls          if the mode is kept and the target is a directory that may have
//                      ACLs: few have any. The ACLs of other files are replaced without
//                      looking.
//   kRemoveDefaultAcl  if the directory has one, and its source has none.
//   kSetDefaultAcl     if its source has one and the mode is kept,
//   kSetAcl            and the same for the access ACL. If the file system has no ACLs,
//                      or refuses these, that is an error, and the target gets the
//                      permissions that grant nobody more than the ACL does.
//   kReplaceAcl        if the mode is kept and the target may have another access ACL,
//                      either inherited from its directory or from before the copy. That
//                      ACL could let in people whom the source keeps out.
//   kSetMode           if the target does not have the wanted mode yet. It may fail if
//                      nobody asked for the mode (FileCopyPolicy::MayFailToSetMode).
//   kGetOtherAcl       for each ACL of another kind (NFSv4's) that the source's file
//   kSetOtherAcl       system has. Where the target's has none of that kind, the mode is
//                      all that there is of it.
//
// Any other failure is an error and ends the plan, as in GNU cp. Permissions that were
// withheld until the target has its owner then stay withheld. There are two exceptions.
// After a forbidden kSetOwner the plan still tries kSetGroup, even if the failure is an
// error. And if an ACL could not be set or replaced, the plan still sets the mode. If an
// old one stays, the mode is without the group's permissions: these would be the mask of
// everybody whom the ACL names.
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
// Start() borrows all that it is given until then.

#ifndef RINGCP_CORE_FILE_ATTRIBUTE_PLAN_H_
#define RINGCP_CORE_FILE_ATTRIBUTE_PLAN_H_

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/file_error.h"
#include "core/base/posix_acl.h"
#include "core/file/copy_policy.h"
#include "core/file/source_attributes.h"
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
    // The source, open, and its ACLs and extended attributes; nullptr: it has none.
    FileRef source = {};
    const SourceAttributes* attributes = nullptr;
  };

  AttributePlan() = default;
  AttributePlan(const AttributePlan&) = delete;
  AttributePlan& operator=(const AttributePlan&) = delete;

  // Begins. REQUIRES: done(); `policy` and `source` stay unchanged until done() again.
  void Start(const FileCopyPolicy& policy, const struct statx& source,
             const Target& target);

  // Forgets what the last plan has to tell: comes before the next Start(). REQUIRES:
  // done().
  void Forget() { xattr_failures_.clear(); }
  // Tells, with the rest, of a label that the target has not got.
  void NoteLabel(const CopyFailure& failure) { xattr_failures_.push_back(failure); }

  bool done() const { return step_ == Step::kDone; }
  // The next op to carry out. REQUIRES: !done().
  Op op();
  // Takes in the result of op(). REQUIRES: !done().
  void Settle(int32_t result);

  bool failed() const { return failed_; }
  // The first error; or the last one, if extended attributes are all that failed.
  // REQUIRES: failed().
  const CopyFailure& failure() const { return failure_; }
  // What the user is told of extended attributes besides: errors if they are required
  // (Preserve::xattrs) and no labels, in the order in which they happened.
  const std::vector<CopyFailure>& xattr_failures() const { return xattr_failures_; }

 private:
  enum class Step {
    kLook,
    kSetTimes,
    kRestrictMode,
    kSetOwner,
    kSetGroup,
    kLendMode,
    kGetXattr,
    kSetXattr,
    kListAcls,
    kRemoveDefaultAcl,
    kSetDefaultAcl,
    kSetAcl,
    kReplaceAcl,
    kSetMode,
    kGetOtherAcl,
    kSetOtherAcl,
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
  // Take in that an attribute was read, or set, in `step`.
  void OnGot(Step step, int32_t result);
  void OnSet(Step step, int error_number);
  void NoteXattr(Operation operation, int error_number, bool on_target);
  // No op is left: what is still to be said is said.
  void End();
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
  // Whether the source has attributes that are kept with the mode.
  bool keeps_acls() const { return keeps_mode() && target_.attributes != nullptr; }
  mode_t RestrictedMode() const { return *mode_ & target_.kept_mode & kOwnerPermissions; }
  mode_t WantedMode() const;
  // The attribute whose turn it is, of those whose values are read one by one.
  const char* name() const { return names_->data() + name_at_; }
  bool has_name() const { return names_ != nullptr && name_at_ < names_->size(); }
  bool has_value() const { return value_bytes_ >= 0; }
  void TakeNextName();
  Op GetNamed();
  Op SetAcl(const char* name, const std::string& acl) const;

  const FileCopyPolicy* policy_ = nullptr;
  const struct statx* source_ = nullptr;
  Target target_;

  Step step_ = Step::kDone;
  bool failed_ = false;
  CopyFailure failure_;
  std::vector<CopyFailure> xattr_failures_;
  bool tries_group_ = false;   // The owner could not be set.
  bool has_acl_ = false;       // The target has its source's access ACL.
  bool lacks_acl_ = false;     // One of its source's ACLs could not be set.
  bool closes_group_ = false;  // An ACL could not be replaced.
  mode_t dropped_bits_ = 0;    // Set-ID bits that are not kept, because the owner is not.
  struct statx stat_ = {};     // The target's, when it was looked at.
  // The target's current mode, without the type; absent if it is not known.
  std::optional<mode_t> mode_;
  // Which ACLs a directory has; absent if that is not known.
  std::optional<AccessAttributes> acls_;
  std::string buffer_;  // For names of attributes, or for an ACL.
  // The names whose turn it is, where the next one begins, and its value once it is read.
  const std::string* names_ = nullptr;
  size_t name_at_ = 0;
  std::string value_;
  int32_t value_bytes_ = -1;   // -1: it has not been read.
  int unsupported_error_ = 0;  // Why the file system takes no such attributes.
};

// Carries out the whole `plan`. `carry_out` carries out one op and returns its result.
template <typename CarryOut>
void SetAttributesBy(AttributePlan* plan, CarryOut carry_out) {
  while (!plan->done()) plan->Settle(carry_out(plan->op()));
}

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_ATTRIBUTE_PLAN_H_

// What a source has besides its contents and what a stat tells: access control lists
// (ACLs) and other extended attributes. One op tells that a file has none, as most files
// do. What a copy takes over of these is up to the options:
//
//   --preserve=mode   ACLs. They are read now, because it depends on them with which
//                     permissions the target may be made.
//   --preserve=xattr  Other attributes. Now only their names are read; AttributePlan
//                     copies the values one by one, so that many take no more memory
//                     than one.
//   --preserve=context  SELinux's label, which targets have from the beginning.
//
// No I/O: this hands out one op at a time and takes in its result. A symbolic link has no
// ACLs, but it may have other attributes.
//
// ACLs are copied as the bytes that the kernel returns, like all other attributes: so
// does newer GNU cp. libacl would only translate them there and back, and it can't read
// the default ACL of an open directory.
//
// Thread-safety: belongs to one thread.
// Ownership: the ops borrow the memory of this object, so it must not move until done().

#ifndef RINGCP_CORE_FILE_SOURCE_ATTRIBUTES_H_
#define RINGCP_CORE_FILE_SOURCE_ATTRIBUTES_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "core/base/copy_options.h"
#include "core/file/copy_policy.h"
#include "core/kernel/op.h"

namespace ringcp {

class SourceAttributes {
 public:
  // Room for an attribute's value, and for a file's names: most need less. If that is not
  // enough, the kernel's limit for both (XATTR_SIZE_MAX, XATTR_LIST_MAX) is.
  static constexpr size_t kUsualBytes = 1024;
  static constexpr size_t kBytesMax = 64 * 1024;

  SourceAttributes() = default;
  SourceAttributes(const SourceAttributes&) = delete;
  SourceAttributes& operator=(const SourceAttributes&) = delete;

  // Begins to look at `source`, whose st_mode is `mode`, for what `preserve` asks for;
  // done() if that is nothing. Any descriptor will do.
  // REQUIRES: done().
  void Start(const Preserve& preserve, FileRef source, mode_t mode);

  // In place of that: the source can't be looked at, because of `error_number`. Then its
  // copy lets in the owner only.
  void NoteUnreadable(const Preserve& preserve, mode_t mode, int error_number);

  bool done() const { return step_ == Step::kDone; }
  // The next op to carry out. REQUIRES: !done().
  Op op();
  // Takes in the result of op(). REQUIRES: !done().
  void Settle(int32_t result);

  // Forgets what has not been read yet, because the source is not going to be open.
  // REQUIRES: done().
  void ForgetUnread() {
    names_.clear();
    other_acls_.clear();
  }

  // What follows is valid when done().

  // Whether the target gets anything of what is below, or something could not be read.
  bool any() const {
    return !names_.empty() || !other_acls_.empty() || !access_acl_.empty() ||
           !default_acl_.empty() || acl_error_ != 0 || list_error_ != 0;
  }
  // Whether the source has to be open to copy it.
  bool needs_source() const { return !names_.empty() || !other_acls_.empty(); }

  // The mode (07777) for a copy that has the access ACL: the source's. Its group's
  // permissions are the ACL's mask.
  mode_t mode() const { return mode_; }
  // The mode for a copy without that ACL (PermissionsWithoutAcl()). If the ACL could not
  // be read, only the owner gets in, because nobody else is known to be let in.
  mode_t mode_without_acl() const { return mode_without_acl_; }
  // That mode with the type of the source, as a stat tells both.
  uint16_t stx_mode_without_acl() const {
    return static_cast<uint16_t>(type_ | mode_without_acl_);
  }
  // The ACLs, as the kernel returns them; "" if there is none.
  const std::string& access_acl() const { return access_acl_; }
  const std::string& default_acl() const { return default_acl_; }
  // Why the ACLs could not be read; 0 if they were.
  int acl_error() const { return acl_error_; }

  // The names of other ACLs (NFSv4's) that go with the mode, and of all attributes that
  // go with --preserve=xattr: each name is followed by a NUL byte.
  const std::string& other_acls() const { return other_acls_; }
  const std::string& names() const { return names_; }
  // Why the names could not be listed; 0 if they were.
  int list_error() const { return list_error_; }

  // SELinux's label, if that is kept; "" otherwise, and if it could not be read.
  const std::string& label() const { return label_; }
  // Why it could not be read; 0 if it was.
  int label_error() const { return label_error_; }
  bool has_looked_at_label() const { return !label_.empty() || label_error_ != 0; }

 private:
  enum class Step { kGetLabel, kList, kGetAccessAcl, kGetDefaultAcl, kDone };

  void OnList(int32_t result);
  void Sort(const char* name);
  // Returns the step that comes after `step`.
  Step After(Step step) const;
  // Takes in the result of reading an ACL into *acl, which becomes "" if there is none.
  // False if it could not be read.
  bool TakeAcl(int32_t result, std::string* acl);
  void OnLabel(int32_t result);
  // Where what `step` reads goes.
  std::string* RoomOf(Step step);

  Preserve preserve_;
  FileRef source_;
  Step step_ = Step::kDone;
  bool has_access_acl_ = false;
  bool has_default_acl_ = false;
  mode_t type_ = 0;
  mode_t mode_ = 0;
  mode_t mode_without_acl_ = 0;
  std::string list_;  // Room for the names; keeps its memory from one file to the next.
  std::string access_acl_;
  std::string default_acl_;
  std::string other_acls_;
  std::string names_;
  std::string label_;
  int acl_error_ = 0;
  int list_error_ = 0;
  int label_error_ = 0;
};

// Looks at all at once. `carry_out` carries out one op and returns its result.
template <typename CarryOut>
void LookBy(SourceAttributes* attributes, CarryOut carry_out) {
  while (!attributes->done()) attributes->Settle(carry_out(attributes->op()));
}

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_SOURCE_ATTRIBUTES_H_

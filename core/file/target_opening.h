// How a file's copy opens its target: what it takes the target for, and the flags of
// openat(2) that follow. What is known of the target's name and of a lease on it stays
// known until the copy ends, whatever the target is taken for in the meantime.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_FILE_TARGET_OPENING_H_
#define RINGCP_CORE_FILE_TARGET_OPENING_H_

#include <fcntl.h>

#include <cstdint>

namespace ringcp {

struct TargetOpening {
  enum class Way : uint8_t {
    // Nothing is there: the target is made. Opening it fails if something has come there.
    kNew,
    // Something is there, which keeps its contents: it is looked at by its descriptor and
    // claimed before they go.
    kExisting,
    // Something is there, which was looked at and claimed by its name: opening it empties
    // it. For targets that can't be emptied otherwise, or would be copied up first
    // (NeedsTruncating()), and for what this copy opens once more.
    kTruncating,
  };

  // What the target's name is.
  enum class Name : uint8_t {
    kOwn,            // The target's own name. It must not have become a link.
    kLink,           // A symbolic link, which is followed as in GNU cp.
    kLinkToNowhere,  // A symbolic link, and the file that it leads to is made.
  };

  Way way = Way::kNew;
  Name name = Name::kOwn;
  // Somebody holds a lease on the target: opening it waits until the lease has ended.
  bool waits_for_lease = false;

  bool is_existing() const { return way != Way::kNew; }
  bool truncates() const { return way == Way::kTruncating; }
  bool follows_link() const { return name != Name::kOwn; }
  bool makes_pointee() const { return name == Name::kLinkToNowhere; }

  // A stat by the target's name with these flags looks at what is opened.
  int look_flags() const { return follows_link() ? 0 : AT_SYMLINK_NOFOLLOW; }
  int flags() const {
    constexpr int kFlags = O_WRONLY | O_NOCTTY;
    if (way == Way::kNew) return kFlags | O_CREAT | O_EXCL;
    return kFlags | (waits_for_lease ? 0 : O_NONBLOCK) |
           (follows_link() ? 0 : O_NOFOLLOW) | (makes_pointee() ? O_CREAT : 0) |
           (truncates() ? O_TRUNC : 0);
  }
};

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_TARGET_OPENING_H_

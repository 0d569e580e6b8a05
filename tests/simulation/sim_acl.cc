#include "tests/simulation/sim_acl.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace ringcp {
namespace {

constexpr mode_t kRights = 7;
constexpr mode_t kAllRights = 0777;

using Entries = std::vector<posix_acl_xattr_entry>;

// REQUIRES: CheckAcl(acl) == 0.
Entries EntriesOf(std::string_view acl) {
  Entries entries;
  constexpr size_t kHeader = sizeof(posix_acl_xattr_header);
  for (size_t at = kHeader; at < acl.size(); at += sizeof(posix_acl_xattr_entry)) {
    posix_acl_xattr_entry entry;
    std::memcpy(&entry, acl.data() + at, sizeof(entry));
    entries.push_back(entry);
  }
  return entries;
}

std::string BytesOf(const Entries& entries) {
  const posix_acl_xattr_header header = {htole32(POSIX_ACL_XATTR_VERSION)};
  std::string acl(reinterpret_cast<const char*>(&header), sizeof(header));
  for (const posix_acl_xattr_entry& entry : entries) {
    acl.append(reinterpret_cast<const char*>(&entry), sizeof(entry));
  }
  return acl;
}

mode_t RightsOf(const posix_acl_xattr_entry& entry) { return le16toh(entry.e_perm); }

void SetRights(posix_acl_xattr_entry* entry, mode_t rights) {
  entry->e_perm = htole16(static_cast<uint16_t>(rights & kRights));
}

// The entry to which the mode's group bits belong: the mask, or the group's own entry.
posix_acl_xattr_entry* GroupClass(Entries* entries) {
  posix_acl_xattr_entry* group = nullptr;
  for (posix_acl_xattr_entry& entry : *entries) {
    const int tag = le16toh(entry.e_tag);
    if (tag == ACL_MASK) return &entry;
    if (tag == ACL_GROUP_OBJ) group = &entry;
  }
  return group;
}

bool IsModeOnly(const Entries& entries) { return entries.size() == 3; }

}  // namespace

int32_t CheckAclForm(std::string_view acl) {
  posix_acl_xattr_header header;
  if (acl.size() < sizeof(header)) return -EINVAL;
  std::memcpy(&header, acl.data(), sizeof(header));
  if (le32toh(header.a_version) != POSIX_ACL_XATTR_VERSION) return -EOPNOTSUPP;
  if ((acl.size() - sizeof(header)) % sizeof(posix_acl_xattr_entry) != 0) return -EINVAL;
  return 0;
}

bool IsEmptyAcl(std::string_view acl) {
  return acl.size() == sizeof(posix_acl_xattr_header);
}

int32_t CheckAcl(std::string_view acl) {
  // The tag that is expected next: entries are ordered by tag.
  int state = ACL_USER_OBJ;
  bool needs_mask = false;
  for (const posix_acl_xattr_entry& entry : EntriesOf(acl)) {
    if ((RightsOf(entry) & ~kRights) != 0) return -EINVAL;
    const int tag = le16toh(entry.e_tag);
    if (tag == ACL_USER_OBJ && state == ACL_USER_OBJ) {
      state = ACL_USER;
    } else if (tag == ACL_USER && state == ACL_USER) {
      needs_mask = true;
    } else if (tag == ACL_GROUP_OBJ && state == ACL_USER) {
      state = ACL_GROUP;
    } else if (tag == ACL_GROUP && state == ACL_GROUP) {
      needs_mask = true;
    } else if (tag == ACL_MASK && state == ACL_GROUP) {
      state = ACL_OTHER;
    } else if (tag == ACL_OTHER &&
               (state == ACL_OTHER || (state == ACL_GROUP && !needs_mask))) {
      state = 0;
    } else {
      return -EINVAL;
    }
  }
  return state == 0 ? 0 : -EINVAL;
}

std::string InheritedAcl(std::string_view default_acl, mode_t* mode) {
  Entries entries = EntriesOf(default_acl);
  mode_t allowed = *mode & kAllRights;
  for (posix_acl_xattr_entry& entry : entries) {
    switch (le16toh(entry.e_tag)) {
      case ACL_USER_OBJ:
        SetRights(&entry, RightsOf(entry) & allowed >> 6);
        allowed &= RightsOf(entry) << 6 | 0077;
        break;
      case ACL_OTHER:
        SetRights(&entry, RightsOf(entry) & allowed);
        allowed &= RightsOf(entry) | 0770;
        break;
      default:
        break;
    }
  }
  posix_acl_xattr_entry* const group = GroupClass(&entries);
  SetRights(group, RightsOf(*group) & allowed >> 3);
  allowed &= RightsOf(*group) << 3 | 0707;
  *mode = (*mode & ~kAllRights) | allowed;
  return IsModeOnly(entries) ? "" : BytesOf(entries);
}

std::string AclAfterChmod(std::string_view acl, mode_t mode) {
  Entries entries = EntriesOf(acl);
  for (posix_acl_xattr_entry& entry : entries) {
    const int tag = le16toh(entry.e_tag);
    if (tag == ACL_USER_OBJ) SetRights(&entry, mode >> 6);
    if (tag == ACL_OTHER) SetRights(&entry, mode);
  }
  SetRights(GroupClass(&entries), mode >> 3);
  return BytesOf(entries);
}

std::string AclAsSet(std::string_view acl, mode_t* mode) {
  Entries entries = EntriesOf(acl);
  mode_t rights = RightsOf(*GroupClass(&entries)) << 3;
  for (const posix_acl_xattr_entry& entry : entries) {
    const int tag = le16toh(entry.e_tag);
    if (tag == ACL_USER_OBJ) rights |= RightsOf(entry) << 6;
    if (tag == ACL_OTHER) rights |= RightsOf(entry);
  }
  *mode = (*mode & ~kAllRights) | rights;
  return IsModeOnly(entries) ? "" : std::string(acl);
}

}  // namespace ringcp

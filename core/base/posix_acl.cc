#include "core/base/posix_acl.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ringcp {
namespace {

constexpr mode_t kAllRights = ACL_READ | ACL_WRITE | ACL_EXECUTE;

// What an ACL grants, without the users and groups it names.
struct Acl {
  std::optional<mode_t> user;
  std::optional<mode_t> group;
  std::optional<mode_t> mask;
  std::optional<mode_t> other;
  bool has_named = false;
  // The rights that all named users (all named groups) have, before the mask.
  mode_t all_named_users = kAllRights;
  mode_t all_named_groups = kAllRights;
};

// Sets `right`, of which an ACL has only one; false if it was set before.
bool SetOnce(mode_t value, std::optional<mode_t>* right) {
  if (right->has_value()) return false;
  *right = value;
  return true;
}

bool AddEntry(const posix_acl_xattr_entry& entry, Acl* acl) {
  const mode_t rights = le16toh(entry.e_perm);
  if ((rights & ~kAllRights) != 0) return false;
  switch (le16toh(entry.e_tag)) {
    case ACL_USER_OBJ:
      return SetOnce(rights, &acl->user);
    case ACL_GROUP_OBJ:
      return SetOnce(rights, &acl->group);
    case ACL_MASK:
      return SetOnce(rights, &acl->mask);
    case ACL_OTHER:
      return SetOnce(rights, &acl->other);
    case ACL_USER:
      acl->has_named = true;
      acl->all_named_users &= rights;
      return true;
    case ACL_GROUP:
      acl->has_named = true;
      acl->all_named_groups &= rights;
      return true;
    default:
      return false;
  }
}

std::optional<Acl> Parse(std::string_view bytes) {
  posix_acl_xattr_header header;
  if (bytes.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof(header));
  bytes.remove_prefix(sizeof(header));
  posix_acl_xattr_entry entry;
  if (le32toh(header.a_version) != POSIX_ACL_XATTR_VERSION ||
      bytes.size() % sizeof(entry) != 0) {
    return std::nullopt;
  }
  Acl acl;
  for (; !bytes.empty(); bytes.remove_prefix(sizeof(entry))) {
    std::memcpy(&entry, bytes.data(), sizeof(entry));
    if (!AddEntry(entry, &acl)) return std::nullopt;
  }
  if (!acl.user.has_value() || !acl.group.has_value() || !acl.other.has_value() ||
      (acl.has_named && !acl.mask.has_value())) {
    return std::nullopt;
  }
  return acl;
}

void AppendEntry(uint16_t tag, mode_t rights, std::string* acl) {
  posix_acl_xattr_entry entry;
  entry.e_tag = htole16(tag);
  entry.e_perm = htole16(static_cast<uint16_t>(rights & kAllRights));
  entry.e_id = htole32(static_cast<uint32_t>(ACL_UNDEFINED_ID));
  acl->append(reinterpret_cast<const char*>(&entry), sizeof(entry));
}

mode_t Permissions(mode_t user, mode_t group, mode_t other) {
  return user << 6 | group << 3 | other;
}

}  // namespace

std::optional<mode_t> PermissionsWithoutAcl(std::string_view acl) {
  const std::optional<Acl> parsed = Parse(acl);
  if (!parsed.has_value()) return std::nullopt;
  const mode_t mask = parsed->mask.value_or(kAllRights);
  const mode_t named_mask = parsed->has_named ? mask : kAllRights;
  const mode_t users = parsed->all_named_users & named_mask;
  const mode_t groups = parsed->all_named_groups & named_mask;
  return Permissions(*parsed->user, *parsed->group & mask & users,
                     *parsed->other & users & groups);
}

std::optional<mode_t> PermissionsGrantedByDefault(std::string_view acl) {
  const std::optional<Acl> parsed = Parse(acl);
  if (!parsed.has_value()) return std::nullopt;
  return Permissions(*parsed->user, parsed->mask.value_or(*parsed->group),
                     *parsed->other);
}

bool SaysNoAcl(int error_number) {
  return error_number == ENODATA || error_number == EOPNOTSUPP ||
         error_number == ENOSYS || error_number == EINVAL || error_number == EBUSY;
}

AccessAttributes FindAccessAttributes(std::string_view names) {
  AccessAttributes found;
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find('\0'));
    if (name == kAccessAclName) found.access_acl = true;
    if (name == kDefaultAclName) found.default_acl = true;
    names.remove_prefix(std::min(names.size(), name.size() + 1));
  }
  return found;
}

std::string AclOfMode(mode_t mode) {
  const posix_acl_xattr_header header = {htole32(POSIX_ACL_XATTR_VERSION)};
  std::string acl(reinterpret_cast<const char*>(&header), sizeof(header));
  AppendEntry(ACL_USER_OBJ, mode >> 6, &acl);
  AppendEntry(ACL_GROUP_OBJ, mode >> 3, &acl);
  AppendEntry(ACL_OTHER, mode, &acl);
  return acl;
}

}  // namespace ringcp

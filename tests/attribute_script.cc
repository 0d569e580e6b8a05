#include "tests/attribute_script.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file_error.h"
#include "core/base/posix_acl.h"
#include "core/file/source_attributes.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

constexpr int kFd = 9;
constexpr int kSourceFd = 8;
constexpr char kValue[] = "value";

// The ACLs of the source. Its mode is that of the ACL.
std::string SourceAcl(mode_t mode) {
  const auto entry = [](uint16_t tag, mode_t rights, uint32_t id) {
    const posix_acl_xattr_entry one = {
        htole16(tag), htole16(static_cast<uint16_t>(rights & 7)), htole32(id)};
    return std::string(reinterpret_cast<const char*>(&one), sizeof(one));
  };
  const posix_acl_xattr_header header = {htole32(POSIX_ACL_XATTR_VERSION)};
  constexpr auto kNobody = static_cast<uint32_t>(ACL_UNDEFINED_ID);
  return absl::StrCat(std::string(reinterpret_cast<const char*>(&header), sizeof(header)),
                      entry(ACL_USER_OBJ, mode >> 6, kNobody),
                      entry(ACL_USER, 7, /*id=*/4), entry(ACL_GROUP_OBJ, 0, kNobody),
                      entry(ACL_MASK, mode >> 3, kNobody),
                      entry(ACL_OTHER, mode, kNobody));
}

// Reads the names of the source's attributes, or one of them, as the kernel does.
int32_t ReadSource(const AttributeCase& with, const Op& op) {
  EXPECT_EQ(op.file.descriptor(), kSourceFd);
  std::string told;
  if (op.kind == OpKind::kListXattrs) {
    for (const std::string& name : with.source_xattrs) {
      absl::StrAppend(&told, name, std::string(1, '\0'));
    }
  } else {
    told = std::string_view(op.xattr.name).substr(0, 16) == "system.posix_acl"
               ? SourceAcl(with.source_mode)
               : kValue;
  }
  if (told.size() > op.xattr.size) return -ERANGE;
  std::memcpy(op.xattr.value, told.data(), told.size());
  return static_cast<int32_t>(told.size());
}

struct statx StatOf(mode_t mode, uid_t user, gid_t group) {
  struct statx stat = {};
  stat.stx_mode = static_cast<uint16_t>(mode);
  stat.stx_uid = user;
  stat.stx_gid = group;
  return stat;
}

// Lists the names of the target's extended attributes as the kernel does.
int32_t List(const MemoryTarget& target, const Op& op) {
  std::string names = "user.other";
  for (const auto& [name, is_there] : {std::pair(kAccessAclName, target.access_acl),
                                       std::pair(kDefaultAclName, target.default_acl)}) {
    if (is_there) absl::StrAppend(&names, std::string(1, '\0'), name);
  }
  names += '\0';
  EXPECT_LE(names.size(), op.xattr.size);
  std::memcpy(op.xattr.value, names.data(), names.size());
  return static_cast<int32_t>(names.size());
}

std::string TextOf(const Op& op) {
  switch (op.kind) {
    case OpKind::kStatx:
      return "look";
    case OpKind::kSetTimes:
      return "times";
    case OpKind::kSetOwner:
      return absl::StrFormat("chown %d:%d", static_cast<int>(op.owner.user),
                             static_cast<int>(op.owner.group));
    case OpKind::kSetMode:
      return absl::StrFormat("chmod %o", op.mode.value);
    case OpKind::kListXattrs:
      return "list";
    case OpKind::kRemoveXattr:
      return "no default acl";
    case OpKind::kGetXattr:
      return absl::StrCat("get ", op.xattr.name);
    case OpKind::kSetXattr:
      if (op.xattr.name == std::string_view(kDefaultAclName)) return "copy default acl";
      if (op.xattr.name != std::string_view(kAccessAclName)) {
        return absl::StrCat("set ", op.xattr.name);
      }
      return op.xattr.size > AclOfMode(0).size() ? "copy acl" : "acl";
    default:
      return "?";
  }
}

}  // namespace

int32_t MemoryTarget::CarryOut(const Op& op) {
  EXPECT_EQ(op.kind == OpKind::kStatx ? op.stat.directory : op.file.descriptor(), kFd);
  switch (op.kind) {
    case OpKind::kStatx:
      *op.stat.result = StatOf(mode, user, group);
      return 0;
    case OpKind::kSetTimes:
      has_times = true;
      return 0;
    case OpKind::kSetOwner:
      if (op.owner.user != static_cast<uid_t>(-1)) user = op.owner.user;
      group = op.owner.group;
      if (!S_ISDIR(mode)) mode &= ~kSetIdBits;
      return 0;
    case OpKind::kSetMode:
      mode = (mode & S_IFMT) | op.mode.value;
      return 0;
    case OpKind::kListXattrs:
      return List(*this, op);
    case OpKind::kRemoveXattr:
      EXPECT_STREQ(op.xattr.name, kDefaultAclName);
      return std::exchange(default_acl, false) ? 0 : -ENODATA;
    case OpKind::kSetXattr: {
      const std::string value(static_cast<const char*>(op.xattr.value), op.xattr.size);
      if (op.xattr.name == std::string_view(kDefaultAclName)) {
        has_sources_default_acl = default_acl = true;
      } else if (op.xattr.name != std::string_view(kAccessAclName)) {
        EXPECT_EQ(value, kValue);
        xattrs.emplace_back(op.xattr.name);
      } else if (value.size() > AclOfMode(0).size()) {
        // The mask is the group's part of the mode, which the ACL's second and fourth
        // entries are the rest of.
        has_sources_acl = true;
        access_acl = false;
        const size_t first = sizeof(posix_acl_xattr_header) + 2;
        const auto rights = [&](size_t entry) {
          return mode_t{
              static_cast<uint8_t>(value[first + entry * sizeof(posix_acl_xattr_entry)])};
        };
        mode = (mode & ~kPermissions) | rights(0) << 6 | rights(3) << 3 | rights(4);
      } else {
        mode = (mode & ~kPermissions) | PermissionsWithoutAcl(value).value_or(0);
        access_acl = false;
      }
      return 0;
    }
    default:
      ADD_FAILURE() << "op of kind " << static_cast<int>(op.kind);
      return -ENOSYS;
  }
}

std::string AttributeRun::Text() const {
  std::string text;
  for (const std::string& op : ops) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", op);
  }
  for (const CopyFailure& one : xattr_failures) {
    absl::StrAppend(&text, " ! ", std::string(OperationName(one.operation)), " ",
                    one.attribute, one.attribute.empty() ? "" : " ", one.error_number);
  }
  if (failure.has_value()) {
    absl::StrAppend(&text, " -> ", std::string(OperationName(failure->operation)), " ",
                    failure->error_number);
  }
  return text;
}

AttributeRun CarryOutPlan(const AttributeCase& with,
                          const std::vector<AttributeFault>& faults,
                          const std::function<void(const MemoryTarget&)>& look) {
  FileCopyPolicy policy;
  policy.preserve = with.preserve;
  policy.user = with.as_user;
  policy.umask = with.umask;
  policy.attributes_only = with.attributes_only;
  policy.always_sets_attributes = with.always_sets;
  const struct statx source = StatOf(with.source_mode, 5, 6);
  AttributeRun run;
  run.after = with.memory;
  const struct statx stat = StatOf(run.after.mode, run.after.user, run.after.group);
  AttributePlan::Target target = with.target;
  target.file = FileRef::Descriptor(kFd);
  SourceAttributes attributes;
  attributes.Start(with.preserve, FileRef::Descriptor(kSourceFd), with.source_mode);
  LookBy(&attributes, [&](const Op& op) { return ReadSource(with, op); });
  target.kept_mode = attributes.mode_without_acl();
  target.source = FileRef::Descriptor(kSourceFd);
  target.attributes = &attributes;
  if (with.has_looked) target.stat = &stat;
  static AttributePlan plan;  // Reused, as by a file's copies.
  plan.Forget();
  plan.Start(policy, source, target);
  SetAttributesBy(&plan, [&](const Op& op) {
    const int number = static_cast<int>(run.ops.size());
    run.ops.push_back(TextOf(op));
    const auto fault =
        std::find_if(faults.begin(), faults.end(), [&](const AttributeFault& one) {
          return one.number == number || one.text == run.ops.back();
        });
    const int32_t result = fault != faults.end()          ? -fault->error_number
                           : op.kind == OpKind::kGetXattr ? ReadSource(with, op)
                                                          : run.after.CarryOut(op);
    if (look) look(run.after);
    return result;
  });
  if (plan.failed()) run.failure = plan.failure();
  run.xattr_failures = plan.xattr_failures();
  return run;
}

std::string Script(const AttributeCase& with, const std::vector<AttributeFault>& faults) {
  return CarryOutPlan(with, faults).Text();
}

}  // namespace ringcp

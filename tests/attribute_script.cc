#include "tests/attribute_script.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file_error.h"
#include "core/base/posix_acl.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

constexpr int kFd = 9;

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
    case OpKind::kSetXattr:
      return "acl";
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
    case OpKind::kSetXattr:
      EXPECT_STREQ(op.xattr.name, kAccessAclName);
      mode =
          (mode & ~kPermissions) |
          PermissionsWithoutAcl({static_cast<const char*>(op.xattr.value), op.xattr.size})
              .value_or(0);
      access_acl = false;
      return 0;
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
  const struct statx source = StatOf(with.source_mode, 5, 6);
  AttributeRun run;
  run.after = with.memory;
  const struct statx stat = StatOf(run.after.mode, run.after.user, run.after.group);
  AttributePlan::Target target = with.target;
  target.file = FileRef::Descriptor(kFd);
  target.kept_mode = with.source_mode & kAllModeBits;
  if (with.has_looked) target.stat = &stat;
  static AttributePlan plan;  // Reused, as by a file's copies.
  plan.Start(policy, source, target);
  SetAttributesAtOnce(&plan, [&](const Op& op) {
    const int number = static_cast<int>(run.ops.size());
    run.ops.push_back(TextOf(op));
    const auto fault =
        std::find_if(faults.begin(), faults.end(), [&](const AttributeFault& one) {
          return one.number == number || one.text == run.ops.back();
        });
    const int32_t result =
        fault != faults.end() ? -fault->error_number : run.after.CarryOut(op);
    if (look) look(run.after);
    return result;
  });
  if (plan.failed()) run.failure = plan.failure();
  return run;
}

std::string Script(const AttributeCase& with, const std::vector<AttributeFault>& faults) {
  return CarryOutPlan(with, faults).Text();
}

}  // namespace ringcp

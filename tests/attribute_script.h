// Runs an AttributePlan against a target in memory. The test plays the kernel: it sees
// the plan's ops as text, and makes some of them fail.
//
//   EXPECT_EQ(Script({}), "look, times, chown 5:6, chmod 644");
//   EXPECT_EQ(Script({}, {{.text = "times", .error_number = EPERM}}),
//             "look, times -> utimens 1");
//
// Thread-safety: plain values; the functions may be called by one thread at a time.

#ifndef RINGCP_TESTS_ATTRIBUTE_SCRIPT_H_
#define RINGCP_TESTS_ATTRIBUTE_SCRIPT_H_

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/copy_options.h"
#include "core/file/attribute_plan.h"
#include "core/file/copy_policy.h"
#include "core/kernel/op.h"

namespace ringcp {

// A target in memory. It behaves like the kernel in whatever bears on attributes.
struct MemoryTarget {
  mode_t mode = S_IFREG | 0600;
  uid_t user = 0;
  gid_t group = 0;
  bool has_times = false;
  // Whether the ACL names a user or a group. If the access ACL does, its mask is the
  // group's part of `mode`.
  bool access_acl = false;
  bool default_acl = false;
  // Whether these are the source's.
  bool has_sources_acl = false;
  bool has_sources_default_acl = false;
  std::vector<std::string> xattrs = {};  // Names of other attributes that were set.

  // Carries out `op` on this target and returns its result.
  int32_t CarryOut(const Op& op);
};

// One plan: who copies which source to which target. User 5 and group 6 own the source.
struct AttributeCase {
  Preserve preserve = {.mode = true, .ownership = true, .timestamps = true};
  uid_t as_user = 0;
  mode_t umask = 022;
  mode_t source_mode = S_IFREG | 0644;
  // The descriptor, stat and kept_mode are left out: they follow from the rest.
  AttributePlan::Target target = {.created = true};
  MemoryTarget memory = {};
  bool has_looked = false;  // Whether the caller has already.
  // The names of the source's extended attributes, ACLs among them. The ACLs let a user
  // in whom the mode does not name, and the mask is the group's part of `source_mode`;
  // the owning group has no rights.
  std::vector<std::string> source_xattrs = {};
  bool attributes_only = false;
  bool always_sets = false;
};

// Makes an op fail: the op with this number, counted from 0, or each op with this text.
struct AttributeFault {
  int number = -1;
  std::string_view text = {};
  int error_number = 0;
};

struct AttributeRun {
  std::vector<std::string> ops;
  std::optional<CopyFailure> failure;
  std::vector<CopyFailure> xattr_failures;
  MemoryTarget after;

  // The ops as text, with the failures of extended attributes, and with the failure if
  // there was one.
  std::string Text() const;
};

// Carries out the plan for `with`. `look`, if given, sees the target after each op.
AttributeRun CarryOutPlan(const AttributeCase& with,
                          const std::vector<AttributeFault>& faults,
                          const std::function<void(const MemoryTarget&)>& look = nullptr);

// Does the same and returns the text of the run.
std::string Script(const AttributeCase& with,
                   const std::vector<AttributeFault>& faults = {});

}  // namespace ringcp

#endif  // RINGCP_TESTS_ATTRIBUTE_SCRIPT_H_

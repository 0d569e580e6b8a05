// Tries every attribute plan, and in each makes every op fail in several ways. At no
// moment may anybody get in who should not; in the end the target has its attributes, or
// a failure says what went wrong.

#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/posix_acl.h"
#include "core/file/copy_policy.h"
#include "gtest/gtest.h"
#include "tests/attribute_script.h"

namespace ringcp {
namespace {

constexpr mode_t kGroup = S_IRWXG;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

// One combination of choices: the one with a number.
class Combination {
 public:
  explicit Combination(int number) : left_(number) {}

  template <typename T, size_t kSize>
  T Choose(const T (&choices)[kSize]) {
    const size_t choice = left_ % kSize;
    left_ /= kSize;
    return choices[choice];
  }
  bool Choose() { return Choose({false, true}); }

  // Whether the number is higher than that of any combination of the choices made.
  bool is_beyond() const { return left_ != 0; }

 private:
  size_t left_;
};

std::vector<AttributeCase> AllCases() {
  std::vector<AttributeCase> cases;
  for (int number = 0;; ++number) {
    Combination combination(number);
    const auto choose = [&] { return combination.Choose(); };
    AttributeCase one;
    one.preserve = {.mode = choose(), .ownership = choose(), .timestamps = choose()};
    one.as_user = combination.Choose({0, 1});
    const mode_t type = combination.Choose({S_IFREG, S_IFDIR, S_IFIFO, S_IFLNK});
    one.source_mode = type | combination.Choose({0640, 0755, 07751});
    one.memory.mode = type | combination.Choose({0600, 0700, 02775});
    one.has_looked = choose();
    one.target.created = choose();
    if (one.target.created && (one.preserve.ownership || one.preserve.mode)) {
      one.memory.mode = type | (one.source_mode & kOwnerPermissions);
      one.target.withheld = one.source_mode & kOthers;
    }
    const bool has_acl = choose();
    if (one.target.created && has_acl) one.target.default_acl = 0770;
    one.memory.access_acl = has_acl && type != S_IFLNK;
    one.memory.default_acl = has_acl && type == S_IFDIR;
    if (choose()) {
      one.memory.user = 5;
      one.memory.group = 6;
    }
    if (choose()) one.source_xattrs = {kAccessAclName, kDefaultAclName};
    if (combination.is_beyond()) return cases;
    cases.push_back(one);
  }
}

// Runs `with`. Checks after each op that nobody gets in who should not.
AttributeRun RunSafely(const AttributeCase& with,
                       const std::vector<AttributeFault>& faults) {
  const mode_t source = with.source_mode & kAllModeBits;
  return CarryOutPlan(with, faults, [&](const MemoryTarget& now) {
    const bool is_sources = now.user == 5 && now.group == 6;
    if (with.preserve.mode && !S_ISLNK(now.mode)) {
      // While the file has another owner, it must not get set-ID bits: it would run with
      // that owner's rights.
      const mode_t gained = now.mode & ~with.memory.mode & kSetIdBits;
      EXPECT_TRUE(is_sources || !with.preserve.ownership || gained == 0);
      // Nobody gets permissions that neither the source nor the old target grants. When
      // the source's owner has just got the file, only the source's permissions are
      // granted.
      const mode_t granted = now.mode & ~source & kPermissions;
      EXPECT_TRUE((granted & ~with.memory.mode) == 0);
      EXPECT_TRUE(!is_sources || with.memory.user == 5 || granted == 0);
      // The source's ACL has no rights for the owning group; its mask is not for those.
      const bool has_own_acl = !with.source_xattrs.empty();
      EXPECT_TRUE(!has_own_acl || now.has_sources_acl ||
                  (now.mode & ~with.memory.mode & kGroup) == 0);
      // The group's bits are the ACL's mask: they would let in whoever the ACL names.
      EXPECT_TRUE(!now.access_acl || (now.mode & ~with.memory.mode & kGroup) == 0);
    }
  });
}

void ExpectRight(const AttributeCase& with, const MemoryTarget& target, bool has_owner) {
  const bool is_link = S_ISLNK(with.source_mode);
  EXPECT_EQ(target.has_times, with.preserve.timestamps);
  if (with.preserve.ownership && has_owner) {
    EXPECT_EQ(target.user, 5u);
    EXPECT_EQ(target.group, 6u);
  }
  if (!with.preserve.mode || is_link) return;
  const mode_t kept = has_owner                   ? kAllModeBits
                      : S_ISDIR(with.source_mode) ? kPermissions | S_ISVTX
                                                  : kPermissions;
  EXPECT_EQ(target.mode, (with.source_mode & S_IFMT) | (with.source_mode & kept));
  const bool has_own_acl = !with.source_xattrs.empty();
  EXPECT_EQ(target.has_sources_acl, has_own_acl);
  EXPECT_EQ(target.has_sources_default_acl, has_own_acl && S_ISDIR(with.source_mode));
  if (with.target.created && !with.target.default_acl.has_value()) return;
  EXPECT_FALSE(target.access_acl);
  EXPECT_EQ(target.default_acl, target.has_sources_default_acl);
}

TEST(AttributePlanFaultsTest, WithoutFaultsAllIsRight) {
  for (const AttributeCase& with : AllCases()) {
    const AttributeRun run = RunSafely(with, {});
    SCOPED_TRACE(run.Text());
    EXPECT_FALSE(run.failure.has_value());
    ExpectRight(with, run.after, /*has_owner=*/true);
    if (testing::Test::HasFailure()) return;
  }
}

// Checks `run`, in which op `number`, called `op`, failed with `error`.
void ExpectContained(const AttributeCase& with, const AttributeRun& run, int number,
                     const std::string& op, int error) {
  const bool is_owner = op.substr(0, 5) == "chown";
  const bool is_mode = op.substr(0, 5) == "chmod";
  const bool is_acl = !is_owner && !is_mode && op != "look" && op != "times";
  const bool is_permission = error == EPERM || error == EINVAL;
  if (!run.failure.has_value()) {
    const bool may_fail = is_owner ? with.as_user != 0 && is_permission
                          : is_acl ? error != EIO && error != EPERM
                                   : is_mode && !with.preserve.mode;
    EXPECT_TRUE(may_fail);
    if (!is_acl) ExpectRight(with, run.after, !is_owner);
    return;
  }
  EXPECT_EQ(run.failure->error_number, error);
  EXPECT_TRUE(run.failure->on_target);
  // The plan ends there, unless it then tries the group alone, or the mode without the
  // group's permissions.
  const int more = is_acl ? 4 : is_owner && is_permission ? 1 : 0;
  EXPECT_LE(static_cast<int>(run.ops.size()), number + 1 + more);
  // When the mode is set, a new ACL has already granted the group's permissions.
  const mode_t given = run.after.mode & ~with.memory.mode;
  const mode_t not_to_be_given = run.after.has_sources_acl ? 0
                                 : is_acl                  ? kGroup
                                 : is_mode ? ~with.source_mode & kPermissions
                                           : kOthers;
  EXPECT_EQ(given & not_to_be_given, 0u);
}

TEST(AttributePlanFaultsTest, EachOpMayFail) {
  int faults_hit = 0;
  for (const AttributeCase& with : AllCases()) {
    const AttributeRun whole = RunSafely(with, {});
    const bool has_acl = with.memory.access_acl || with.memory.default_acl;
    for (int number = 0; number < static_cast<int>(whole.ops.size()); ++number) {
      const std::string& op = whole.ops[number];
      for (const int error : {EPERM, EINVAL, EIO, EOPNOTSUPP, ENODATA, ERANGE}) {
        // A file system that has an ACL does not claim that there are no ACLs.
        const bool is_acl = op == "list" || op == "acl" || op == "no default acl";
        if (is_acl && has_acl && SaysNoAcl(error)) continue;
        const AttributeRun run =
            RunSafely(with, {{.number = number, .error_number = error}});
        SCOPED_TRACE(absl::StrCat(op, " fails with ", error, ": ", run.Text()));
        ExpectContained(with, run, number, op, error);
        if (testing::Test::HasFailure()) return;
        ++faults_hit;
      }
    }
  }
  EXPECT_GT(faults_hit, 10'000);
}

}  // namespace
}  // namespace ringcp

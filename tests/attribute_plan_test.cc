// What is set on a target, in which order, and what follows when some of it can't be: the
// plan alone, on a target in memory. Scripts show the rules one by one; then every plan
// there is has each of its ops fail, and what must hold always is looked at after each
// op.

#include "core/file/attribute_plan.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file_error.h"
#include "core/base/posix_acl.h"
#include "core/file/copy_policy.h"
#include "core/kernel/op.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

constexpr Preserve kAll = {.mode = true, .ownership = true, .timestamps = true};
constexpr Preserve kMode = {.mode = true};
constexpr Preserve kOwner = {.ownership = true};
constexpr int kFd = 9;

struct statx StatOf(mode_t mode, uid_t user, gid_t group) {
  struct statx stat = {};
  stat.stx_mode = static_cast<uint16_t>(mode);
  stat.stx_uid = user;
  stat.stx_gid = group;
  return stat;
}

// A target in memory, with as much of the kernel's behaviour as bears on attributes.
struct MemoryTarget {
  mode_t mode = S_IFREG | 0600;
  uid_t user = 0;
  gid_t group = 0;
  bool has_times = false;
  // Somebody is named in them. The access ACL's mask is then the group's part of `mode`.
  bool access_acl = false;
  bool default_acl = false;

  int32_t CarryOut(const Op& op) {
    EXPECT_EQ(op.kind == OpKind::kStatx ? op.stat.directory : op.file.index, kFd);
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
        return List(op);
      case OpKind::kRemoveXattr:
        EXPECT_STREQ(op.xattr.name, kDefaultAclName);
        return std::exchange(default_acl, false) ? 0 : -ENODATA;
      case OpKind::kSetXattr:
        EXPECT_STREQ(op.xattr.name, kAccessAclName);
        mode = (mode & ~kPermissions) |
               PermissionsWithoutAcl(
                   {static_cast<const char*>(op.xattr.value), op.xattr.size})
                   .value_or(0);
        access_acl = false;
        return 0;
      default:
        ADD_FAILURE() << "op of kind " << static_cast<int>(op.kind);
        return -ENOSYS;
    }
  }

 private:
  int32_t List(const Op& op) const {
    std::string names = "user.other";
    for (const auto& [name, is_there] : {std::pair(kAccessAclName, access_acl),
                                         std::pair(kDefaultAclName, default_acl)}) {
      if (is_there) absl::StrAppend(&names, std::string(1, '\0'), name);
    }
    names += '\0';
    EXPECT_LE(names.size(), op.xattr.size);
    std::memcpy(op.xattr.value, names.data(), names.size());
    return static_cast<int32_t>(names.size());
  }
};

std::string Text(const Op& op) {
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

// One plan: who copies what, and what is there.
struct Case {
  Preserve preserve = kAll;
  uid_t as_user = 0;
  mode_t umask = 022;
  mode_t source_mode = S_IFREG | 0644;  // Of user 5 and group 6.
  AttributePlan::Target target = {.created = true};
  MemoryTarget memory = {};
  bool has_looked = false;  // The caller has.
};

struct Outcome {
  std::vector<std::string> ops;
  std::optional<CopyFailure> failure;
  MemoryTarget after;

  std::string Text() const {
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
};

// An op that fails: the one with this number, or of this text.
struct Fault {
  int number = -1;
  std::string_view text = {};
  int error_number = 0;
};

template <typename Look>
Outcome Execute(const Case& with, const std::vector<Fault>& faults, Look look) {
  FileCopyPolicy policy;
  policy.preserve = with.preserve;
  policy.user = with.as_user;
  policy.umask = with.umask;
  const struct statx source = StatOf(with.source_mode, 5, 6);
  Outcome run;
  run.after = with.memory;
  const struct statx stat = StatOf(run.after.mode, run.after.user, run.after.group);
  AttributePlan::Target target = with.target;
  target.fd = kFd;
  target.kept_mode = with.source_mode & kAllModeBits;
  if (with.has_looked) target.stat = &stat;
  AttributePlan plan;
  plan.Start(policy, source, target);
  SetAttributesAtOnce(&plan, [&](const Op& op) {
    const int number = static_cast<int>(run.ops.size());
    run.ops.push_back(Text(op));
    const auto fault = std::find_if(faults.begin(), faults.end(), [&](const Fault& one) {
      return one.number == number || one.text == run.ops.back();
    });
    const int32_t result =
        fault != faults.end() ? -fault->error_number : run.after.CarryOut(op);
    look(run.after);
    return result;
  });
  if (plan.failed()) run.failure = plan.failure();
  return run;
}

std::string Script(const Case& with, const std::vector<Fault>& faults = {}) {
  return Execute(with, faults, [](const MemoryTarget&) {}).Text();
}

// What is right but for its times.
MemoryTarget Right(mode_t mode) { return {.mode = mode, .user = 5, .group = 6}; }

// --- The rules one by one ---

TEST(AttributePlanTest, WhatIsRightIsLookedAtOnce) {
  EXPECT_EQ(Script({.memory = Right(S_IFREG | 0644)}), "look, times");
  EXPECT_EQ(Script({.preserve = kMode, .memory = Right(S_IFREG | 0644)}), "look");
  EXPECT_EQ(Script({.preserve = kOwner, .memory = Right(S_IFREG | 0600)}), "look");
}

TEST(AttributePlanTest, WhatTheCallerHasLookedAtIsNotLookedAt) {
  EXPECT_EQ(Script({.memory = Right(S_IFREG | 0644), .has_looked = true}), "times");
}

TEST(AttributePlanTest, TimesAloneNeedNoLook) {
  EXPECT_EQ(Script({.preserve = {.timestamps = true}}), "times");
  EXPECT_EQ(Script({.preserve = {}}), "");
}

TEST(AttributePlanTest, TimesOwnerAndModeAreSetInThatOrder) {
  EXPECT_EQ(Script({}), "look, times, chown 5:6, chmod 644");
}

TEST(AttributePlanTest, ALinkHasNoMode) {
  EXPECT_EQ(Script({.source_mode = S_IFLNK | 0777,
                    .memory = {.mode = S_IFLNK | 0755},
                    .has_looked = true}),
            "times, chown 5:6");
}

TEST(AttributePlanTest, SetIdBitsComeBackBehindAChangeOfOwner) {
  EXPECT_EQ(Script({.source_mode = S_IFREG | 06755, .memory = {.mode = S_IFREG | 06755}}),
            "look, times, chown 5:6, chmod 6755");
  // Of a directory they are not lost.
  EXPECT_EQ(Script({.source_mode = S_IFDIR | 02755, .memory = {.mode = S_IFDIR | 02755}}),
            "look, times, chown 5:6");
}

TEST(AttributePlanTest, WhatWasThereIsClosedBeforeItIsGivenAway) {
  Case with = {.target = {.created = false}, .memory = {.mode = S_IFREG | 04666}};
  EXPECT_EQ(Script(with), "look, times, chmod 600, chown 5:6, acl, chmod 644");
  with.memory.mode = S_IFREG | 0600;
  EXPECT_EQ(Script(with), "look, times, chown 5:6, acl, chmod 644");
  with.memory.mode = S_IFREG | 0700;
  EXPECT_EQ(Script(with), "look, times, chmod 600, chown 5:6, acl, chmod 644");
  // It keeps the mode that it has where the owner alone is kept.
  with.preserve = kOwner;
  with.memory.mode = S_IFREG | 0666;
  EXPECT_EQ(Script(with), "look, chown 5:6");
}

TEST(AttributePlanTest, ADirectorysAclsAreLookedForFirst) {
  Case with = {.source_mode = S_IFDIR | 0750,
               .target = {.created = false},
               .memory = Right(S_IFDIR | 0750)};
  EXPECT_EQ(Script(with), "look, times, list");
  with.memory.default_acl = true;
  EXPECT_EQ(Script(with), "look, times, list, no default acl");
  with.memory.access_acl = true;
  EXPECT_EQ(Script(with), "look, times, list, no default acl, acl, chmod 750");
  // Too many attributes to be listed.
  EXPECT_EQ(Script(with, {{.text = "list", .error_number = ERANGE}}),
            "look, times, list, no default acl, acl, chmod 750");
}

TEST(AttributePlanTest, AnInheritedAclIsReplaced) {
  Case with = {.preserve = kMode,
               .target = {.created = true, .default_acl = 0770},
               .memory = Right(S_IFREG | 0600)};
  EXPECT_EQ(Script(with), "look, acl, chmod 644");
  with.source_mode = S_IFDIR | 0750;
  with.memory = Right(S_IFDIR | 0700);
  with.memory.default_acl = with.memory.access_acl = true;
  EXPECT_EQ(Script(with), "look, list, no default acl, acl, chmod 750");
}

TEST(AttributePlanTest, WhatWasWithheldIsGivenBackAsFarAsUmaskAndDefaultAclGrantIt) {
  Case with = {.preserve = kOwner,
               .source_mode = S_IFREG | 0666,
               .target = {.created = true, .withheld = 066}};
  EXPECT_EQ(Script(with), "look, chown 5:6, chmod 644");
  with.umask = 077;
  EXPECT_EQ(Script(with), "look, chown 5:6");
  with.umask = 022;
  with.target.default_acl = 0770;
  EXPECT_EQ(Script(with), "look, chown 5:6, chmod 640");
}

TEST(AttributePlanTest, WhatItsOwnerWasLentIsTakenAway) {
  const Case with = {.preserve = {},
                     .source_mode = S_IFDIR | 0555,
                     .target = {.created = true, .withheld = 020, .lent = 0200},
                     .memory = {.mode = S_IFDIR | 02755}};
  EXPECT_EQ(Script(with), "look, chmod 2555");
}

// --- What may fail ---

TEST(AttributePlanTest, AnErrorEndsIt) {
  const Case with = {.target = {.created = false}, .memory = {.mode = S_IFREG | 0666}};
  EXPECT_EQ(Script(with, {{.text = "look", .error_number = EIO}}), "look -> stat 5");
  EXPECT_EQ(Script(with, {{.text = "times", .error_number = EPERM}}),
            "look, times -> utimens 1");
  EXPECT_EQ(Script(with, {{.text = "chmod 600", .error_number = EPERM}}),
            "look, times, chmod 600 -> chmod 1");
  EXPECT_EQ(Script(with, {{.text = "chown 5:6", .error_number = EIO}}),
            "look, times, chmod 600, chown 5:6 -> chown 5");
  EXPECT_EQ(Script(with, {{.text = "chmod 644", .error_number = EIO}}),
            "look, times, chmod 600, chown 5:6, acl, chmod 644 -> chmod 5");
}

TEST(AttributePlanTest, RootWhoMayNotGiveAwayTriesTheGroupAndEnds) {
  for (const int error : {EPERM, EINVAL}) {
    EXPECT_EQ(Script({}, {{.text = "chown 5:6", .error_number = error}}),
              absl::StrCat("look, times, chown 5:6, chown -1:6 -> chown ", error));
  }
}

TEST(AttributePlanTest, AUserWhoMayNotGiveAwayGoesOnWithoutSetIdBits) {
  Case with = {.as_user = 1, .source_mode = S_IFREG | 07755};
  for (const int group_error : {0, EPERM, EIO}) {
    EXPECT_EQ(Script(with, {{.text = "chown 5:6", .error_number = EPERM},
                            {.text = "chown -1:6", .error_number = group_error}}),
              "look, times, chown 5:6, chown -1:6, chmod 755");
  }
  // Without the sticky bit others could remove what is in a directory.
  with.source_mode = S_IFDIR | 07755;
  with.memory.mode = S_IFDIR | 0700;
  EXPECT_EQ(Script(with, {{.text = "chown 5:6", .error_number = EPERM}}),
            "look, times, chown 5:6, chown -1:6, chmod 1755");
  // Only what is not permitted is no error.
  EXPECT_EQ(Script(with, {{.text = "chown 5:6", .error_number = EIO}}),
            "look, times, chown 5:6 -> chown 5");
}

TEST(AttributePlanTest, AnAclThatStaysClosesTheGroup) {
  Case with = {.preserve = kMode,
               .target = {.created = true, .default_acl = 0770},
               .memory = {.access_acl = true}};
  EXPECT_EQ(Script(with, {{.text = "acl", .error_number = EPERM}}),
            "look, acl, chmod 604 -> chmod 1");
  // The first error is told.
  EXPECT_EQ(Script(with, {{.text = "acl", .error_number = EPERM},
                          {.text = "chmod 604", .error_number = EIO}}),
            "look, acl, chmod 604 -> chmod 1");
  with.source_mode = S_IFDIR | 0750;
  with.memory.mode = S_IFDIR | 0770;
  with.memory.default_acl = true;
  EXPECT_EQ(Script(with, {{.text = "acl", .error_number = EPERM}}),
            "look, list, no default acl, acl, chmod 700 -> chmod 1");
  EXPECT_EQ(Script(with, {{.text = "no default acl", .error_number = EIO}}),
            "look, list, no default acl, acl, chmod 700 -> chmod 5");
  EXPECT_EQ(Script(with, {{.text = "list", .error_number = EIO}}),
            "look, list, chmod 700 -> chmod 5");
}

TEST(AttributePlanTest, WhereThereAreNoAclsNothingIsReplaced) {
  const Case file = {
      .preserve = kMode, .target = {.created = false}, .memory = Right(S_IFREG | 0644)};
  Case directory = file;
  directory.source_mode = S_IFDIR | 0755;
  directory.memory.mode = S_IFDIR | 0755;
  for (const int error : {ENODATA, EOPNOTSUPP, ENOSYS, EINVAL, EBUSY}) {
    EXPECT_EQ(Script(file, {{.text = "acl", .error_number = error}}), "look, acl");
    EXPECT_EQ(Script(directory, {{.text = "list", .error_number = error}}), "look, list");
    // With more names than fit, one finds out by trying.
    EXPECT_EQ(Script(directory, {{.text = "list", .error_number = ERANGE},
                                 {.text = "no default acl", .error_number = error},
                                 {.text = "acl", .error_number = error}}),
              "look, list, no default acl, acl");
  }
  // What was listed is there.
  directory.memory.access_acl = directory.memory.default_acl = true;
  EXPECT_EQ(Script(directory, {{.text = "acl", .error_number = EOPNOTSUPP}}),
            "look, list, no default acl, acl, chmod 705 -> chmod 95");
  EXPECT_EQ(Script(directory, {{.text = "no default acl", .error_number = EOPNOTSUPP}}),
            "look, list, no default acl, acl, chmod 705 -> chmod 95");
  EXPECT_EQ(Script(directory, {{.text = "no default acl", .error_number = ENODATA}}),
            "look, list, no default acl, acl, chmod 755");
}

TEST(AttributePlanTest, AModeThatNobodyAskedForMayBeRefused) {
  const Case with = {.preserve = kOwner, .target = {.created = true, .withheld = 044}};
  for (const int error : {EPERM, EACCES, EINVAL, ENOSYS, EOPNOTSUPP}) {
    EXPECT_EQ(Script(with, {{.text = "chmod 644", .error_number = error}}),
              "look, chown 5:6, chmod 644");
  }
  EXPECT_EQ(Script(with, {{.text = "chmod 644", .error_number = EIO}}),
            "look, chown 5:6, chmod 644 -> chmod 5");
}

// --- All of them ---

constexpr mode_t kGroup = S_IRWXG;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

// One of all combinations of choices, by its number.
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

  // The number is beyond those of all combinations of what was chosen from.
  bool is_beyond() const { return left_ != 0; }

 private:
  size_t left_;
};

std::vector<Case> AllCases() {
  std::vector<Case> cases;
  for (int number = 0;; ++number) {
    Combination combination(number);
    const auto choose = [&] { return combination.Choose(); };
    Case one;
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
    if (combination.is_beyond()) return cases;
    cases.push_back(one);
  }
}

// Runs `with`, and looks after each op whether anybody gets in who should not.
Outcome RunSafely(const Case& with, const std::vector<Fault>& faults) {
  const mode_t source = with.source_mode & kAllModeBits;
  return Execute(with, faults, [&](const MemoryTarget& now) {
    const bool is_sources = now.user == 5 && now.group == 6;
    if (with.preserve.mode && !S_ISLNK(now.mode)) {
      // What has somebody else's owner must not act with that one's rights.
      const mode_t gained = now.mode & ~with.memory.mode & kSetIdBits;
      EXPECT_TRUE(is_sources || !with.preserve.ownership || gained == 0);
      // The source's owner, where it is one that was there, gets in alone at first.
      const mode_t granted = now.mode & ~source & kPermissions;
      EXPECT_TRUE((granted & ~with.memory.mode) == 0);
      EXPECT_TRUE(!is_sources || with.memory.user == 5 || granted == 0);
      // Nobody who is named in a list gets in that did not before.
      EXPECT_TRUE(!now.access_acl || (now.mode & ~with.memory.mode & kGroup) == 0);
    }
  });
}

void ExpectRight(const Case& with, const MemoryTarget& target, bool has_owner) {
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
  if (with.target.created && !with.target.default_acl.has_value()) return;
  EXPECT_FALSE(target.access_acl);
  EXPECT_FALSE(target.default_acl);
}

TEST(EveryPlanTest, WithoutFaultsAllIsRight) {
  for (const Case& with : AllCases()) {
    const Outcome run = RunSafely(with, {});
    SCOPED_TRACE(run.Text());
    EXPECT_FALSE(run.failure.has_value());
    ExpectRight(with, run.after, /*has_owner=*/true);
    if (testing::Test::HasFailure()) return;
  }
}

// `run` had the failure of its op `number`, which was `op`.
void ExpectContained(const Case& with, const Outcome& run, int number,
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
  // It ends there, unless the group is tried, or the mode is set without the group's.
  const int more = is_acl ? 3 : is_owner && is_permission ? 1 : 0;
  EXPECT_LE(static_cast<int>(run.ops.size()), number + 1 + more);
  // With a new ACL the group has its permissions before the mode is set.
  const mode_t given = run.after.mode & ~with.memory.mode;
  const mode_t not_to_be_given = is_acl    ? kGroup
                                 : is_mode ? ~with.source_mode & kPermissions
                                           : kOthers;
  EXPECT_EQ(given & not_to_be_given, 0u);
}

TEST(EveryPlanTest, EachOpMayFail) {
  int faults_hit = 0;
  for (const Case& with : AllCases()) {
    const Outcome whole = RunSafely(with, {});
    const bool has_acl = with.memory.access_acl || with.memory.default_acl;
    for (int number = 0; number < static_cast<int>(whole.ops.size()); ++number) {
      const std::string& op = whole.ops[number];
      for (const int error : {EPERM, EINVAL, EIO, EOPNOTSUPP, ENODATA, ERANGE}) {
        // No file system denies a list that it has.
        const bool is_acl = op == "list" || op == "acl" || op == "no default acl";
        if (is_acl && has_acl && SaysNoAcl(error)) continue;
        const Outcome run = RunSafely(with, {{.number = number, .error_number = error}});
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

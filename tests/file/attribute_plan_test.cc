// Tests rule by rule what is set on a target, in which order, and what may fail.
// attribute_script.h explains the notation; attribute_plan_faults_test.cc tries every
// plan.

#include "core/file/attribute_plan.h"

#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/copy_options.h"
#include "core/base/posix_acl.h"
#include "gtest/gtest.h"
#include "tests/attribute_script.h"

namespace ringcp {
namespace {

constexpr Preserve kMode = {.mode = true};
constexpr Preserve kOwner = {.ownership = true};

// A target that has all attributes except the times.
MemoryTarget Right(mode_t mode) { return {.mode = mode, .user = 5, .group = 6}; }

TEST(AttributePlanTest, ATargetThatIsRightIsLookedAtOnlyOneTime) {
  EXPECT_EQ(Script({.memory = Right(S_IFREG | 0644)}), "look, times");
  EXPECT_EQ(Script({.preserve = kMode, .memory = Right(S_IFREG | 0644)}), "look");
  EXPECT_EQ(Script({.preserve = kOwner, .memory = Right(S_IFREG | 0600)}), "look");
}

TEST(AttributePlanTest, WhatLooksRightIsSetAllTheSameWhereLooksDeceive) {
  AttributeCase with = {.memory = Right(S_IFREG | 0644), .always_sets = true};
  EXPECT_EQ(Script(with), "look, times, chown 5:6, chmod 644");
  // GNU cp does not give away what was there and has its owner, either.
  with.target.created = false;
  with.preserve = kOwner;
  EXPECT_EQ(Script(with), "look");
  with.target.created = true;
  with.preserve = {};
  EXPECT_EQ(Script(with), "");
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

TEST(AttributePlanTest, SetIdBitsAreSetAgainAfterAChangeOfOwner) {
  EXPECT_EQ(Script({.source_mode = S_IFREG | 06755, .memory = {.mode = S_IFREG | 06755}}),
            "look, times, chown 5:6, chmod 6755");
  // A directory does not lose them.
  EXPECT_EQ(Script({.source_mode = S_IFDIR | 02755, .memory = {.mode = S_IFDIR | 02755}}),
            "look, times, chown 5:6");
}

TEST(AttributePlanTest, WhatWasThereIsClosedBeforeItIsGivenAway) {
  AttributeCase with = {.target = {.created = false},
                        .memory = {.mode = S_IFREG | 04666}};
  EXPECT_EQ(Script(with), "look, times, chmod 600, chown 5:6, acl, chmod 644");
  with.memory.mode = S_IFREG | 0600;
  EXPECT_EQ(Script(with), "look, times, chown 5:6, acl, chmod 644");
  with.memory.mode = S_IFREG | 0700;
  EXPECT_EQ(Script(with), "look, times, chmod 600, chown 5:6, acl, chmod 644");
  // If only the owner is kept, the file keeps the mode that it has.
  with.preserve = kOwner;
  with.memory.mode = S_IFREG | 0666;
  EXPECT_EQ(Script(with), "look, chown 5:6");
}

TEST(AttributePlanTest, ADirectorysAclsAreLookedForFirst) {
  AttributeCase with = {.source_mode = S_IFDIR | 0750,
                        .target = {.created = false},
                        .memory = Right(S_IFDIR | 0750)};
  EXPECT_EQ(Script(with), "look, times, list");
  with.memory.default_acl = true;
  EXPECT_EQ(Script(with), "look, times, list, no default acl");
  with.memory.access_acl = true;
  EXPECT_EQ(Script(with), "look, times, list, no default acl, acl, chmod 750");
  // There are too many attributes to list.
  EXPECT_EQ(Script(with, {{.text = "list", .error_number = ERANGE}}),
            "look, times, list, no default acl, acl, chmod 750");
}

TEST(AttributePlanTest, AnInheritedAclIsReplaced) {
  AttributeCase with = {.preserve = kMode,
                        .target = {.created = true, .default_acl = 0770},
                        .memory = Right(S_IFREG | 0600)};
  EXPECT_EQ(Script(with), "look, acl, chmod 644");
  with.source_mode = S_IFDIR | 0750;
  with.memory = Right(S_IFDIR | 0700);
  with.memory.default_acl = with.memory.access_acl = true;
  EXPECT_EQ(Script(with), "look, list, no default acl, acl, chmod 750");
}

TEST(AttributePlanTest, WhatWasWithheldIsGivenBackAsFarAsUmaskAndDefaultAclGrantIt) {
  AttributeCase with = {.preserve = kOwner,
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
  const AttributeCase with = {.preserve = {},
                              .source_mode = S_IFDIR | 0555,
                              .target = {.created = true, .withheld = 020, .lent = 0200},
                              .memory = {.mode = S_IFDIR | 02755}};
  EXPECT_EQ(Script(with), "look, chmod 2555");
}

// --- What may fail ---

TEST(AttributePlanTest, AnErrorEndsIt) {
  const AttributeCase with = {.target = {.created = false},
                              .memory = {.mode = S_IFREG | 0666}};
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
  AttributeCase with = {.as_user = 1, .source_mode = S_IFREG | 07755};
  for (const int group_error : {0, EPERM, EIO}) {
    EXPECT_EQ(Script(with, {{.text = "chown 5:6", .error_number = EPERM},
                            {.text = "chown -1:6", .error_number = group_error}}),
              "look, times, chown 5:6, chown -1:6, chmod 755");
  }
  // Without the sticky bit others could remove what is in the directory.
  with.source_mode = S_IFDIR | 07755;
  with.memory.mode = S_IFDIR | 0700;
  EXPECT_EQ(Script(with, {{.text = "chown 5:6", .error_number = EPERM}}),
            "look, times, chown 5:6, chown -1:6, chmod 1755");
  // Only a lack of permission is no error.
  EXPECT_EQ(Script(with, {{.text = "chown 5:6", .error_number = EIO}}),
            "look, times, chown 5:6 -> chown 5");
}

TEST(AttributePlanTest, AnAclThatStaysClosesTheGroup) {
  AttributeCase with = {.preserve = kMode,
                        .target = {.created = true, .default_acl = 0770},
                        .memory = {.access_acl = true}};
  EXPECT_EQ(Script(with, {{.text = "acl", .error_number = EPERM}}),
            "look, acl, chmod 604 -> chmod 1");
  // The first error is reported.
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
  const AttributeCase file = {
      .preserve = kMode, .target = {.created = false}, .memory = Right(S_IFREG | 0644)};
  AttributeCase directory = file;
  directory.source_mode = S_IFDIR | 0755;
  directory.memory.mode = S_IFDIR | 0755;
  for (const int error : {ENODATA, EOPNOTSUPP, ENOSYS, EINVAL, EBUSY}) {
    EXPECT_EQ(Script(file, {{.text = "acl", .error_number = error}}), "look, acl");
    EXPECT_EQ(Script(directory, {{.text = "list", .error_number = error}}), "look, list");
    // If the names do not fit, only trying tells whether there are ACLs.
    EXPECT_EQ(Script(directory, {{.text = "list", .error_number = ERANGE},
                                 {.text = "no default acl", .error_number = error},
                                 {.text = "acl", .error_number = error}}),
              "look, list, no default acl, acl");
  }
  // A list that was listed exists, so the error is not believed.
  directory.memory.access_acl = directory.memory.default_acl = true;
  EXPECT_EQ(Script(directory, {{.text = "acl", .error_number = EOPNOTSUPP}}),
            "look, list, no default acl, acl, chmod 705 -> chmod 95");
  EXPECT_EQ(Script(directory, {{.text = "no default acl", .error_number = EOPNOTSUPP}}),
            "look, list, no default acl, acl, chmod 705 -> chmod 95");
  EXPECT_EQ(Script(directory, {{.text = "no default acl", .error_number = ENODATA}}),
            "look, list, no default acl, acl, chmod 755");
}

TEST(AttributePlanTest, AModeThatNobodyAskedForMayBeRefused) {
  const AttributeCase with = {.preserve = kOwner,
                              .target = {.created = true, .withheld = 044}};
  for (const int error : {EPERM, EACCES, EINVAL, ENOSYS, EOPNOTSUPP}) {
    EXPECT_EQ(Script(with, {{.text = "chmod 644", .error_number = error}}),
              "look, chown 5:6, chmod 644");
  }
  EXPECT_EQ(Script(with, {{.text = "chmod 644", .error_number = EIO}}),
            "look, chown 5:6, chmod 644 -> chmod 5");
}

// --- The source's ACLs ---

TEST(AttributePlanTest, AnAclTakesThePlaceOfWhatIsThereAndBringsItsMask) {
  AttributeCase with = {.preserve = kMode,
                        .source_mode = S_IFREG | 0670,
                        .memory = {.mode = S_IFREG | 0600},
                        .source_xattrs = {kAccessAclName, "user.a"}};
  EXPECT_EQ(Script(with), "look, copy acl, chmod 670");
  with.target.created = false;
  with.memory.access_acl = true;
  EXPECT_EQ(Script(with), "look, copy acl, chmod 670");
}

TEST(AttributePlanTest, ADirectoryGetsBothOfItsAcls) {
  const AttributeCase with = {
      .preserve = kMode,
      .source_mode = S_IFDIR | 0750,
      .target = {.created = true, .default_acl = 0770},
      .memory = {.mode = S_IFDIR | 0700, .access_acl = true, .default_acl = true},
      .source_xattrs = {kAccessAclName, kDefaultAclName}};
  EXPECT_EQ(Script(with), "look, list, copy default acl, copy acl, chmod 750");
}

// The owning group has no rights, so without the ACL nobody has what the mask grants.
TEST(AttributePlanTest, WithoutItsAclACopyLetsInNobodyElse) {
  AttributeCase with = {.preserve = kMode,
                        .source_mode = S_IFREG | 0670,
                        .memory = {.mode = S_IFREG | 0600},
                        .source_xattrs = {kAccessAclName}};
  EXPECT_EQ(Script(with, {{.text = "copy acl", .error_number = EOPNOTSUPP}}),
            "look, copy acl -> chmod 95");
  // What was inherited goes all the same.
  with.target.default_acl = 0777;
  with.memory = {.mode = S_IFREG | 0670, .access_acl = true};
  EXPECT_EQ(Script(with, {{.text = "copy acl", .error_number = ENOSPC}}),
            "look, copy acl, acl, chmod 600 -> chmod 28");
}

TEST(AttributePlanTest, SetIdBitsAreDroppedWithAnAclToo) {
  const AttributeCase with = {.preserve = {.mode = true, .ownership = true},
                              .as_user = 1,
                              .source_mode = S_IFREG | 06770,
                              .source_xattrs = {kAccessAclName}};
  EXPECT_EQ(Script(with, {{.text = "chown 5:6", .error_number = EPERM},
                          {.text = "chown -1:6", .error_number = EPERM}}),
            "look, chown 5:6, chown -1:6, copy acl, chmod 770");
}

TEST(AttributePlanTest, AnAclOfAnotherKindFollowsTheModeWhereThereAreSuch) {
  const AttributeCase with = {.preserve = kMode,
                              .memory = Right(S_IFREG | 0644),
                              .source_xattrs = {"system.nfs4_acl"}};
  EXPECT_EQ(Script(with), "look, get system.nfs4_acl, set system.nfs4_acl");
  EXPECT_EQ(Script(with, {{.text = "set system.nfs4_acl", .error_number = EOPNOTSUPP}}),
            "look, get system.nfs4_acl, set system.nfs4_acl");
  EXPECT_EQ(Script(with, {{.text = "set system.nfs4_acl", .error_number = EINVAL}}),
            "look, get system.nfs4_acl, set system.nfs4_acl -> chmod 22");
}

// --- Other extended attributes ---

TEST(AttributePlanTest, AttributesAreSetBehindTheOwnerAndBeforeTheMode) {
  EXPECT_EQ(Script({.preserve = {.mode = true,
                                 .ownership = true,
                                 .timestamps = true,
                                 .xattrs = Xattrs::kTried},
                    .source_xattrs = {"user.a", kAccessAclName, "security.capability",
                                      "security.evm"}}),
            "look, times, chown 5:6, get user.a, set user.a, get security.capability, "
            "set security.capability, copy acl, chmod 644");
}

TEST(AttributePlanTest, ALinkHasAttributesToo) {
  EXPECT_EQ(Script({.preserve = {.xattrs = Xattrs::kTried},
                    .source_mode = S_IFLNK | 0777,
                    .memory = {.mode = S_IFLNK | 0777},
                    .source_xattrs = {"trusted.a"}}),
            "get trusted.a, set trusted.a");
}

TEST(AttributePlanTest, WhichFailuresAreToldIsUpToTheOptions) {
  const std::vector<AttributeFault> faults = {
      {.text = "get user.a", .error_number = EIO},
      {.text = "set user.b", .error_number = EOPNOTSUPP},
      {.text = "set user.c", .error_number = EPERM},
      {.text = "set user.d", .error_number = EOPNOTSUPP}};
  AttributeCase with = {.source_xattrs = {"user.a", "user.b", "user.c", "user.d"}};
  const std::string ops =
      "get user.a, get user.b, set user.b, get user.c, set user.c, get user.d, "
      "set user.d";
  with.preserve = {.xattrs = Xattrs::kTried};
  EXPECT_EQ(Script(with, faults), ops);
  with.preserve = {.xattrs = Xattrs::kReported};
  EXPECT_EQ(Script(with, faults), ops + " ! getxattr user.a 5 ! setxattr user.c 1");
  // One word about all that the file system does not take.
  with.preserve = {.xattrs = Xattrs::kRequired};
  EXPECT_EQ(Script(with, faults),
            ops + " ! getxattr user.a 5 ! setxattr user.c 1 -> setxattrs 95");
  with.preserve = {.xattrs = Xattrs::kTried};
  with.attributes_only = true;
  EXPECT_EQ(Script(with, faults),
            ops + " ! getxattr user.a 5 ! setxattr user.c 1 ! setxattrs 95");
}

TEST(AttributePlanTest, AnAttributeThatIsGoneByNowIsNoFailure) {
  EXPECT_EQ(
      Script({.preserve = {.xattrs = Xattrs::kRequired}, .source_xattrs = {"user.a"}},
             {{.text = "get user.a", .error_number = ENODATA}}),
      "get user.a");
}

TEST(AttributePlanTest, ALabelThatTheJobDecidesOnIsNoAttribute) {
  for (const Context context : {Context::kTried, Context::kReplaced}) {
    EXPECT_EQ(Script({.preserve = {.xattrs = Xattrs::kRequired, .context = context},
                      .source_xattrs = {"user.a", "security.selinux"}}),
              "get user.a, set user.a");
  }
  EXPECT_EQ(Script({.preserve = {.xattrs = Xattrs::kRequired},
                    .source_xattrs = {"security.selinux"}}),
            "get security.selinux, set security.selinux");
}

}  // namespace
}  // namespace ringcp

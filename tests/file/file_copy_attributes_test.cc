// Tests the state machine of one file's copy if its mode, owner or times are preserved.
// copy_script.h explains the notation; attribute_plan_test.cc tests the rules one by one.

#include <sys/stat.h>

#include <cerrno>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "core/file/file_copy.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;
constexpr Preserve kAll = {.mode = true, .ownership = true, .timestamps = true};

constexpr char kListNames[] = "listxattr fd7";
constexpr char kGetAcl[] = "at once getxattr fd7 system.posix_acl_access";
constexpr char kSetAcl[] = "at once setxattr fd9 system.posix_acl_access";

// Copies one block up to the first op on attributes, which is `next`. The target is new,
// belongs to user 1 and is open as descriptor 9.
struct Written {
  explicit Written(
      const FileCopyPolicy& policy,
      const std::function<void(CopyScript*)>& made = [](CopyScript*) {},
      const CopyScript::Setup& setup = {})
      : copy([&] {
          CopyScript::Setup with_policy = setup;
          with_policy.policy = policy;
          return with_policy;
        }()) {
    made(&copy);
    whole = copy.LookAtSource();
    if (whole == kListNames) whole = copy.Settle({0});
    next = copy.Settle({0, 100, 9, 0, 0});
  }

  // Closes the target. Returns the outcome.
  std::string Close() {
    EXPECT_EQ(next, "close fd9");
    return copy.Settle({0});
  }

  CopyScript copy;
  std::string whole;
  std::string next;
};

// The same for an existing target of user 1, which is open as descriptor 8.
struct Overwritten {
  explicit Overwritten(const FileCopyPolicy& policy,
                       const std::function<void(CopyScript*)>& made)
      : copy({.policy = policy}) {
    made(&copy);
    if (copy.LookAtSource() == kListNames) copy.Settle({0});
    copy.Settle({-EEXIST, kCancelled, kCancelled, kCancelled, kCancelled});
    copy.Settle({0, 0});
    copy.Settle({8});
    copy.Settle({0});
    EXPECT_EQ(copy.Settle({0}), "write fd8 100@0");
    next = copy.Settle({100});
  }
  CopyScript copy;
  std::string next;
};

FileCopyPolicy AsUser(uid_t user, const Preserve& preserve = kAll) {
  return {.preserve = preserve, .user = user};
}

TEST(FileCopyAttributesTest, WhatIsRightAlreadyIsNotSet) {
  Written written(AsUser(1));
  EXPECT_EQ(written.whole,
            "open T new 644>s0 - write s0 100@0 - install s0 - close s0 = close fd7");
  CopyScript& copy = written.copy;
  EXPECT_EQ(written.next, "at once fstat fd9");
  EXPECT_EQ(copy.Settle({0}), "futimens fd9 11 22");
  written.next = copy.Settle({0});
  EXPECT_EQ(written.Close(), "copied");
}

TEST(FileCopyAttributesTest, TimesOwnerAndModeAreSetInThatOrder) {
  Written written(AsUser(0), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->source_stat.stx_gid = 6;
    copy->target_fd_stat.stx_mode = S_IFREG | 0600;
  });
  // Until the file has its owner, nobody but the owner may look into it.
  EXPECT_EQ(written.whole.substr(0, 17), "open T new 600>s0");
  CopyScript& copy = written.copy;
  EXPECT_EQ(written.next, "at once fstat fd9");
  EXPECT_EQ(copy.Settle({0}), "futimens fd9 11 22");
  EXPECT_EQ(copy.Settle({0}), "fchown fd9 5:6");
  EXPECT_EQ(copy.Settle({0}), "fchmod fd9 644");
  written.next = copy.Settle({0});
  EXPECT_EQ(written.Close(), "copied");
}

TEST(FileCopyAttributesTest, TimesAloneNeedNoLook) {
  Written written(AsUser(1, {.timestamps = true}));
  EXPECT_EQ(written.next, "futimens fd9 11 22");
  EXPECT_EQ(written.copy.Settle({0}), "close fd9");
}

TEST(FileCopyAttributesTest, AModeThatTheUmaskTookAwayIsSet) {
  Written written(AsUser(1, {.mode = true}),
                  [](CopyScript* copy) { copy->source_stat.stx_mode = S_IFREG | 0666; });
  EXPECT_EQ(written.copy.Settle({0}), "fchmod fd9 666");
  EXPECT_EQ(written.copy.Settle({0}), "close fd9");
}

TEST(FileCopyAttributesTest, AnOrdinaryUserWhoMayNotGiveAwayKeepsTheFile) {
  for (const int error : {EPERM, EINVAL}) {
    for (const int32_t group_result : {0, -EPERM}) {
      Written written(AsUser(1), [](CopyScript* copy) {
        copy->source_stat.stx_uid = 5;
        copy->source_stat.stx_gid = 6;
        copy->target_fd_stat.stx_mode = S_IFREG | 0600;
      });
      CopyScript& copy = written.copy;
      copy.Settle({0});
      EXPECT_EQ(copy.Settle({0}), "fchown fd9 5:6");
      EXPECT_EQ(copy.Settle({-error}), "fchown fd9 -1:6");  // At least the group is set.
      EXPECT_EQ(copy.Settle({group_result}), "fchmod fd9 644");
      EXPECT_EQ(copy.Settle({0}), "close fd9");
      EXPECT_EQ(copy.Settle({0}), "copied");
    }
  }
}

TEST(FileCopyAttributesTest, AFileThatCouldNotBeGivenAwayLosesItsSetIdBits) {
  Written written(AsUser(1), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->source_stat.stx_mode = S_IFREG | 06755;
    copy->target_fd_stat.stx_mode = S_IFREG | 0700;
  });
  CopyScript& copy = written.copy;
  EXPECT_EQ(written.whole.substr(0, 17), "open T new 700>s0");
  EXPECT_EQ(copy.Settle({0}), "futimens fd9 11 22");
  EXPECT_EQ(copy.Settle({0}), "fchown fd9 5:1");
  EXPECT_EQ(copy.Settle({-EPERM}), "fchown fd9 -1:1");
  EXPECT_EQ(copy.Settle({0}), "fchmod fd9 755");
}

TEST(FileCopyAttributesTest, AChangeOfOwnerClearsSetIdBitsSoTheModeIsSetAfterIt) {
  Written written(AsUser(0), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->source_stat.stx_mode = S_IFREG | 04755;
    copy->target_fd_stat.stx_mode = S_IFREG | 04755;
  });
  written.copy.Settle({0});
  EXPECT_EQ(written.copy.Settle({0}), "fchown fd9 5:1");
  EXPECT_EQ(written.copy.Settle({0}), "fchmod fd9 4755");
}

TEST(FileCopyAttributesTest, RootWhoMayNotGiveAwayHasFailedAndLetsNobodyElseIn) {
  Written written(AsUser(0), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->target_fd_stat.stx_mode = S_IFREG | 0600;
  });
  CopyScript& copy = written.copy;
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({0}), "fchown fd9 5:1");
  EXPECT_EQ(copy.Settle({-EPERM}), "fchown fd9 -1:1");
  written.next = copy.Settle({0});
  EXPECT_EQ(written.Close(), "failed: chown T EPERM");  // Complete, so it stays.
}

TEST(FileCopyAttributesTest, AnAttributeThatCanNotBeSetFailsButTheTargetStays) {
  Written times(AsUser(1));
  times.copy.Settle({0});
  EXPECT_EQ(times.copy.Settle({-EPERM}), "close fd9");
  EXPECT_EQ(times.copy.Settle({0}), "failed: utimens T EPERM");

  Written mode(AsUser(1, {.mode = true}),
               [](CopyScript* copy) { copy->source_stat.stx_mode = S_IFREG | 0666; });
  mode.copy.Settle({0});
  EXPECT_EQ(mode.copy.Settle({-EPERM}), "close fd9");
  EXPECT_EQ(mode.copy.Settle({0}), "failed: chmod T EPERM");

  Written look(AsUser(1));
  EXPECT_EQ(look.copy.Settle({-EIO}), "close fd9");
  EXPECT_EQ(look.copy.Settle({0}), "failed: stat T EIO");
}

// As in GNU cp: if the times can't be set, the file is not given away half-done.
TEST(FileCopyAttributesTest, AfterAnErrorNothingMoreIsSet) {
  const auto of_another = [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->target_fd_stat.stx_mode = S_IFREG | 0600;
  };
  Written times(AsUser(0), of_another);
  EXPECT_EQ(times.copy.Settle({0}), "futimens fd9 11 22");
  times.next = times.copy.Settle({-EPERM});
  EXPECT_EQ(times.Close(), "failed: utimens T EPERM");

  // The group alone is tried only if setting both was not permitted.
  Written owner(AsUser(0), of_another);
  owner.copy.Settle({0});
  EXPECT_EQ(owner.copy.Settle({0}), "fchown fd9 5:1");
  owner.next = owner.copy.Settle({-EIO});
  EXPECT_EQ(owner.Close(), "failed: chown T EIO");
}

TEST(FileCopyAttributesTest, AnOwnersOwnRightsAreRestrictedBeforeItIsGivenAwayToo) {
  Overwritten overwritten(AsUser(0), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->target_fd_stat.stx_mode = S_IFREG | 02700;
  });
  overwritten.copy.Settle({0});
  EXPECT_EQ(overwritten.copy.Settle({0}), "fchmod fd8 600");
  EXPECT_EQ(overwritten.copy.Settle({-EPERM}), "close fd8 = close fd7");
  EXPECT_EQ(overwritten.copy.Settle({0, 0}), "failed: chmod T EPERM");
}

TEST(FileCopyAttributesTest, AfterAnInstallThatFailedOnceTheModeIsWhatItWouldHaveBeen) {
  FileCopyPolicy policy;
  policy.preserve.mode = policy.preserve.timestamps = false;
  policy.preserve.ownership = true;
  for (const bool fails_once : {false, true}) {
    CopyScript copy({.policy = policy});
    copy.source_stat.stx_uid = 5;
    copy.target_fd_stat.stx_mode = S_IFREG | 0600;
    copy.LookAtSource();
    if (fails_once) {
      copy.Settle({0, 100, -EMFILE, kCancelled, kCancelled});
      EXPECT_EQ(copy.Settle({8, 0}), "at once fstat fd8");
    } else {
      EXPECT_EQ(copy.Settle({0, 100, 8, 0, 0}), "at once fstat fd8");
    }
    EXPECT_EQ(copy.Settle({0}), "fchown fd8 5:1");
    EXPECT_EQ(copy.Settle({0}), "fchmod fd8 644");
  }
}

TEST(FileCopyAttributesTest, AFailedInstallIsTriedOnceMore) {
  CopyScript copy({.policy = AsUser(1)});
  copy.LookAtSource();
  copy.Settle({-ENODATA});
  EXPECT_EQ(copy.Settle({0, 100, -EMFILE, kCancelled, kCancelled}),
            "install s0 = close s0");
  EXPECT_EQ(copy.Settle({-EMFILE, 0}), "close fd7");
  EXPECT_EQ(copy.Settle({0}), "failed: open T EMFILE");
  EXPECT_EQ(copy.copy().removal_error(), 0);  // The target is complete.
}

TEST(FileCopyAttributesTest,
     StoppedWhileItIsInstalledAWholeTargetStillGetsItsAttributes) {
  CopyScript copy({.policy = AsUser(1, {.timestamps = true})});
  copy.LookAtSource();
  copy.Settle({0, 100, -ENOMEM, kCancelled, kCancelled});
  copy.Stop();
  EXPECT_EQ(copy.Settle({8, 0}), "futimens fd8 11 22");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

TEST(FileCopyAttributesTest, AFailedCopySetsNoAttributes) {
  CopyScript copy({.policy = AsUser(1, {.timestamps = true})});
  copy.LookAtSource();
  EXPECT_EQ(copy.Settle({0, -ENOSPC, kCancelled, kCancelled, kCancelled}),
            "install s0 = close s0");
  EXPECT_EQ(copy.Settle({8, 0}), "fstat fd8 = lstat T");
}

TEST(FileCopyAttributesTest, WhenClosingTheSlotFailedTheTargetIsRemovedByItsDescriptor) {
  CopyScript copy({.policy = AsUser(1, {.timestamps = true})});
  copy.LookAtSource();
  EXPECT_EQ(copy.Settle({0, 100, 9, -EIO, 0}), "fstat fd9 = lstat T");
  EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
  EXPECT_EQ(copy.Settle({0}), "close fd9");
  EXPECT_EQ(copy.Settle({0}), "failed: close T EIO");
}

TEST(FileCopyAttributesTest, AnExistingFileIsClosedToOthersBeforeItIsGivenAway) {
  Overwritten overwritten(AsUser(0), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->target_fd_stat.stx_mode = S_IFREG | 0666;
  });
  CopyScript& copy = overwritten.copy;
  EXPECT_EQ(overwritten.next, "at once fstat fd8");
  EXPECT_EQ(copy.Settle({0}), "futimens fd8 11 22");
  EXPECT_EQ(copy.Settle({0}), "fchmod fd8 600");
  EXPECT_EQ(copy.Settle({0}), "fchown fd8 5:1");
  EXPECT_EQ(copy.Settle({0}), "at once setxattr fd8 system.posix_acl_access");
  EXPECT_EQ(copy.Settle({-EOPNOTSUPP}), "fchmod fd8 644");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

// --- Where the owner alone is kept ---

TEST(FileCopyAttributesTest, WithOwnershipAloneANewFileGetsWhatWasWithheldAndNoMore) {
  struct Case {
    mode_t umask;
    const char* chmod;
  };
  for (const Case& with : {Case{022, "fchmod fd9 644"}, Case{077, "close fd9"}}) {
    FileCopyPolicy policy = AsUser(0, {.ownership = true});
    policy.umask = with.umask;
    Written written(policy, [](CopyScript* copy) {
      copy->source_stat.stx_uid = 5;
      copy->source_stat.stx_mode = S_IFREG | 0666;
      copy->target_fd_stat.stx_mode = S_IFREG | 0600;
    });
    EXPECT_EQ(written.whole.substr(0, 17), "open T new 600>s0");
    EXPECT_EQ(written.copy.Settle({0}), "fchown fd9 5:1");
    EXPECT_EQ(written.copy.Settle({0}), with.chmod);
  }
}

TEST(FileCopyAttributesTest, WithOwnershipAloneAFileThatIsItsOwnersAlreadyIsNotTouched) {
  Written written(AsUser(1, {.ownership = true}));
  EXPECT_EQ(written.whole.substr(0, 17), "open T new 644>s0");
  EXPECT_EQ(written.copy.Settle({0}), "close fd9");
}

TEST(FileCopyAttributesTest, WhatWasWithheldIsGrantedAsFarAsTheUmaskAndADefaultAclDo) {
  Written written(AsUser(0, {.ownership = true}),
                  [](CopyScript* copy) {
                    copy->source_stat.stx_uid = 5;
                    copy->source_stat.stx_mode = S_IFREG | 0666;
                    copy->target_fd_stat.stx_mode = S_IFREG | 0600;
                  },
                  {.target_default_acl = 0760});
  written.copy.Settle({0});
  EXPECT_EQ(written.copy.Settle({0}), "fchmod fd9 640");
}

TEST(FileCopyAttributesTest, AnExistingFileKeepsItsModeWhenOnlyTheOwnerIsKept) {
  for (const mode_t mode : {0600, 0640, 0666}) {
    Overwritten overwritten(AsUser(0, {.ownership = true}), [mode](CopyScript* copy) {
      copy->source_stat.stx_uid = 5;
      copy->target_fd_stat.stx_mode = static_cast<uint16_t>(S_IFREG | mode);
    });
    EXPECT_EQ(overwritten.copy.Settle({0}), "fchown fd8 5:1");
    EXPECT_EQ(overwritten.copy.Settle({0}), "close fd8 = close fd7");
  }
}

// Some file systems fix the modes of their files.
TEST(FileCopyAttributesTest, AModeThatNobodyAskedForMayBeRefused) {
  for (const int error : {EPERM, EOPNOTSUPP, ENOSYS, EINVAL}) {
    Written written(AsUser(0, {.ownership = true}), [](CopyScript* copy) {
      copy->source_stat.stx_uid = 5;
      copy->target_fd_stat.stx_mode = S_IFREG | 0600;
    });
    written.copy.Settle({0});
    EXPECT_EQ(written.copy.Settle({0}), "fchmod fd9 644");
    written.next = written.copy.Settle({-error});
    EXPECT_EQ(written.Close(), "copied");
  }
}

TEST(FileCopyAttributesTest, AModeThatNobodyAskedForMayNotFailOtherwise) {
  Written written(AsUser(0, {.ownership = true}), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->target_fd_stat.stx_mode = S_IFREG | 0600;
  });
  written.copy.Settle({0});
  written.copy.Settle({0});
  written.next = written.copy.Settle({-EIO});
  EXPECT_EQ(written.Close(), "failed: chmod T EIO");
}

// --- Access control lists ---

// The bytes of `value`, lowest first.
void Put(uint32_t value, int bytes, std::string* acl) {
  for (int i = 0; i < bytes; ++i) acl->push_back(static_cast<char>(value >> 8 * i));
}

struct AclEntry {
  uint32_t tag;
  uint32_t permissions;
  uint32_t id = ~0u;
};

// An access control list as the kernel returns it.
std::string Acl(const std::vector<AclEntry>& entries) {
  std::string acl;
  Put(2, 4, &acl);
  for (const AclEntry& entry : entries) {
    Put(entry.tag, 2, &acl);
    Put(entry.permissions, 2, &acl);
    Put(entry.id, 4, &acl);
  }
  return acl;
}

const std::string kNul(1, '\0');

constexpr uint32_t kOwner = 1, kNamedUser = 2, kGroup = 4, kMask = 0x10, kOthers = 0x20;

// A copy of a source that has an ACL, up to its new target, which is open as descriptor 9
// and has what the ACL leaves of the mode.
struct WithAcl {
  WithAcl() : copy({.policy = AsUser(1, {.mode = true})}) {
    copy.source_stat.stx_mode = S_IFREG | 0670;  // The group's bits are the mask.
    copy.names = absl::StrCat("system.posix_acl_access", kNul);
    copy.value =
        Acl({{kOwner, 6}, {kNamedUser, 7, 5}, {kGroup, 4}, {kMask, 7}, {kOthers, 0}});
    copy.target_fd_stat.stx_mode = S_IFREG | 0640;
    EXPECT_EQ(copy.LookAtSource(), kListNames);
    EXPECT_EQ(copy.Settle({static_cast<int32_t>(copy.names.size())}), kGetAcl);
    // Until it has the ACL, nobody gets in whom the ACL keeps out.
    EXPECT_EQ(copy.Settle({static_cast<int32_t>(copy.value.size())}),
              "open T new 640>s0 - write s0 100@0 - install s0 - close s0 = close fd7");
    EXPECT_EQ(copy.Settle({0, 100, 9, 0, 0}), "at once fstat fd9");
    EXPECT_EQ(copy.Settle({0}), kSetAcl);
  }
  CopyScript copy;
};

TEST(FileCopyAttributesTest, AnAclIsCopiedAndThenTheModeWithItsMask) {
  WithAcl with;
  EXPECT_EQ(with.copy.Settle({0}), "fchmod fd9 670");
  EXPECT_EQ(with.copy.Settle({0}), "close fd9");
  EXPECT_EQ(with.copy.Settle({0}), "copied");
}

TEST(FileCopyAttributesTest, WhereAnAclIsRefusedItsMaskGrantsNothing) {
  WithAcl with;
  EXPECT_EQ(with.copy.Settle({-EOPNOTSUPP}), "close fd9");
  EXPECT_EQ(with.copy.Settle({0}), "failed: chmod T EOPNOTSUPP");
}

TEST(FileCopyAttributesTest, IfAnAclCanNotBeReadOnlyTheOwnerGetsIn) {
  for (const int error : {EIO, ENOMEM}) {
    CopyScript copy({.policy = AsUser(1, {.mode = true})});
    copy.LookAtSource();
    EXPECT_EQ(copy.Settle({-error}).substr(0, 17), "open T new 600>s0");
    copy.target_fd_stat.stx_mode = S_IFREG | 0600;
    copy.Settle({0, 100, 9, 0, 0});
    EXPECT_EQ(copy.Settle({0}), "close fd9");
    EXPECT_EQ(copy.Settle({0}), absl::StrCat("failed: chmod T ", ErrnoName(error)));
  }
}

TEST(FileCopyAttributesTest, WhereThereAreNoAclsTheModeIsBelieved) {
  for (const int error : {ENODATA, EOPNOTSUPP, ENOSYS, EINVAL}) {
    CopyScript copy({.policy = AsUser(1, {.mode = true})});
    copy.LookAtSource();
    EXPECT_EQ(copy.Settle({-error}).substr(0, 17), "open T new 644>s0");
  }
}

TEST(FileCopyAttributesTest, AnInterruptedLookAtAttributesIsTriedAgain) {
  CopyScript copy({.policy = AsUser(1, {.mode = true})});
  copy.LookAtSource();
  EXPECT_EQ(copy.Settle({-EINTR}), kListNames);
}

TEST(FileCopyAttributesTest, AnAclThatADirectoryHasGivenIsReplacedAndTheModeSet) {
  Written written(AsUser(1, {.mode = true}), [](CopyScript*) {},
                  {.target_default_acl = 0777});
  CopyScript& copy = written.copy;
  // Until then the ACL lets nobody in.
  EXPECT_EQ(written.whole.substr(0, 17), "open T new 600>s0");
  EXPECT_EQ(copy.Settle({0}), "at once setxattr fd9 system.posix_acl_access");
  // The group's bits were the mask, so the mode is set even if it looks right.
  EXPECT_EQ(copy.Settle({0}), "fchmod fd9 644");
  written.next = copy.Settle({0});
  EXPECT_EQ(written.Close(), "copied");
}

TEST(FileCopyAttributesTest, AnExistingFileLosesItsAclToo) {
  Overwritten overwritten(AsUser(1, {.mode = true}), [](CopyScript*) {});
  CopyScript& copy = overwritten.copy;
  EXPECT_EQ(copy.Settle({0}), "at once setxattr fd8 system.posix_acl_access");
  EXPECT_EQ(copy.Settle({0}), "fchmod fd8 644");
}

TEST(FileCopyAttributesTest, WhereThereAreNoAclsARightModeIsNotSet) {
  for (const int error : {EOPNOTSUPP, ENOSYS, EINVAL, EBUSY}) {
    Overwritten overwritten(AsUser(1, {.mode = true}), [](CopyScript*) {});
    overwritten.copy.Settle({0});
    EXPECT_EQ(overwritten.copy.Settle({-error}), "close fd8 = close fd7");
  }
}

TEST(FileCopyAttributesTest, AnAclThatCanNotBeReplacedFails) {
  Overwritten overwritten(AsUser(1, {.mode = true}), [](CopyScript*) {});
  CopyScript& copy = overwritten.copy;
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({-EIO}), "fchmod fd8 604");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "failed: chmod T EIO");
}

// The group's bits are the mask for everybody whom the list names.
TEST(FileCopyAttributesTest, AfterAnAclCouldNotBeReplacedItsMaskIsClosed) {
  Written written(AsUser(1, {.mode = true}), [](CopyScript*) {},
                  {.target_default_acl = 0777});
  CopyScript& copy = written.copy;
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({-EPERM}), "fchmod fd9 604");
  EXPECT_EQ(copy.Settle({0}), "close fd9");
  EXPECT_EQ(copy.Settle({0}), "failed: chmod T EPERM");
}

TEST(FileCopyAttributesTest, WithoutModeToKeepAclsAreNotAskedFor) {
  Written written(AsUser(0, {.ownership = true}), [](CopyScript*) {},
                  {.target_default_acl = 0777});
  EXPECT_EQ(written.whole.substr(0, 17), "open T new 600>s0");
  EXPECT_EQ(written.copy.Settle({0}), "close fd9");
}

// --- Other extended attributes ---

// A copy of a source of mode 0444 that has one attribute, up to what follows when its
// target, which is open as descriptor 9, has been written.
std::string CopyUpToAttribute(CopyScript* copy) {
  copy->names = absl::StrCat("user.a", kNul);
  copy->value = "v";
  copy->source_stat.stx_mode = S_IFREG | 0444;
  copy->LookAtSource();
  // An ordinary user may set an attribute only of what they may write to.
  EXPECT_EQ(copy->Settle({static_cast<int32_t>(copy->names.size())}),
            "open T new 644>fd");
  copy->target_fd_stat.stx_mode = S_IFREG | 0644;
  EXPECT_EQ(copy->Settle({9}), "write fd9 100@0");
  return copy->Settle({100});
}

TEST(FileCopyAttributesTest, AttributesAreCopiedOneByOneWhileTheSourceIsOpen) {
  CopyScript copy({.policy = AsUser(1, {.xattrs = Xattrs::kRequired})});
  EXPECT_EQ(CopyUpToAttribute(&copy), "at once fstat fd9");
  EXPECT_EQ(copy.Settle({0}), "at once getxattr fd7 user.a");
  EXPECT_EQ(copy.Settle({1}), "at once setxattr fd9 user.a");
  // What the owner was lent for it is taken away.
  EXPECT_EQ(copy.Settle({0}), "fchmod fd9 444");
  EXPECT_EQ(copy.Settle({0}), "close fd9 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_TRUE(copy.copy().xattr_failures().empty());
}

TEST(FileCopyAttributesTest, AttributesThatAreRefusedAreToldAsTheOptionsSay) {
  for (const Xattrs xattrs : {Xattrs::kTried, Xattrs::kReported, Xattrs::kRequired}) {
    CopyScript copy({.policy = AsUser(1, {.xattrs = xattrs})});
    CopyUpToAttribute(&copy);
    copy.Settle({0});
    copy.Settle({1});
    copy.Settle({-EPERM});
    copy.Settle({0});
    EXPECT_EQ(copy.Settle({0, 0}),
              xattrs == Xattrs::kRequired ? "failed: setxattr T EPERM" : "copied");
    EXPECT_EQ(copy.copy().xattr_failures().size(), xattrs == Xattrs::kReported ? 1u : 0u);
  }
}

TEST(FileCopyAttributesTest, AFileWithoutAttributesIsCopiedLikeAnyOther) {
  CopyScript copy({.policy = AsUser(1, {.xattrs = Xattrs::kTried})});
  EXPECT_EQ(copy.LookAtSource(), kListNames);
  EXPECT_EQ(copy.Settle({0}),
            "open T new 644>s0 - write s0 100@0 - close s0 = close fd7");
}

// --- Where the mode is not kept ---

TEST(FileCopyAttributesTest, WithoutModeToKeepSetIdBitsAreNotCopied) {
  CopyScript copy;
  copy.source_stat.stx_mode = S_IFREG | 06755;
  EXPECT_EQ(copy.LookAtSource(),
            "open T new 755>s0 - write s0 100@0 - close s0 = close fd7");
}

TEST(FileCopyAttributesTest, WithTheDefaultModeTheSourcesDoesNotMatter) {
  // Subtracted here, because below a default ACL the kernel ignores the umask.
  CopyScript copy({.policy = {.preserve = {}, .default_mode = true, .umask = 027}});
  copy.source_stat.stx_mode = S_IFREG | 0700;
  EXPECT_EQ(copy.LookAtSource().substr(0, 17), "open T new 640>s0");
}

}  // namespace
}  // namespace ringcp

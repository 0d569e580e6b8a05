// The state machine of one file's copy where its mode, owner or times are kept;
// copy_script.h explains the notation.

#include <sys/stat.h>

#include <cerrno>
#include <functional>
#include <string>

#include "core/file_copy.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"

namespace ringcp {
namespace {

constexpr int kCancelled = -ECANCELED;
constexpr Preserve kAll = {.mode = true, .ownership = true, .timestamps = true};

// Runs a copy of one block with attributes up to where they are set: `next` is that. The
// target is new, belongs to user 1 and is open as descriptor 9.
struct Written {
  explicit Written(
      const FileCopyPolicy& policy,
      const std::function<void(CopyScript*)>& made = [](CopyScript*) {})
      : copy({.policy = policy}) {
    made(&copy);
    copy.Start();
    whole = copy.Settle({0, 0});
    next = copy.Settle({0, 100, 100, 9, 0, 0});
  }
  CopyScript copy;
  std::string whole;
  std::string next;
};

// The same where the target exists, is user 1's, and keeps its slot.
struct Overwritten {
  explicit Overwritten(const FileCopyPolicy& policy,
                       const std::function<void(CopyScript*)>& made)
      : copy({.policy = policy}) {
    made(&copy);
    copy.Start();
    copy.Settle({0, 0});
    copy.Settle({-EEXIST, kCancelled, kCancelled, kCancelled, kCancelled, kCancelled});
    copy.Settle({0, 0});
    copy.Settle({0});
    EXPECT_EQ(copy.Settle({100, 100}), "install s1");
    next = copy.Settle({9});
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
            "open T new 644>s1 - read s0 100@0 - write s1 100@0 - install s1 - close s1"
            " = close s0");
  CopyScript& copy = written.copy;
  EXPECT_EQ(written.next, "fstat fd9");
  EXPECT_EQ(copy.Settle({0}), "futimens fd9 11 22");
  EXPECT_EQ(copy.Settle({0}), "close fd9");
  EXPECT_EQ(copy.Settle({0}), "copied");
}

TEST(FileCopyAttributesTest, TimesOwnerAndModeAreSetInThatOrder) {
  Written written(AsUser(0), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->source_stat.stx_gid = 6;
    copy->target_fd_stat.stx_mode = S_IFREG | 0600;
  });
  // Nobody but the owner may look into it before it has its owner.
  EXPECT_EQ(written.whole.substr(0, 17), "open T new 600>s1");
  CopyScript& copy = written.copy;
  EXPECT_EQ(written.next, "fstat fd9");
  EXPECT_EQ(copy.Settle({0}), "futimens fd9 11 22");
  EXPECT_EQ(copy.Settle({0}), "fchown fd9 5:6");
  EXPECT_EQ(copy.Settle({0}), "fchmod fd9 644");
  EXPECT_EQ(copy.Settle({0}), "close fd9");
  EXPECT_EQ(copy.Settle({0}), "copied");
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

TEST(FileCopyAttributesTest, WithOwnershipAloneTheModeIsThatOfTheUmask) {
  Written written(AsUser(0, {.ownership = true}), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->source_stat.stx_mode = S_IFREG | 0666;
    copy->target_fd_stat.stx_mode = S_IFREG | 0600;
  });
  EXPECT_EQ(written.copy.Settle({0}), "fchown fd9 5:1");
  EXPECT_EQ(written.copy.Settle({0}), "fchmod fd9 644");
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
      EXPECT_EQ(copy.Settle({-error}), "fchown fd9 -1:6");  // At least the group.
      EXPECT_EQ(copy.Settle({group_result}), "fchmod fd9 644");
      EXPECT_EQ(copy.Settle({0}), "close fd9");
      EXPECT_EQ(copy.Settle({0}), "copied");
    }
  }
}

TEST(FileCopyAttributesTest, AFileThatCouldNotBeGivenAwayLosesItsSetIdBits) {
  CopyScript copy({.policy = AsUser(1)});
  copy.source_stat.stx_uid = 5;
  copy.source_stat.stx_mode = S_IFREG | 06755;
  copy.target_fd_stat.stx_mode = S_IFREG | 0700;
  copy.Start();
  // A source that could lend its rights is looked at by descriptor.
  EXPECT_EQ(copy.Settle({0, 0}), "close s0");
  EXPECT_EQ(copy.Settle({0}), "open S>fd");
  EXPECT_EQ(copy.Settle({7}), "fstat fd7");
  EXPECT_EQ(copy.Settle({0}), "open T new 700>fd");
  EXPECT_EQ(copy.Settle({8}), "read fd7 100@0 - write fd8 100@0");
  EXPECT_EQ(copy.Settle({100, 100}), "fstat fd8");
  EXPECT_EQ(copy.Settle({0}), "futimens fd8 11 22");
  EXPECT_EQ(copy.Settle({0}), "fchown fd8 5:1");
  EXPECT_EQ(copy.Settle({-EPERM}), "fchown fd8 -1:1");
  EXPECT_EQ(copy.Settle({0}), "fchmod fd8 755");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
}

TEST(FileCopyAttributesTest, AChangeOfOwnerTakesSetIdBitsAwaySoTheModeIsSetBehindIt) {
  CopyScript copy({.policy = AsUser(0)});
  copy.source_stat.stx_uid = 5;
  copy.source_stat.stx_mode = S_IFREG | 04755;
  copy.target_fd_stat.stx_mode = S_IFREG | 04755;
  copy.OpenWithDescriptors();
  copy.Settle({100, 100});
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({0}), "fchown fd8 5:1");
  EXPECT_EQ(copy.Settle({0}), "fchmod fd8 4755");
}

TEST(FileCopyAttributesTest, ASourceReplacedBeforeItsSecondOpenIsRefused) {
  CopyScript copy({.policy = AsUser(0)});
  copy.source_stat.stx_mode = S_IFREG | 04755;
  copy.Start();
  copy.Settle({0, 0});
  copy.Settle({0});
  copy.source_stat.stx_mode = S_IFDIR | 0755;
  EXPECT_EQ(copy.Settle({7}), "fstat fd7");
  EXPECT_EQ(copy.Settle({0}), "close fd7");
  EXPECT_EQ(copy.Settle({0}), "source is other");
}

TEST(FileCopyAttributesTest, RootWhoMayNotGiveAwayHasFailed) {
  Written written(AsUser(0), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->target_fd_stat.stx_mode = S_IFREG | 0600;
  });
  CopyScript& copy = written.copy;
  copy.Settle({0});
  EXPECT_EQ(copy.Settle({0}), "fchown fd9 5:1");
  EXPECT_EQ(copy.Settle({-EPERM}), "fchown fd9 -1:1");
  EXPECT_EQ(copy.Settle({0}), "fchmod fd9 644");
  EXPECT_EQ(copy.Settle({0}), "close fd9");
  EXPECT_EQ(copy.Settle({0}), "failed: chown T EPERM");  // Complete, so it stays.
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

TEST(FileCopyAttributesTest, AFailedInstallIsTriedOnceMore) {
  CopyScript copy({.policy = AsUser(1)});
  copy.Start();
  copy.Settle({0, 0});
  EXPECT_EQ(copy.Settle({0, 100, 100, -EMFILE, kCancelled, kCancelled}), "install s1");
  EXPECT_EQ(copy.Settle({-EMFILE}), "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "failed: open T EMFILE");
}

TEST(FileCopyAttributesTest, AFailedCopySetsNoAttributes) {
  CopyScript copy({.policy = AsUser(1)});
  copy.Start();
  copy.Settle({0, 0});
  EXPECT_EQ(copy.Settle({0, 100, -ENOSPC, kCancelled, kCancelled, kCancelled}),
            "close s1 = close s0");
  EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
}

TEST(FileCopyAttributesTest, AnInstalledDescriptorIsClosedWhenClosingTheSlotFailed) {
  CopyScript copy({.policy = AsUser(1)});
  copy.Start();
  copy.Settle({0, 0});
  EXPECT_EQ(copy.Settle({0, 100, 100, 9, -EIO, 0}), "close fd9");
  EXPECT_EQ(copy.Settle({0}), "unlink T");
  EXPECT_EQ(copy.Settle({0}), "failed: close T EIO");
}

TEST(FileCopyAttributesTest, AnExistingFileIsClosedToOthersBeforeItIsGivenAway) {
  Overwritten overwritten(AsUser(0), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->target_fd_stat.stx_mode = S_IFREG | 0666;
  });
  CopyScript& copy = overwritten.copy;
  EXPECT_EQ(overwritten.next, "fstat fd9");
  EXPECT_EQ(copy.Settle({0}), "futimens fd9 11 22");
  EXPECT_EQ(copy.Settle({0}), "fchmod fd9 600");
  EXPECT_EQ(copy.Settle({0}), "fchown fd9 5:1");
  EXPECT_EQ(copy.Settle({0}), "fchmod fd9 644");
  EXPECT_EQ(copy.Settle({0}), "close s1 = close fd9 = close s0");
  EXPECT_EQ(copy.Settle({0, 0, 0}), "copied");
}

TEST(FileCopyAttributesTest, AnExistingFileKeepsItsModeWhenOnlyTheOwnerIsKept) {
  Overwritten overwritten(AsUser(0, {.ownership = true}), [](CopyScript* copy) {
    copy->source_stat.stx_uid = 5;
    copy->target_fd_stat.stx_mode = S_IFREG | 0640;
  });
  CopyScript& copy = overwritten.copy;
  EXPECT_EQ(copy.Settle({0}), "fchmod fd9 600");
  EXPECT_EQ(copy.Settle({0}), "fchown fd9 5:1");
  EXPECT_EQ(copy.Settle({0}), "fchmod fd9 640");
}

TEST(FileCopyAttributesTest, WithoutModeToKeepSetIdBitsAreNotCopied) {
  CopyScript copy;
  copy.source_stat.stx_mode = S_IFREG | 06755;
  copy.Start();
  EXPECT_EQ(copy.Settle({0, 0}),
            "open T new 755>s1 - read s0 100@0 - write s1 100@0 - close s1 = close s0");
}

TEST(FileCopyAttributesTest, WithTheDefaultModeTheSourcesDoesNotMatter) {
  CopyScript copy({.policy = {.preserve = {}, .default_mode = true}});
  copy.source_stat.stx_mode = S_IFREG | 0700;
  copy.Start();
  EXPECT_EQ(copy.Settle({0, 0}).substr(0, 17), "open T new 666>s1");
}

}  // namespace
}  // namespace ringcp

// Tests the state machine of one file's copy if the file may be cloned. copy_script.h
// explains the notation.

#include <cerrno>
#include <string>

#include "core/file/file_copy.h"
#include "core/kernel/file_system_table.h"
#include "gtest/gtest.h"
#include "tests/copy_script.h"
#include "tests/file_system_kinds.h"

namespace ringcp {
namespace {

using Means = ContentsRoute::Means;
using Holes = ContentsRoute::Holes;

struct Cloning {
  explicit Cloning(Reflink reflink, uint64_t size = 100,
                   CallsAtOnce calls_at_once = CallsAtOnce::kNone)
      : copy({.policy = Policy(reflink), .size = size, .calls_at_once = calls_at_once}) {}

  static FileCopyPolicy Policy(Reflink reflink) {
    FileCopyPolicy policy;
    policy.reflink = reflink;
    return policy;
  }

  // Copies a file with a new target up to the clone.
  std::string CloneIntoNew() {
    EXPECT_EQ(copy.Start(), "open S>fd");
    EXPECT_EQ(copy.Settle({7}), "at once fstat fd7");
    EXPECT_EQ(copy.Settle({0}), "open T new 644>fd");
    return copy.Settle({8});
  }

  // Copies a file over an existing one up to the opened target.
  std::string Overwrite() {
    copy.LookAtSource();
    EXPECT_EQ(copy.Settle({-EEXIST}), "lstat T - stat T");
    EXPECT_EQ(copy.Settle({0, 0}), "open T>fd");
    EXPECT_EQ(copy.Settle({8}), "at once fstat fd8");
    return copy.Settle({0});
  }

  // Removes the target that the copy made. Returns the outcome.
  std::string Remove(const std::string& next) {
    EXPECT_EQ(next, "fstat fd8 = lstat T");
    EXPECT_EQ(copy.Settle({0, 0}), "unlink T");
    EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
    return copy.Settle({0, 0});
  }

  CopyScript copy;
};

TEST(FileCopyCloneTest, AClonedFileIsNeitherReadNorWritten) {
  Cloning cloning(Reflink::kAuto);
  EXPECT_EQ(cloning.CloneIntoNew(), "clone fd7>fd8");
  EXPECT_EQ(cloning.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(cloning.copy.Settle({0, 0}), "copied");
  EXPECT_EQ(cloning.copy.counters().bytes_done.value(), 100);
  EXPECT_EQ(cloning.copy.route(),
            (ContentsRoute{Means::kUnknown, Means::kYes, Holes::kUnknown}));
}

TEST(FileCopyCloneTest, WithItsSourceInMemoryNothingIsWaitedFor) {
  Cloning cloning(Reflink::kAuto, 100, CallsAtOnce::kAll);
  EXPECT_EQ(cloning.copy.Start(), "at once open S>fd");
  EXPECT_EQ(cloning.copy.Settle({7}), "at once fstat fd7");
  EXPECT_EQ(cloning.copy.Settle({0}), "at once open T new 644>fd");
  EXPECT_EQ(cloning.copy.Settle({8}), "at once clone fd7>fd8");
  EXPECT_EQ(cloning.copy.Settle({0}), "at once close fd8 = at once close fd7");
  EXPECT_EQ(cloning.copy.Settle({0, 0}), "copied");
}

TEST(FileCopyCloneTest, AfterARefusalASmallFileIsStillCopiedAtOnce) {
  Cloning cloning(Reflink::kAuto, 100, CallsAtOnce::kAll);
  cloning.copy.LookAtSource();
  cloning.copy.Settle({8});
  EXPECT_EQ(cloning.copy.Settle({-EOPNOTSUPP}),
            "at once read fd7 100@0 - at once write fd8 100@0");
  EXPECT_EQ(cloning.copy.Settle({100, 100}), "at once read fd7 4096@100");
  EXPECT_EQ(cloning.copy.Settle({0}), "at once close fd8 = at once close fd7");
  EXPECT_EQ(cloning.copy.Settle({0, 0}), "copied");
}

TEST(FileCopyCloneTest, ALeaseOnTheSourceDoesNotStopTheThread) {
  Cloning cloning(Reflink::kAuto, 100, CallsAtOnce::kAll);
  EXPECT_EQ(cloning.copy.Start(), "at once open S>fd");
  EXPECT_EQ(cloning.copy.Settle({-EAGAIN}), "open S waiting>fd");
}

TEST(FileCopyCloneTest, WhereCloningIsImpossibleContentsAreCopied) {
  Cloning cloning(Reflink::kAuto);
  cloning.CloneIntoNew();
  EXPECT_EQ(cloning.copy.Settle({-EOPNOTSUPP}), "read fd7 100@0 - write fd8 100@0");
  EXPECT_EQ(cloning.copy.Settle({100, 100}), "at once read fd7 4096@100");
  EXPECT_EQ(cloning.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(cloning.copy.Settle({0, 0}), "copied");
  EXPECT_EQ(cloning.copy.route(),
            (ContentsRoute{Means::kAvoided, Means::kUnsupported, Holes::kNotSought}));
  // The next file is copied by its usual chain.
  EXPECT_EQ(cloning.copy.OpenSource(), "fstat fd7 - no pipe fd7 - read fd7 4096@0");
  EXPECT_EQ(cloning.copy.Settle({0, 100}),
            "open T new 644>s0 - write s0 100@0 - close s0 = close fd7");
}

TEST(FileCopyCloneTest, WhatWasReadBeforeItsFileSystemWasKnownIsNotUsedForAClone) {
  CopyScript copy({.policy = Cloning::Policy(Reflink::kAuto), .is_named_source = true});
  const FileSystem another(/*device=*/4711, LocalKind());
  copy.file_systems()->NoteCloneRefused(another, *copy.file_system());
  EXPECT_EQ(copy.OpenSource(), "fstat fd7 - no pipe fd7 - read fd7 4096@0");
  EXPECT_EQ(copy.Settle({0, 100}), "open T new 644>fd");
  EXPECT_EQ(copy.Settle({8}), "clone fd7>fd8");
  EXPECT_EQ(copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(copy.Settle({0, 0}), "copied");
  EXPECT_TRUE(copy.all_blocks_back());
}

TEST(FileCopyCloneTest, OneFileThatCanNotBeClonedSaysNothingAboutTheNext) {
  Cloning cloning(Reflink::kAuto);
  cloning.CloneIntoNew();
  EXPECT_EQ(cloning.copy.Settle({-EINVAL}), "read fd7 100@0 - write fd8 100@0");
  cloning.copy.Settle({100, 100});
  cloning.copy.Settle({0});
  cloning.copy.Settle({0, 0});
  EXPECT_EQ(cloning.CloneIntoNew(), "clone fd7>fd8");
}

TEST(FileCopyCloneTest, OnlyOnDemandAnEmptyFileIsCloned) {
  Cloning automatic(Reflink::kAuto, 0);
  EXPECT_EQ(automatic.copy.LookAtSource(), "read fd7 4096@0");
  Cloning always(Reflink::kAlways, 0);
  EXPECT_EQ(always.CloneIntoNew(), "clone fd7>fd8");
}

TEST(FileCopyCloneTest, OnDemandAFileThatCanNotBeClonedFails) {
  Cloning cloning(Reflink::kAlways);
  cloning.CloneIntoNew();
  EXPECT_EQ(cloning.Remove(cloning.copy.Settle({-EXDEV})), "failed: clone T EXDEV");
}

TEST(FileCopyCloneTest, OnDemandAnExistingTargetIsLostOnlyToAClone) {
  Cloning refused(Reflink::kAlways);
  EXPECT_EQ(refused.Overwrite(), "clone fd7>fd8");  // The target was not emptied.
  EXPECT_EQ(refused.copy.Settle({-EXDEV}), "close fd8 = close fd7");
  EXPECT_EQ(refused.copy.Settle({0, 0}), "failed: clone T EXDEV");

  // The target keeps its contents if they can't be the reason for the failure.
  for (const int trial : {-EINVAL, -EIO, -EPERM, -EDQUOT}) {
    Cloning failed(Reflink::kAlways);
    failed.Overwrite();
    EXPECT_EQ(failed.copy.Settle({trial}), "close fd8 = close fd7");
    EXPECT_EQ(failed.copy.Settle({0, 0}).substr(0, 15), "failed: clone T");
  }

  // EINVAL: the target is longer than the source, whose last block is incomplete.
  for (const int trial : {0, -EINVAL, -ENOSPC}) {
    Cloning cloned(Reflink::kAlways);
    cloned.copy.target_fd_stat.stx_size = 101;
    cloned.Overwrite();
    EXPECT_EQ(cloned.copy.Settle({trial}), "at once set size fd8 0");
    EXPECT_EQ(cloned.copy.Settle({0}), "clone fd7>fd8");
    EXPECT_EQ(cloned.copy.Settle({0}), "close fd8 = close fd7");
    EXPECT_EQ(cloned.copy.Settle({0, 0}), "copied");
  }
}

TEST(FileCopyCloneTest, ARefusalByATargetElsewhereSaysNothingAboutTheOthers) {
  Cloning cloning(Reflink::kAuto);
  EXPECT_EQ(cloning.Overwrite(), "at once set size fd8 0");
  EXPECT_EQ(cloning.copy.Settle({0}), "clone fd7>fd8");
  EXPECT_EQ(cloning.copy.Settle({-EXDEV}), "read fd7 100@0 - write fd8 100@0");
  EXPECT_TRUE(
      cloning.copy.file_systems()->MayClone(nullptr, *cloning.copy.file_system()));
}

TEST(FileCopyCloneTest, ACloneThatFailsAfterTheTrialLeavesTheTargetEmpty) {
  Cloning cloning(Reflink::kAlways);
  cloning.Overwrite();
  cloning.copy.Settle({0});
  cloning.copy.Settle({0});
  EXPECT_EQ(cloning.copy.Settle({-EIO}), "at once set size fd8 0");
  EXPECT_EQ(cloning.copy.Settle({0}), "close fd8 = close fd7");
  EXPECT_EQ(cloning.copy.Settle({0, 0}), "failed: clone T EIO");
}

}  // namespace
}  // namespace ringcp

// Tests which ops the copy of a pipe, device or link takes, and what happens if the
// kernel refuses one.

#include "core/file/node_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file_error.h"
#include "core/file/copy_policy.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/op.h"
#include "gtest/gtest.h"
#include "tests/file_system_kinds.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"
#include "tests/watched_kernel.h"

namespace ringcp {
namespace {

class NodeCopyTest : public testing::Test {
 protected:
  NodeResult Copy(const char* source_name, const char* target_name) {
    policy_.kernel = &kernel_;
    policy_.user = geteuid();
    policy_.preserve = {.mode = true, .ownership = true, .timestamps = true};
    const int directory =
        open(scratch_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const FileCopyNames names = {.source_directory = directory,
                                 .source = source_name,
                                 .target_directory = directory,
                                 .target = target_name,
                                 .target_default_acl = std::nullopt,
                                 .target_group = getegid(),
                                 .target_file_system = &local_};
    NodeSource source(&kernel_);
    EXPECT_EQ(source.Open(names), 0);
    kernel_.kinds.clear();
    NodeResult result = CopyNode(policy_, names, source);
    asked_ = kernel_.kinds;
    close(directory);
    return result;
  }

  struct stat Stat(const char* name) const {
    struct stat stat = {};
    EXPECT_EQ(lstat(scratch_.Path(name).c_str(), &stat), 0);
    return stat;
  }

  ScratchDirectory scratch_;
  FileSystem local_{/*device=*/0, LocalKind()};
  WatchedKernel kernel_;
  FileCopyPolicy policy_;
  std::vector<OpKind> asked_;  // By CopyNode().
};

TEST_F(NodeCopyTest, ANodeWithTheRightOwnerAndModeIsLookedAtOnlyOneTime) {
  PrepareWithShell(scratch_.path(), "mkfifo -m 644 p");
  EXPECT_EQ(Copy("p", "t").outcome, NodeOutcome::kCopied);
  EXPECT_EQ(asked_, (std::vector{OpKind::kListXattrs, OpKind::kMakeNode, OpKind::kOpenAt,
                                 OpKind::kStatx, OpKind::kSetTimes, OpKind::kClose}));
}

// GNU cp does so, too, even where the failure is an error.
TEST_F(NodeCopyTest, WhereTheOwnerIsRefusedTheGroupIsTried) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give a file away";
  PrepareWithShell(scratch_.path(), "mkfifo -m 644 p; chown 5:6 p");
  kernel_.fault = [](const Op& op) {
    const bool is_owner =
        op.kind == OpKind::kSetOwner && op.owner.user != static_cast<uid_t>(-1);
    return is_owner ? EPERM : 0;
  };
  const NodeResult result = Copy("p", "t");
  EXPECT_EQ(result.outcome, NodeOutcome::kFailed);
  EXPECT_EQ(result.failure.operation, Operation::kSetOwner);
  EXPECT_EQ(result.failure.error_number, EPERM);
  const struct stat target = Stat("t");
  EXPECT_EQ(target.st_uid, 0u);
  EXPECT_EQ(target.st_gid, 6u);
  // What was withheld until the node has its owner stays withheld.
  EXPECT_EQ(target.st_mode, mode_t{S_IFIFO | 0600});
}

// Which file was made, no call says. One that has a name elsewhere is none.
TEST_F(NodeCopyTest, WhatSomebodyElseHasPutThereMeanwhileIsNotGivenAway) {
  PrepareWithShell(scratch_.path(), "mkfifo -m 600 p mine; ln mine other");
  kernel_.change = [this](Op* op) {
    if (op->kind != OpKind::kOpenAt || op->open.name != std::string_view("t")) return;
    EXPECT_EQ(rename(scratch_.Path("mine").c_str(), scratch_.Path("t").c_str()), 0);
  };
  const struct stat before = Stat("other");
  PrepareWithShell(scratch_.path(), "chmod 666 p; touch -d 2001-02-03 p");
  const NodeResult result = Copy("p", "t");
  EXPECT_EQ(result.outcome, NodeOutcome::kFailed);
  EXPECT_EQ(result.failure.refusal, Refusal::kTargetReplaced);
  const struct stat after = Stat("other");
  EXPECT_EQ(after.st_mode, before.st_mode);
  EXPECT_EQ(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
}

TEST_F(NodeCopyTest, ALinksTextIsWholeHoweverLongItIs) {
  for (const size_t size : {1, 255, 256, 257, 4095}) {
    const std::string text(size, 'x');
    const std::string source = absl::StrCat("s", size);
    const std::string target = absl::StrCat("t", size);
    ASSERT_EQ(symlink(text.c_str(), scratch_.Path(source).c_str()), 0);
    EXPECT_EQ(Copy(source.c_str(), target.c_str()).outcome, NodeOutcome::kCopied);
    EXPECT_EQ(std::filesystem::read_symlink(scratch_.Path(target)), text);
  }
}

}  // namespace
}  // namespace ringcp

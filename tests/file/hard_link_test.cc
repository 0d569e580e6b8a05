// What a further name of a copied file may take the place of.

#include "core/file/hard_link.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>

#include "core/base/file_error.h"
#include "core/file/copy_policy.h"
#include "core/file/target_decision.h"
#include "core/kernel/op.h"
#include "gtest/gtest.h"
#include "tests/scratch_directory.h"
#include "tests/watched_kernel.h"

namespace ringcp {
namespace {

// "copy" is to have a further name, "t", which an old file has.
class HardLinkTest : public testing::Test {
 protected:
  HardLinkTest() {
    scratch_.WriteFile("copy", "new");
    scratch_.WriteFile("t", "old");
  }

  NodeResult Make(CopyKind kind = CopyKind::kContents) {
    const int directory =
        open(scratch_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FileCopyPolicy policy;
    policy.kernel = &kernel_;
    FileCopyNames names;
    names.source_directory = names.target_directory = directory;
    names.source = names.target = "t";
    CopiedFile copied;
    copied.kind = kind;
    copied.directory = directory;
    copied.name = "copy";
    NodeResult result = MakeHardLink(policy, names, copied);
    close(directory);
    return result;
  }

  ScratchDirectory scratch_;
  WatchedKernel kernel_;
};

TEST_F(HardLinkTest, ItTakesAnOldFilesPlace) {
  EXPECT_EQ(Make().outcome, NodeOutcome::kCopied);
  EXPECT_TRUE(std::filesystem::equivalent(scratch_.Path("copy"), scratch_.Path("t")));
}

TEST_F(HardLinkTest, WhatSomebodyElseHasPutThereMeanwhileIsLeft) {
  scratch_.WriteFile("theirs", "precious");
  kernel_.change = [this](Op* op) {
    const bool is_first =
        op->kind == OpKind::kMakeLink && op->two_names.name != std::string_view("t");
    if (!is_first) return;
    EXPECT_EQ(rename(scratch_.Path("theirs").c_str(), scratch_.Path("t").c_str()), 0);
  };
  const NodeResult result = Make();
  EXPECT_EQ(result.outcome, NodeOutcome::kFailed);
  EXPECT_EQ(result.failure.operation, Operation::kMakeHardLink);
  EXPECT_EQ(result.failure.error_number, EEXIST);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t")), "precious");
  // Nor does a temporary name stay.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch_.path()), {}), 2);
}

TEST_F(HardLinkTest, ATemporaryNameThatCanNotBeRemovedIsTold) {
  std::string temporary;
  kernel_.change = [&](Op* op) {
    if (op->kind != OpKind::kUnlinkAt) return;
    temporary = op->name.name;
    op->name.flags = AT_REMOVEDIR;  // Which it is not.
    EXPECT_EQ(link(scratch_.Path("t").c_str(), scratch_.Path(temporary).c_str()), 0);
  };
  const NodeResult result = Make();
  EXPECT_EQ(result.outcome, NodeOutcome::kCopied);
  EXPECT_NE(temporary, "");
  EXPECT_EQ(result.left_behind, temporary);
  EXPECT_EQ(result.left_behind_error, ENOTDIR);
}

TEST_F(HardLinkTest, WhereAllInodeNumbersAreOneAnotherFileIsNotTakenForTheCopy) {
  kernel_.told = [](const Op& op) {
    if (op.kind == OpKind::kStatx) op.stat.result->stx_ino = 7;
  };
  EXPECT_EQ(Make().outcome, NodeOutcome::kCopied);
  EXPECT_TRUE(std::filesystem::equivalent(scratch_.Path("copy"), scratch_.Path("t")));
}

// It may be gone by now, and there would be neither then.
TEST_F(HardLinkTest, WhereTheCopyCanNotBeLookedAtTheOldFileStays) {
  kernel_.fault = [](const Op& op) {
    return op.kind == OpKind::kStatx && op.stat.name == std::string_view("copy") ? EIO
                                                                                 : 0;
  };
  for (const CopyKind kind : {CopyKind::kContents, CopyKind::kNode}) {
    const NodeResult result = Make(kind);
    EXPECT_EQ(result.outcome, NodeOutcome::kFailed);
    EXPECT_EQ(result.failure.error_number, EIO);
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("t")), "old");
  }
}

}  // namespace
}  // namespace ringcp

// A stream's copy, step by step, beside other copies into its target.

#include "core/file/stream_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>

#include "core/base/engine_counters.h"
#include "core/file/copy_policy.h"
#include "core/file/target_claims.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/op.h"
#include "gtest/gtest.h"
#include "tests/scratch_directory.h"
#include "tests/system_kernel.h"
#include "tests/watched_kernel.h"

namespace ringcp {
namespace {

constexpr std::string_view kText = "what comes out of the pipe";

// Copies "pipe", in which is kText, to "t".
class StreamCopyTest : public testing::Test {
 protected:
  StreamCopyTest()
      : directory_(open(scratch_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    pipe_ = open(scratch_.MakeFifo("pipe").c_str(), O_RDWR | O_CLOEXEC);
    EXPECT_EQ(write(pipe_, kText.data(), kText.size()),
              static_cast<ssize_t>(kText.size()));
    policy_.kernel = &kernel_;
    policy_.claims = &desk_;
    names_.source_directory = names_.target_directory = directory_;
    names_.source = "pipe";
    names_.follow_source = names_.follows_links_here = true;
    names_.target = "t";
    policy_.file_systems = &file_systems_;
    names_.target_file_system =
        file_systems_.Find(SystemKernel(), directory_, Stat(".").st_dev);
  }
  ~StreamCopyTest() override {
    ClosePipe();
    close(directory_);
  }

  struct stat Stat(const char* name) const {
    struct stat stat = {};
    EXPECT_EQ(fstatat(directory_, name, &stat, AT_SYMLINK_NOFOLLOW), 0);
    return stat;
  }
  std::string Contents() const { return ReadFileOrNone(scratch_.Path("t")); }

  void ClosePipe() {
    if (pipe_ >= 0) close(pipe_);
    pipe_ = -1;
  }
  // Goes on until the copy has ended; its pipe ends once it is open.
  void RunToItsEnd(StreamCopy* copy) {
    for (bool has_ended = false; !has_ended; ClosePipe()) has_ended = copy->Step();
  }

  // Tries to claim the file that has the name "t" by now for another copy.
  bool ClaimForAnother() {
    const struct stat stat = Stat("t");
    return other_desk_.TryTake({.device = stat.st_dev,
                                .inode = stat.st_ino,
                                .file_system = names_.target_file_system},
                               names_.target_place(),
                               /*announces=*/false, &other_);
  }

  ScratchDirectory scratch_;
  const int directory_;
  int pipe_ = -1;
  WatchedKernel kernel_;
  FileSystemTable file_systems_;
  TargetClaims claims_;
  TargetClaims::Desk desk_{&claims_, &kernel_};
  TargetClaims::Desk other_desk_{&claims_, SystemKernel()};
  TargetClaims::Claim other_;
  FileCopyPolicy policy_;
  FileCopyNames names_;
  const std::atomic<bool> cancelled_ = false;
  EngineCounters counters_;
};

TEST_F(StreamCopyTest, ATargetThatAnotherCopyWritesToIsWaitedFor) {
  scratch_.WriteFile("t", "old");
  ASSERT_TRUE(ClaimForAnother());
  StreamCopy copy(policy_, names_, cancelled_, &counters_);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(copy.Step());
    EXPECT_EQ(copy.waiting().file, FileRef());
    EXPECT_EQ(Contents(), "old");
  }
  other_desk_.Release(&other_);
  RunToItsEnd(&copy);
  EXPECT_EQ(copy.outcome(), StreamCopy::Outcome::kCopied);
  EXPECT_EQ(Contents(), kText);
}

TEST_F(StreamCopyTest, WhatTookItsNameMeanwhileIsNotWrittenTo) {
  scratch_.WriteFile("t", "old");
  scratch_.WriteFile("theirs", "precious");
  ASSERT_TRUE(ClaimForAnother());
  StreamCopy copy(policy_, names_, cancelled_, &counters_);
  EXPECT_FALSE(copy.Step());
  EXPECT_EQ(rename(scratch_.Path("theirs").c_str(), scratch_.Path("t").c_str()), 0);
  other_desk_.Release(&other_);
  RunToItsEnd(&copy);
  // Nobody would find what went into the file that is gone.
  EXPECT_EQ(copy.outcome(), StreamCopy::Outcome::kFailed);
  EXPECT_EQ(copy.failure().refusal, Refusal::kTargetReplaced);
  EXPECT_EQ(Contents(), "precious");
}

TEST_F(StreamCopyTest, ANewTargetIsItsOwnUntilItIsClosed) {
  int tries = 0;
  kernel_.change = [&](Op* op) {
    if (op->kind != OpKind::kWrite) return;
    ++tries;
    EXPECT_FALSE(ClaimForAnother());
  };
  {
    StreamCopy copy(policy_, names_, cancelled_, &counters_);
    RunToItsEnd(&copy);
    EXPECT_EQ(copy.outcome(), StreamCopy::Outcome::kCopied);
  }
  EXPECT_EQ(tries, 1);
  EXPECT_TRUE(ClaimForAnother());
  other_desk_.Release(&other_);
}

// Whoever writes to a pipe that somebody opens and closes again is told that nobody reads
// any more, and what it has written is lost.
TEST_F(StreamCopyTest, APipeIsNotOpenedBeforeTheUserHasAgreed) {
  scratch_.WriteFile("t", "old");
  policy_.interactive = true;
  int opened = 0;
  kernel_.told = [&](const Op& op) { opened += op.kind == OpKind::kOpenAt ? 1 : 0; };
  StreamCopy asks(policy_, names_, cancelled_, &counters_);
  EXPECT_TRUE(asks.Step());
  EXPECT_EQ(asks.outcome(), StreamCopy::Outcome::kAsks);
  EXPECT_EQ(opened, 0);
  EXPECT_EQ(Contents(), "old");
  names_.may_replace = true;
  StreamCopy copy(policy_, names_, cancelled_, &counters_);
  RunToItsEnd(&copy);
  EXPECT_EQ(copy.outcome(), StreamCopy::Outcome::kCopied);
  EXPECT_EQ(Contents(), kText);
}

TEST_F(StreamCopyTest, WhatIsWrittenInPiecesIsWhole) {
  kernel_.change = [](Op* op) {
    if (op->kind == OpKind::kWrite) op->io.length = std::min(op->io.length, 3u);
  };
  StreamCopy copy(policy_, names_, cancelled_, &counters_);
  RunToItsEnd(&copy);
  EXPECT_EQ(copy.outcome(), StreamCopy::Outcome::kCopied);
  EXPECT_EQ(Contents(), kText);
}

TEST_F(StreamCopyTest, WhatCanNotBeStoredIsToldByItsClosingAndRemoved) {
  kernel_.fault = [](const Op& op) { return op.kind == OpKind::kClose ? ENOSPC : 0; };
  StreamCopy copy(policy_, names_, cancelled_, &counters_);
  RunToItsEnd(&copy);
  kernel_.fault = nullptr;
  EXPECT_EQ(copy.outcome(), StreamCopy::Outcome::kFailed);
  EXPECT_EQ(copy.failure().operation, Operation::kClose);
  EXPECT_EQ(copy.failure().error_number, ENOSPC);
  EXPECT_FALSE(Exists(scratch_.Path("t")));
}

}  // namespace
}  // namespace ringcp

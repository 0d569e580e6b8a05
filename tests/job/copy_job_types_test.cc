// Tests jobs on a source whose directories list wrong types, or none, for their entries.
// The type that a stat tells must count.

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/engine_test.h"
#include "tests/file_tree.h"
#include "tests/job_runner.h"
#include "tests/odd_mount.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class CopyJobTypesTest : public EngineTest {
 protected:
  // Mounts at `odd` what PrepareWithShell() made in `backing`. False if that fails.
  bool Mount(const std::vector<std::string>& oddities) {
    odd_.reset();  // Unmounts the previous one first.
    odd_ = std::make_unique<OddMount>(scratch_.Path("backing"), scratch_.Path("odd"),
                                      oddities);
    return odd_->why_not().empty();
  }

  // Makes files of every kind, some at the end of the walk, some deep in the tree.
  void MakeTree() const {
    PrepareWithShell(
        scratch_.path(),
        "mkdir -p odd backing/s/sub/deep/empty backing/s/other; cd backing/s;"
        " for i in $(seq 40); do echo $i >f$i; done;"
        " seq 100000 >sub/large; ln sub/large other/same; mkfifo sub/fifo;"
        " ln -s f1 link; ln -s ../sub/deep other/to_deep; echo x >sub/deep/x;"
        " echo y >other/y");
  }

  std::unique_ptr<OddMount> odd_;
};

constexpr const char* kLies[] = {
    "list-directory-as-fifo", "list-directory-as-file", "list-directory-as-link",
    "list-file-as-directory", "list-file-as-link",      "list-file-as-fifo",
    "list-link-as-file",      "list-link-as-directory", "list-link-as-fifo",
    "list-fifo-as-file",      "list-fifo-as-directory", "list-directory-as-unknown",
    "list-file-as-unknown",   "list-link-as-unknown",   "list-fifo-as-link",
};

TEST_P(CopyJobTypesTest, WhateverTypesAreListedTheCopyIsOfWhatIsThere) {
  MakeTree();
  const std::vector<std::string> expected = ListFileTree(scratch_.Path("backing/s"));
  for (const char* lie : kLies) {
    SCOPED_TRACE(lie);
    if (!Mount({lie})) GTEST_SKIP() << odd_->why_not();
    const std::string target = absl::StrCat("t-", lie);
    const JobRun run = RunJob(Request({"odd/s"}, target, "a"));
    EXPECT_EQ(run.Messages(), "");
    EXPECT_EQ(DifferenceOfTrees(expected, ListFileTree(scratch_.Path(target))), "");
    EXPECT_EQ(run.progress.files_done, 47);
    EXPECT_EQ(run.progress.files_total, 47);
    EXPECT_EQ(run.progress.directories_done, 5);
  }
}

TEST_P(CopyJobTypesTest, LinksAreFollowedWhateverTypesAreListed) {
  MakeTree();
  PrepareWithShell(scratch_.path(), "rm backing/s/sub/fifo; cp -rL backing/s expected");
  const std::vector<std::string> expected = ListFileTree(scratch_.Path("expected"));
  for (const char* lie : kLies) {
    SCOPED_TRACE(lie);
    if (!Mount({lie})) GTEST_SKIP() << odd_->why_not();
    const std::string target = absl::StrCat("t-", lie);
    EXPECT_EQ(RunJob(Request({"odd/s"}, target, "rL")).Messages(), "");
    EXPECT_EQ(DifferenceOfTrees(expected, ListFileTree(scratch_.Path(target))), "");
  }
}

TEST_P(CopyJobTypesTest, ADeviceThatIsMountedOverAFileIsCopiedAsADevice) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a device";
  PrepareWithShell(scratch_.path(), "mkdir s; echo x >s/f; echo x >s/masked");
  const CopyRequest request = Request({"s"}, "t", "a");
  const std::string result = InChildProcess([&]() -> std::string {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("/dev/null", scratch_.Path("s/masked").c_str(), nullptr, MS_BIND,
              nullptr) != 0) {
      return absl::StrCat("cannot mount: ", std::strerror(errno));
    }
    return RunJob(request).Messages();
  });
  if (result.starts_with("cannot mount")) GTEST_SKIP() << result;
  EXPECT_EQ(result, "");
  struct stat stat = {};
  ASSERT_EQ(lstat(scratch_.Path("t/masked").c_str(), &stat), 0);
  EXPECT_TRUE(S_ISCHR(stat.st_mode));
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/f")), "x\n");
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobTypesTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

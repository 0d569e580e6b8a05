// Tests jobs that may have few files open, because of `ulimit -n` or of whoever runs
// them. Trees that are deeper than that must be copied, too.

#include <sys/resource.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/engine_test.h"
#include "tests/file_tree.h"
#include "tests/job_runner.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class CopyJobFilesTest : public EngineTest {
 protected:
  static constexpr int kDepth = 60;

  // Each level has some files, an empty and a filled directory, and a link to a file of
  // the level above. All directories have times to be kept.
  void MakeTree() const {
    PrepareWithShell(
        scratch_.path(),
        absl::StrCat(
            "mkdir tree; cd tree; echo x >up; i=0; while [ $i -lt ", kDepth,
            " ]; do echo $i >a; echo $i >z; mkdir 0 full; echo y >full/y;"
            " mkdir m; ln up m/up; cd m; i=$((i + 1)); done; echo z >bottom; cd ",
            scratch_.path(),
            "; find tree -depth -type d -exec touch -d 2001-02-03 {} +"));
  }

  // Runs `request` in a process that may have at most `files_max` files open. Returns ""
  // if all went well.
  static std::string RunWithFiles(const CopyRequest& request, rlim_t files_max,
                                  const JobResources& resources = {}) {
    return InChildProcess([&]() -> std::string {
      const rlimit files = {.rlim_cur = files_max, .rlim_max = files_max};
      if (setrlimit(RLIMIT_NOFILE, &files) != 0) return "setrlimit";
      return RunJob(request, {}, resources).Messages();
    });
  }
};

TEST_P(CopyJobFilesTest, ATreeMayBeDeeperThanFilesMayBeOpen) {
  MakeTree();
  const std::vector<std::string> expected = ListFileTree(scratch_.Path("tree"));
  for (const int files_max : {16, 32, 64}) {
    SCOPED_TRACE(files_max);
    const std::string target = absl::StrCat("a", files_max);
    EXPECT_EQ(RunWithFiles(Request({"tree"}, target, "a"), files_max), "");
    EXPECT_EQ(DifferenceOfTrees(expected, ListFileTree(scratch_.Path(target))), "");
  }
}

TEST_P(CopyJobFilesTest, WithoutAttributesToSetNothingIsOpenedForThem) {
  MakeTree();
  EXPECT_EQ(RunWithFiles(Request({"tree"}, "target", "rd"), /*files_max=*/16), "");
  PrepareWithShell(scratch_.path(), "diff -r tree target");
}

TEST_P(CopyJobFilesTest, ADirectoryThatWasClosedIsReadOnWhereItWasLeft) {
  // Each directory is more than one piece, with the next directory among its entries.
  PrepareWithShell(scratch_.path(),
                   "mkdir tree; cd tree; for i in $(seq 4); do"
                   "   seq -f %030.0f 1500 | xargs touch;"
                   "   mkdir m; cd m; done; echo x >bottom");
  EXPECT_EQ(RunWithFiles(Request({"tree"}, "target", "r"), /*files_max=*/16), "");
  PrepareWithShell(scratch_.path(), "diff -r tree target");
}

TEST_P(CopyJobFilesTest, AJobMayBeGivenLessThanTheProcessMayHave) {
  MakeTree();
  const std::vector<std::string> expected = ListFileTree(scratch_.Path("tree"));
  // Both jobs together, and what the test has open, just fit: one more file would fail.
  const std::string result = InChildProcess([&]() -> std::string {
    const rlimit files = {.rlim_cur = 44, .rlim_max = 44};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) return "setrlimit";
    std::string other;
    JobHooks hooks;
    hooks.meanwhile = [&](CopyJob*) {
      other = RunJob(Request({"tree"}, "second", "a"), {}, {.files_max = 18}).Messages();
    };
    return RunJob(Request({"tree"}, "first", "a"), hooks, {.files_max = 18}).Messages() +
           other;
  });
  EXPECT_EQ(result, "");
  for (const char* target : {"first", "second"}) {
    EXPECT_EQ(DifferenceOfTrees(expected, ListFileTree(scratch_.Path(target))), "");
  }
}

TEST_P(CopyJobFilesTest, WhereThereIsNoRoomForARingTheReasonIsTold) {
  PrepareWithShell(scratch_.path(), "mkdir -p tree/sub; echo x >tree/sub/file");
  CopyRequest request = Request({"tree"}, "target", "r");
  request.options.engine = EngineChoice::kAuto;
  const JobRun run = RunJob(request, {}, {.files_max = 11});
  EXPECT_EQ(run.Messages(), "");
  EXPECT_EQ(run.report.engine, "threads");
  EXPECT_EQ(
      run.report.reason,
      "no more than 11 files may be open, which leaves none for a ring (ulimit -n)");
  EXPECT_EQ(run.report.workers, 1);
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobFilesTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

// Jobs on file systems where calls wait for somebody: many are under way at a time.

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/copy_options.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/engine_test.h"
#include "tests/job_runner.h"
#include "tests/odd_mount.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class CopyJobWaitingTest : public EngineTest {};

// One worker alone has to set the times of two files at the same time, for each of them.
TEST_P(CopyJobWaitingTest, TimesOfSeveralFilesAreSetAtATime) {
  constexpr int kFiles = 26;  // An even number.
  scratch_.MakeDirectory("source");
  for (int i = 0; i < kFiles; ++i) {
    scratch_.WriteFile(absl::StrCat("source/file", i), "contents");
  }
  scratch_.MakeDirectory("backing");
  const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                     {"times-in-pairs", "only=file"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  CopyRequest request = Request({"source"}, "odd/target", "rp");
  request.options.tuning.workers = 1;
  const JobRun run = RunJob(request);
  EXPECT_EQ(run.Messages(), "");
  EXPECT_EQ(run.progress.files_done, kFiles);
}

// Nor is one directory after the other opened.
TEST_P(CopyJobWaitingTest, SeveralDirectoriesAreReadAtATime) {
  constexpr int kDirectories = 26;  // An even number.
  scratch_.MakeDirectory("backing");
  scratch_.MakeDirectory("backing/source");
  for (int i = 0; i < kDirectories; ++i) {
    const std::string directory = absl::StrCat("backing/source/directory", i);
    scratch_.MakeDirectory(directory);
    scratch_.WriteFile(absl::StrCat(directory, "/file"), "contents");
  }
  const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                     {"lists-in-pairs", "only=directory"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  CopyRequest request = Request({"odd/source"}, "target", "rp");
  request.options.tuning.workers = 1;
  const JobRun run = RunJob(request);
  EXPECT_EQ(run.Messages(), "");
  EXPECT_EQ(run.progress.files_done, kDirectories);
}

// The engine of plain calls makes one at a time.
INSTANTIATE_TEST_SUITE_P(Rings, CopyJobWaitingTest,
                         testing::Values(EngineChoice::kAuto, EngineChoice::kUring),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

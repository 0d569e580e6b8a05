// Tests the progress that a job reports while it runs and when it has ended.

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/engine_test.h"
#include "tests/job_runner.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class CopyJobProgressTest : public EngineTest {};

TEST_P(CopyJobProgressTest, AtTheEndTheTotalsAreTheTruth) {
  scratch_.MakeDirectory("tree");
  int64_t bytes = 0;
  for (int i = 0; i < 300; ++i) {
    if (i % 100 == 0) scratch_.MakeDirectory(absl::StrCat("tree/", i / 100));
    const size_t size = static_cast<size_t>(i) * 1000;
    bytes += static_cast<int64_t>(size);
    scratch_.WriteFile(absl::StrCat("tree/", i / 100, "/", i), std::string(size, 'x'));
  }
  ASSERT_EQ(symlink("nowhere", scratch_.Path("tree/link").c_str()), 0);
  scratch_.MakeFifo("tree/fifo");
  const JobRun run = RunJob(Request({"tree"}, "target", "r"));
  EXPECT_TRUE(run.succeeded()) << run.Messages();
  EXPECT_EQ(run.progress.bytes_done, bytes);
  EXPECT_EQ(run.progress.bytes_total, bytes);
  EXPECT_EQ(run.progress.files_done, 302);
  EXPECT_EQ(run.progress.files_total, 302);
  EXPECT_EQ(run.progress.directories_done, 4);
  EXPECT_EQ(run.progress.files_skipped, 0);
  EXPECT_EQ(run.progress.files_failed, 0);
  EXPECT_TRUE(run.progress.scan_complete);
  EXPECT_EQ(run.report.files, 302);
  EXPECT_EQ(run.copied.size(), 306u);
}

TEST_P(CopyJobProgressTest, SkippedAndFailedFilesAreCountedAsSuch) {
  scratch_.MakeDirectory("tree");
  for (const char* name : {"a", "b", "c"}) {
    scratch_.WriteFile(absl::StrCat("tree/", name), "new");
  }
  scratch_.MakeDirectory("target");
  scratch_.WriteFile("target/a", "old");
  JobRun run = RunJob(Request({"tree"}, "target", "rnT"));
  EXPECT_TRUE(run.succeeded()) << run.Messages();
  EXPECT_EQ(run.progress.files_skipped, 1);
  EXPECT_EQ(run.progress.files_done, 2);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target/a")), "old");

  scratch_.MakeDirectory("other");
  scratch_.MakeDirectory("other/b");
  run = RunJob(Request({"tree"}, "other", "rT"));
  EXPECT_EQ(run.result.outcome, JobResult::Outcome::kFailed);
  EXPECT_EQ(run.progress.files_failed, 1);
  EXPECT_EQ(run.progress.files_done, 2);
}

TEST_P(CopyJobProgressTest, ItNeverGoesBackOrBeyondTheTotal) {
  scratch_.MakeDirectory("tree");
  for (int i = 0; i < 20; ++i) {
    scratch_.WriteFile(absl::StrCat("tree/", i), std::string(2'000'000, 'x'));
  }
  Progress last;
  std::atomic<bool> ended = false;
  JobHooks hooks;
  hooks.on_copied = [&](CopyJob*, int count) { ended = ended || count == 21; };
  hooks.meanwhile = [&](CopyJob* job) {
    while (!ended) {
      const Progress now = job->progress();
      EXPECT_GE(now.bytes_done, last.bytes_done);
      EXPECT_GE(now.files_done, last.files_done);
      EXPECT_GE(now.files_total, last.files_total);
      EXPECT_LE(now.bytes_done, now.bytes_total);
      last = now;
      if (testing::Test::HasFailure()) return;
    }
  };
  const JobRun run = RunJob(Request({"tree"}, "target", "r"), hooks);
  EXPECT_TRUE(run.succeeded()) << run.Messages();
  EXPECT_EQ(run.progress.bytes_done, 40'000'000);
}

TEST_P(CopyJobProgressTest, AFileWithoutASizeCountsWhatCameOutOfIt) {
  const JobRun run = RunJob(Request({"/proc/self/status"}, "target", ""));
  EXPECT_TRUE(run.succeeded()) << run.Messages();
  EXPECT_GT(run.progress.bytes_done, 0);
  EXPECT_EQ(run.progress.bytes_total, run.progress.bytes_done);
}

TEST_P(CopyJobProgressTest, AskingWhileALongJobEndsIsSafe) {
  // A job whose progress is asked for starts, after a while, to add up its sources, and
  // may end meanwhile. The pipe, which nobody reads, keeps the job running for as long as
  // the test wants.
  scratch_.MakeDirectory("tree");
  for (int i = 0; i < 200; ++i) scratch_.WriteFile(absl::StrCat("tree/", i), "x");
  scratch_.MakeDirectory("target");
  scratch_.MakeFifo("target/0");
  std::atomic<bool> ended = false;
  std::vector<std::thread> askers;
  JobHooks hooks;
  hooks.meanwhile = [&](CopyJob* job) {
    for (int i = 0; i < 3; ++i) {
      askers.emplace_back([&ended, job] {
        while (!ended) job->progress();
      });
    }
    while (!job->progress().scan_complete) std::this_thread::yield();
    job->Cancel();
    // Waits until the job's end shows: no time remains then.
    while (job->progress().time_remaining != absl::ZeroDuration()) {
      std::this_thread::yield();
    }
    ended = true;
    for (std::thread& asker : askers) asker.join();
  };
  const JobRun run = RunJob(Request({"tree"}, "target", "rT"), hooks);
  EXPECT_TRUE(run.cancelled());
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobProgressTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

// Tests that jobs that are cancelled end soon, and leave no half-written file.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/engine_test.h"
#include "tests/job_runner.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

// How long a cancelled job may take: a second, and much more for a busy machine.
constexpr absl::Duration kSoon = absl::Seconds(20);
// Far more than a job copies before it is cancelled.
constexpr off_t kLargeBytes = off_t{2} << 30;

class CopyJobCancelTest : public EngineTest {
 protected:
  // Makes a large file without writing it: its blocks are allocated and read as zeros.
  void MakeLargeFile(const std::string& name) const {
    const std::string path = scratch_.WriteFile(name, "");
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(posix_fallocate(fd, 0, kLargeBytes), 0);
    close(fd);
  }

  // Runs a job and cancels it as soon as `is_time` is true.
  JobRun RunAndCancel(const CopyRequest& request,
                      const std::function<bool(const Progress&)>& is_time) const {
    absl::Time cancelled_at;
    JobHooks hooks;
    hooks.meanwhile = [&](CopyJob* job) {
      while (!is_time(job->progress())) std::this_thread::yield();
      cancelled_at = absl::Now();
      job->Cancel();
    };
    JobRun run = RunJob(request, hooks);
    EXPECT_LT(absl::Now() - cancelled_at, kSoon);
    EXPECT_TRUE(run.cancelled()) << run.Messages();
    return run;
  }
};

// For a job that must not report anything.
class FailingObserver : public JobObserver {
 public:
  void OnError(const FileError& error) override { ADD_FAILURE() << error.message; }
  void OnWarning(std::string_view message) override { ADD_FAILURE() << message; }
};

bool HasCopiedBytes(const Progress& progress) { return progress.bytes_done > 0; }

TEST_P(CopyJobCancelTest, ALargeFileIsRemovedAgain) {
  MakeLargeFile("large");
  const JobRun run = RunAndCancel(Request({"large"}, "target", ""), HasCopiedBytes);
  EXPECT_FALSE(Exists(scratch_.Path("target")));
  EXPECT_LT(run.progress.bytes_done, kLargeBytes);
  EXPECT_FALSE(run.progress.scan_complete);
  EXPECT_TRUE(run.errors.empty()) << run.Messages();
}

TEST_P(CopyJobCancelTest, ALargeFileThatWasThereIsEmptied) {
  MakeLargeFile("large");
  scratch_.WriteFile("target", std::string(100'000, 'o'));
  RunAndCancel(Request({"large"}, "target", "p"), HasCopiedBytes);
  // The copy did not make this file, so it stays, but not half-written.
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target")), "");
  EXPECT_TRUE(Exists(scratch_.Path("target")));
}

TEST_P(CopyJobCancelTest, LargeFilesInATreeAreRemovedAgain) {
  scratch_.MakeDirectory("tree");
  for (int i = 0; i < 3; ++i) MakeLargeFile(absl::StrCat("tree/", i));
  RunAndCancel(Request({"tree"}, "target", "a"), HasCopiedBytes);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(Exists(scratch_.Path(absl::StrCat("target/", i))));
  }
}

TEST_P(CopyJobCancelTest, EachOfManyFilesIsWholeOrAbsent) {
  constexpr int kFiles = 1500;
  scratch_.MakeDirectory("tree");
  std::vector<std::string> contents;
  for (int i = 0; i < kFiles; ++i) {
    if (i % 50 == 0) scratch_.MakeDirectory(absl::StrCat("tree/", i / 50));
    contents.emplace_back(static_cast<size_t>(i) * 37 % 20'000, 'a' + i % 26);
    scratch_.WriteFile(absl::StrCat("tree/", i / 50, "/", i), contents.back());
  }
  for (const int cancel_at : {1, 20, 300, 1000}) {
    const std::string target = absl::StrCat("target", cancel_at);
    JobHooks hooks;
    hooks.on_copied = [&](CopyJob* job, int count) {
      if (count == cancel_at) job->Cancel();
    };
    const JobRun run = RunJob(Request({"tree"}, target, "r"), hooks);
    EXPECT_TRUE(run.cancelled());
    EXPECT_EQ(run.Messages(), "");
    int whole = 0;
    for (int i = 0; i < kFiles; ++i) {
      const std::string copy = scratch_.Path(absl::StrCat(target, "/", i / 50, "/", i));
      if (!Exists(copy)) continue;
      ++whole;
      EXPECT_EQ(ReadFileOrNone(copy), contents[i]) << i;
    }
    EXPECT_EQ(whole, run.progress.files_done);
    EXPECT_LT(whole, kFiles);
  }
}

TEST_P(CopyJobCancelTest, ATreeOfNothingButLinksStopsToo) {
  constexpr int kLinks = 3000;
  scratch_.MakeDirectory("tree");
  for (int i = 0; i < kLinks; ++i) {
    ASSERT_EQ(symlink("nowhere", scratch_.Path(absl::StrCat("tree/", i)).c_str()), 0);
  }
  JobHooks hooks;
  hooks.on_copied = [](CopyJob* job, int) { job->Cancel(); };
  const JobRun run = RunJob(Request({"tree"}, "target", "r"), hooks);
  EXPECT_TRUE(run.cancelled());
  EXPECT_LT(run.progress.files_done, kLinks / 2);
}

TEST_P(CopyJobCancelTest, BeforeItRunsItCopiesNothing) {
  scratch_.WriteFile("file", "contents");
  FailingObserver observer;
  CopyJob job(Request({"file"}, "target", ""), &observer);
  job.Cancel();
  job.Cancel();
  EXPECT_EQ(job.Run().outcome, JobResult::Outcome::kCancelled);
  EXPECT_FALSE(Exists(scratch_.Path("target")));
}

TEST_P(CopyJobCancelTest, AfterItHasRunNothingChanges) {
  scratch_.WriteFile("file", "contents");
  FailingObserver observer;
  CopyJob job(Request({"file"}, "target", ""), &observer);
  EXPECT_EQ(job.Run().outcome, JobResult::Outcome::kSucceeded);
  job.Cancel();
  EXPECT_EQ(job.progress().files_done, 1);
  EXPECT_TRUE(job.progress().scan_complete);
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("target")), "contents");
}

TEST_P(CopyJobCancelTest, APipeThatNobodyWritesToDoesNotHoldItUp) {
  scratch_.MakeFifo("pipe");
  RunAndCancel(Request({"pipe"}, "target", ""),
               [](const Progress& progress) { return progress.files_total > 0; });
  EXPECT_FALSE(Exists(scratch_.Path("target")));
}

TEST_P(CopyJobCancelTest, APipeThatNobodyReadsDoesNotHoldItUp) {
  scratch_.WriteFile("file", "contents");
  scratch_.MakeFifo("pipe");
  RunAndCancel(Request({"file"}, "pipe", ""),
               [](const Progress& progress) { return progress.files_total > 0; });
  EXPECT_TRUE(Exists(scratch_.Path("pipe")));
}

TEST_P(CopyJobCancelTest, LinksThatWaitForTheirFileAreCancelledToo) {
  scratch_.MakeDirectory("tree");
  MakeLargeFile("tree/0");
  for (int i = 1; i < 100; ++i) {
    ASSERT_EQ(link(scratch_.Path("tree/0").c_str(),
                   scratch_.Path(absl::StrCat("tree/", i)).c_str()),
              0);
  }
  RunAndCancel(Request({"tree"}, "target", "a"), [](const Progress& progress) {
    return progress.bytes_done > 0 && progress.files_total == 100;
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(Exists(scratch_.Path(absl::StrCat("target/", i))));
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobCancelTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

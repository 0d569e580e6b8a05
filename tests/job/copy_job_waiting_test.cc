// Jobs on file systems where calls wait for somebody: many are under way at a time.

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/copy_options.h"
#include "core/job/copy_job.h"
#include "core/job/worker_limits.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/engine_test.h"
#include "tests/file_tree.h"
#include "tests/job_runner.h"
#include "tests/odd_mount.h"
#include "tests/refused_calls.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class CopyJobWaitingTest : public EngineTest {
 protected:
  // Makes backing/source with so many directories, each with `files` in it.
  void MakeDirectories(int count, const std::vector<std::string>& files) const {
    scratch_.MakeDirectory("backing");
    scratch_.MakeDirectory("backing/source");
    for (int i = 0; i < count; ++i) {
      const std::string directory = absl::StrCat("backing/source/directory", i);
      scratch_.MakeDirectory(directory);
      for (const std::string& file : files) {
        scratch_.WriteFile(absl::StrCat(directory, "/", file), "contents");
      }
    }
  }

  // One worker copies all `files`, or the test fails.
  void CopyWithOneWorker(CopyRequest request, int files) const {
    request.options.tuning.workers = 1;
    const JobRun run = RunJob(request);
    EXPECT_EQ(run.Messages(), "");
    EXPECT_EQ(run.progress.files_done, files);
  }
};

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
  CopyWithOneWorker(Request({"source"}, "odd/target", "rp"), kFiles);
}

// Nor is one symbolic link made after the other.
TEST_P(CopyJobWaitingTest, SeveralLinksAreCopiedAtATime) {
  constexpr int kLinks = 26;  // An even number.
  scratch_.MakeDirectory("source");
  for (int i = 0; i < kLinks; ++i) {
    std::filesystem::create_symlink("anything",
                                    scratch_.Path(absl::StrCat("source/link", i)));
  }
  scratch_.MakeDirectory("backing");
  const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                     {"times-in-pairs", "only=link"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  CopyWithOneWorker(Request({"source"}, "odd/target", "rp"), kLinks);
}

// The default engine opens one file in so many at once, to see whether that still waits.
using CopyJobChainsTest = CopyJobWaitingTest;

// Linux opens a file whose name it remembers while it takes in the SQE, even where the
// file system then has to wait.
TEST_P(CopyJobChainsTest, SeveralFilesAreOpenedAtATime) {
  constexpr int kFiles = 200;  // An even number.
  MakeDirectories(1, {});
  for (int i = 0; i < kFiles; ++i) {
    scratch_.WriteFile(absl::StrCat("backing/source/file", i), "contents");
  }
  const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                     {"opens-in-pairs", "only=file"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  for (int i = 0; i < kFiles; ++i) {
    ASSERT_TRUE(Exists(scratch_.Path(absl::StrCat("odd/source/file", i))));
  }
  CopyWithOneWorker(Request({"odd/source"}, "target", "r"), kFiles);
}

// Nor is one directory after the other opened.
TEST_P(CopyJobWaitingTest, SeveralDirectoriesAreReadAtATime) {
  constexpr int kDirectories = 26;  // An even number.
  MakeDirectories(kDirectories, {"file"});
  const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                     {"lists-in-pairs", "only=directory"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  CopyWithOneWorker(Request({"odd/source"}, "target", "rp"), kDirectories);
}

// A worker that finds no room for more open directories waits until something ends.
TEST_P(CopyJobWaitingTest, WithFewFilesOpenItWaitsInsteadOfAskingAgainAndAgain) {
  constexpr int kDirectories = 20;
  MakeDirectories(kDirectories, {"a", "b"});
  const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                     {"latency=5"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  for (const int files_max : {16, 24, 32}) {
    SCOPED_TRACE(files_max);
    const CopyRequest request =
        Request({"odd/source"}, absl::StrCat("target", files_max), "a");
    const JobRun run = RunJob(request, {}, {.files_max = files_max});
    EXPECT_EQ(run.Messages(), "");
    EXPECT_EQ(run.progress.files_done, 2 * kDirectories);
    // Chains, tasks for directories, and those that are woken in vain.
    EXPECT_LT(run.report.enters, 4 * run.report.chains + 200);
  }
}

// What helper threads read after that is dropped.
TEST_P(CopyJobWaitingTest, CancelledWhileDirectoriesAreReadItEndsSoon) {
  constexpr int kDirectories = 40;
  MakeDirectories(kDirectories, {"file"});
  const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                     {"latency=50"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  CopyRequest request = Request({"odd/source"}, "target", "r");
  request.options.tuning.workers = 1;
  JobHooks hooks;
  // The first file has been found, and other directories are being read.
  hooks.meanwhile = [](CopyJob* job) {
    while (job->progress().files_total == 0) usleep(200);
    job->Cancel();
  };
  const JobRun run = RunJob(request, hooks);
  EXPECT_TRUE(run.cancelled());
  EXPECT_EQ(run.Messages(), "");
  EXPECT_LT(run.progress.files_done, kDirectories);
}

// The kernel makes the files of a directory one after another, also those that nobody
// wants any more.
TEST_P(CopyJobWaitingTest, CancelledWhileADirectoryIsFilledFewMoreFilesAreMade) {
  constexpr int kFiles = 250;
  // Some are begun before it is known that waits are long.
  constexpr int kFilesBefore = 90;
  scratch_.MakeDirectory("source");
  for (int i = 0; i < kFiles; ++i) {
    scratch_.WriteFile(absl::StrCat("source/file", i), "contents");
  }
  scratch_.MakeDirectory("backing");
  const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                     {"latency=6"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  CopyRequest request = Request({"source"}, "odd/target", "r");
  request.options.tuning.workers = 1;
  std::set<std::string> names;
  const auto look = [&] {
    for (const auto& entry :
         std::filesystem::directory_iterator(scratch_.Path("backing/target"))) {
      names.insert(entry.path().filename());
    }
    return names.size();
  };
  size_t before = 0;
  std::atomic<bool> has_ended = false;
  std::thread watcher;
  JobHooks hooks;
  hooks.meanwhile = [&](CopyJob* job) {
    while (job->progress().files_done < kFilesBefore) usleep(200);
    before = look();
    job->Cancel();
    watcher = std::thread([&] {
      for (; !has_ended; usleep(200)) look();
    });
  };
  const JobRun run = RunJob(request, hooks);
  has_ended = true;
  watcher.join();
  EXPECT_TRUE(run.cancelled());
  EXPECT_EQ(run.Messages(), "");
  // Some may have been made since the last look, but few.
  EXPECT_LE(look() - before, 2 * WorkerLimits::kMadeInDirectory);
}

// Directories are left by several threads at a time; some have to be opened again for
// that. Further names of a file in other directories are found by opening those.
TEST_P(CopyJobWaitingTest, NoMoreFilesAreOpenThanMayBe) {
  constexpr int kBranches = 12;
  constexpr int kDepth = 3;
  scratch_.MakeDirectory("source");
  const std::string linked = scratch_.WriteFile("source/linked", "contents");
  for (int i = 0; i < kBranches; ++i) {
    std::string directory = "source";
    for (int level = 0; level < kDepth; ++level) {
      absl::StrAppend(&directory, "/", i);
      scratch_.MakeDirectory(directory);
      scratch_.WriteFile(absl::StrCat(directory, "/file"), "contents");
      const std::string path = scratch_.Path(directory);
      std::filesystem::create_symlink("anything", path + "/symlink");
      for (const char* name : {"/a", "/b"}) {
        std::filesystem::create_hard_link(linked, path + name);
      }
    }
  }
  scratch_.MakeDirectory("backing");
  const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                     {"latency=3"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  for (const int files_max : {24, 64}) {
    SCOPED_TRACE(files_max);
    const CopyRequest request =
        Request({"source"}, absl::StrCat("odd/target", files_max), "a");
    const auto count = [] {
      const std::filesystem::directory_iterator files("/proc/self/fd");
      return std::distance(begin(files), end(files));
    };
    const auto before = count();
    auto most = before;
    std::atomic<bool> has_ended = false;
    std::thread watcher([&] {
      for (; !has_ended; usleep(200)) most = std::max(most, count());
    });
    const JobRun run = RunJob(request, {}, {.files_max = files_max});
    has_ended = true;
    watcher.join();
    EXPECT_EQ(run.Messages(), "");
    EXPECT_EQ(run.progress.files_done, 4 * kBranches * kDepth + 1);
    EXPECT_EQ(std::filesystem::hard_link_count(request.target + "/linked"),
              2 * kBranches * kDepth + 1);
    EXPECT_LE(most - before, files_max);
  }
}

TEST_P(CopyJobWaitingTest, WhereNoHelperThreadCanBeStartedTheCopyIsRight) {
  constexpr int kDirectories = 20;
  MakeDirectories(kDirectories, {"file"});
  const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                     {"latency=2"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  const CopyRequest request = Request({"odd/source"}, "target", "a");
  const std::string result = InChildProcess([&]() -> std::string {
    if (!RefuseCall(SYS_clone3, EAGAIN) || !RefuseCall(SYS_clone, EAGAIN)) {
      return "no filter";
    }
    return RunJob(request).Messages();
  });
  EXPECT_EQ(result, "");
  EXPECT_EQ(DifferenceOfTrees(ListFileTree(scratch_.Path("backing/source")),
                              ListFileTree(request.target)),
            "");
}

// The engine of plain calls makes one at a time.
INSTANTIATE_TEST_SUITE_P(Rings, CopyJobWaitingTest,
                         testing::Values(EngineChoice::kAuto, EngineChoice::kUring),
                         EngineTestName);
INSTANTIATE_TEST_SUITE_P(Rings, CopyJobChainsTest, testing::Values(EngineChoice::kUring),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

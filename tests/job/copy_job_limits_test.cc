// Tests jobs at limits: of memory, of space on the device, of a file system, of open
// files, and of the length of paths.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/engine_test.h"
#include "tests/job_runner.h"
#include "tests/random_tree.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;  // A sanitizer uses memory of its own.
#else
constexpr bool kIsSanitized = false;
#endif

class CopyJobLimitsTest : public EngineTest {};

// Mounts a file system in memory that only the calling process and its children see.
// Returns "", or why that failed.
std::string MountPrivately(const std::string& path, const char* options) {
  if (unshare(CLONE_NEWNS) != 0) return absl::StrCat("unshare: ", strerror(errno));
  // In a chroot "/" is no mount point, which is EINVAL; nothing is shared there anyway.
  if ((mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 &&
       errno != EINVAL) ||
      mount("ringcp-test", path.c_str(), "tmpfs", 0, options) != 0) {
    return absl::StrCat("mount: ", strerror(errno));
  }
  return "";
}

TEST_P(CopyJobLimitsTest, MemoryDoesNotGrowWithTheTree) {
  constexpr int kFiles = 20'000;
  constexpr int64_t kPeakMax = int64_t{96} << 20;
  scratch_.MakeDirectory("tree");
  for (int i = 0; i < kFiles; ++i) {
    if (i % 500 == 0) scratch_.MakeDirectory(absl::StrCat("tree/", i / 500));
    const std::string path = scratch_.Path(absl::StrCat("tree/", i / 500, "/", i));
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ASSERT_EQ(write(fd, path.data(), path.size()), static_cast<ssize_t>(path.size()));
    close(fd);
  }
  const CopyRequest request = Request({"tree"}, "target", "a");
  const std::string result = InChildProcess([&]() -> std::string {
    const JobRun run = RunJob(request);
    if (run.progress.files_done != kFiles) return run.Messages();
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    const int64_t peak = int64_t{usage.ru_maxrss} * 1024;
    if (!kIsSanitized && peak > kPeakMax) return absl::StrCat("peak of ", peak, " bytes");
    return "";
  });
  EXPECT_EQ(result, "");
}

TEST_P(CopyJobLimitsTest, AFullDeviceIsReportedAndNothingIsLeftHalfWritten) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a file system";
  scratch_.MakeDirectory("tree");
  const std::string contents(700'000, 'x');
  for (int i = 0; i < 10; ++i) scratch_.WriteFile(absl::StrCat("tree/", i), contents);
  scratch_.WriteFile("tree/small", "s");
  const std::string small = scratch_.MakeDirectory("small");
  const CopyRequest request = Request({"tree"}, "small/target", "r");
  const std::string result = InChildProcess([&]() -> std::string {
    std::string problem = MountPrivately(small, "size=3m");
    if (!problem.empty()) return problem;
    const JobRun run = RunJob(request);
    if (run.result.outcome != JobResult::Outcome::kFailed) return "did not fail";
    int copied = Exists(scratch_.Path("small/target/small")) ? 1 : 0;
    for (int i = 0; i < 10; ++i) {
      const std::string copy = scratch_.Path(absl::StrCat("small/target/", i));
      if (!Exists(copy)) continue;
      if (ReadFileOrNone(copy) != contents) return absl::StrCat(i, " is half-written");
      ++copied;
    }
    for (const FileError& error : run.errors) {
      if (error.error_number != ENOSPC || error.operation != Operation::kWrite ||
          !error.message.ends_with("': No space left on device")) {
        return absl::StrCat("unexpected: ", error.message);
      }
    }
    const auto failed = static_cast<int>(run.errors.size());
    if (failed == 0 || run.progress.files_failed != failed) return "counted wrongly";
    if (copied != 11 - failed || run.progress.files_done != copied) return "lost";
    return "";
  });
  EXPECT_EQ(result, "");
}

TEST_P(CopyJobLimitsTest, ALargeFileThatDoesNotFitIsReportedOnceAndRemoved) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a file system";
  scratch_.WriteFile("large", std::string(size_t{30} << 20, 'x'));
  const std::string small = scratch_.MakeDirectory("small");
  const CopyRequest request = Request({"large"}, "small/target", "");
  const std::string result = InChildProcess([&]() -> std::string {
    std::string problem = MountPrivately(small, "size=20m");
    if (!problem.empty()) return problem;
    const JobRun run = RunJob(request);
    if (Exists(scratch_.Path("small/target"))) return "is left";
    return absl::StrCat(run.errors.size(), " ", run.errors.at(0).error_number);
  });
  EXPECT_EQ(result, absl::StrCat("1 ", ENOSPC));
}

TEST_P(CopyJobLimitsTest, OtherFileSystemsAreLeftOutIfAsked) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a file system";
  scratch_.MakeDirectory("tree");
  scratch_.WriteFile("tree/file", "");
  const std::string inside = scratch_.MakeDirectory("tree/mounted");
  const CopyRequest request = Request({"tree"}, "target", "rx");
  CopyRequest all = Request({"tree"}, "all", "r");
  const std::string result = InChildProcess([&]() -> std::string {
    std::string problem = MountPrivately(inside, "size=1m");
    if (!problem.empty()) return problem;
    scratch_.WriteFile("tree/mounted/elsewhere", "");
    scratch_.MakeDirectory("tree/mounted/below");
    return RunJob(request).Messages() + RunJob(all).Messages();
  });
  EXPECT_EQ(result, "");
  EXPECT_TRUE(Exists(scratch_.Path("target/file")));
  EXPECT_TRUE(Exists(scratch_.Path("target/mounted")));  // Empty, as in GNU cp.
  EXPECT_FALSE(Exists(scratch_.Path("target/mounted/elsewhere")));
  EXPECT_FALSE(Exists(scratch_.Path("target/mounted/below")));
  EXPECT_TRUE(Exists(scratch_.Path("all/mounted/elsewhere")));
}

TEST_P(CopyJobLimitsTest, ATreeMayBeDeeperThanPathMax) {
  rlimit files = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  // All directories down to the deepest may be open at the same time, on both sides.
  const int depth = static_cast<int>(std::min<rlim_t>(1000, files.rlim_max / 2 - 100));
  const std::string name(20, 'd');
  ASSERT_GT(depth * name.size(), static_cast<size_t>(PATH_MAX));
  scratch_.MakeDirectory("tree");
  MakeDeepTree(scratch_.Path("tree"), name, depth);
  const JobRun run = RunJob(Request({"tree"}, "target", "a"));
  EXPECT_TRUE(run.succeeded()) << run.Messages().substr(0, 1000);
  EXPECT_EQ(run.progress.directories_done, depth + 1);
  bool has_bottom = false;
  EXPECT_EQ(DepthOfTree(scratch_.Path("target"), name, &has_bottom), depth);
  EXPECT_TRUE(has_bottom);
  RemoveDeepTree(scratch_.Path("tree"), name);
  RemoveDeepTree(scratch_.Path("target"), name);
}

TEST_P(CopyJobLimitsTest, FewOpenFilesSufficeForManyDirectories) {
  // A directory is open on both sides while it has files in flight.
  constexpr int kDirectories = 1000;
  scratch_.MakeDirectory("tree");
  for (int i = 0; i < kDirectories; ++i) {
    scratch_.MakeDirectory(absl::StrCat("tree/", i));
    scratch_.WriteFile(absl::StrCat("tree/", i, "/file"), "x");
  }
  const CopyRequest request = Request({"tree"}, "target", "a");
  const std::string result = InChildProcess([&] {
    const rlimit files = {.rlim_cur = 256, .rlim_max = 256};
    setrlimit(RLIMIT_NOFILE, &files);
    const JobRun run = RunJob(request);
    return absl::StrCat(run.progress.files_done, " files, ", run.errors.size(), " errors",
                        run.errors.empty() ? "" : ": " + run.errors[0].message);
  });
  EXPECT_EQ(result, "1000 files, 0 errors");
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobLimitsTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

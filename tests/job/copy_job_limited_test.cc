// What a job tells about what was in flight and what kept it from being faster.

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/copy_options.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/engine_test.h"
#include "tests/job_runner.h"
#include "tests/odd_mount.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class CopyJobLimitedTest : public EngineTest {
 protected:
  CopyJobLimitedTest() {
    scratch_.MakeDirectory("backing");
    scratch_.MakeDirectory("backing/source");
    scratch_.MakeDirectory("fast");
    scratch_.MakeDirectory("fast/source");
  }

  // Makes `count` entries with `make`, which gets a name below the scratch directory.
  template <typename Make>
  void MakeEntries(const std::string& directory, int count, const Make& make) const {
    for (int i = 0; i < count; ++i) make(absl::StrCat(directory, "/", i));
  }
  void MakeFiles(const std::string& directory, int count) const {
    MakeEntries(directory, count,
                [&](const std::string& name) { scratch_.WriteFile(name, "contents"); });
  }
  void MakeLinks(const std::string& directory, int count) const {
    MakeEntries(directory, count, [&](const std::string& name) {
      std::filesystem::create_symlink("anything", scratch_.Path(name));
    });
  }
  void MakeDirectories(const std::string& directory, int count) const {
    MakeEntries(directory, count,
                [&](const std::string& name) { scratch_.MakeDirectory(name); });
  }

  // What limits a copy of odd/source to fast/target, or of fast/source to odd/target,
  // where each request to "odd" takes some milliseconds.
  std::string LimitFrom(bool is_source_slow, const Tuning& tuning = {}, int files_max = 0,
                        int milliseconds = 5) const {
    const OddMount odd(scratch_.Path("backing"), scratch_.MakeDirectory("odd"),
                       {absl::StrCat("latency=", milliseconds)});
    EXPECT_EQ(odd.why_not(), "");
    CopyRequest request = is_source_slow ? Request({"odd/source"}, "fast/target", "r")
                                         : Request({"fast/source"}, "odd/target", "r");
    request.options.dereference = Dereference::kNever;
    request.options.tuning = tuning;
    const JobRun run = RunJob(request, {}, {.files_max = files_max});
    EXPECT_EQ(run.Messages(), "");
    EXPECT_GT(run.report.in_flight, 0);
    return run.report.limited_by;
  }
  std::string SourceLimit(const Tuning& tuning = {}, int files_max = 0) const {
    return LimitFrom(/*is_source_slow=*/true, tuning, files_max);
  }
  std::string TargetLimit(const Tuning& tuning = {}) const {
    return LimitFrom(/*is_source_slow=*/false, tuning);
  }
};

// A limit may be told as well.
#define EXPECT_SIDE(limit, side)               \
  do {                                         \
    const std::string told = limit;            \
    EXPECT_TRUE(told.ends_with(side)) << told; \
  } while (false)

TEST_P(CopyJobLimitedTest, FilesThatComeSlowlyAreLimitedByTheSource) {
  MakeFiles("backing/source", 100);
  EXPECT_SIDE(SourceLimit(), "the source");
}

TEST_P(CopyJobLimitedTest, FilesThatGoSlowlyAreLimitedByTheTarget) {
  MakeFiles("fast/source", 100);
  EXPECT_SIDE(TargetLimit(), "the target");
}

TEST_P(CopyJobLimitedTest, ALargeFileThatComesSlowlyIsLimitedByTheSource) {
  scratch_.WriteFile("backing/source/large", std::string(size_t{24} << 20, 'x'));
  EXPECT_SIDE(SourceLimit(), "the source");
}

TEST_P(CopyJobLimitedTest, ALargeFileThatGoesSlowlyIsLimitedByTheTarget) {
  scratch_.WriteFile("fast/source/large", std::string(size_t{24} << 20, 'x'));
  EXPECT_SIDE(TargetLimit(), "the target");
}

TEST_P(CopyJobLimitedTest, LinksThatComeSlowlyAreLimitedByTheSource) {
  MakeLinks("backing/source", 100);
  EXPECT_SIDE(SourceLimit(), "the source");
}

// A worker of plain calls has made so few of them before it waits for the first time.
TEST_P(CopyJobLimitedTest, AFewLinksThatComeSlowlyAreLimitedByTheSource) {
  MakeLinks("backing/source", 8);
  EXPECT_SIDE(SourceLimit(), "the source");
}

TEST_P(CopyJobLimitedTest, LinksThatGoSlowlyAreLimitedByTheTarget) {
  MakeLinks("fast/source", 100);
  EXPECT_SIDE(TargetLimit(), "the target");
}

TEST_P(CopyJobLimitedTest, DirectoriesThatComeSlowlyAreLimitedByTheSource) {
  MakeDirectories("backing/source", 60);
  EXPECT_SIDE(SourceLimit(), "the source");
}

TEST_P(CopyJobLimitedTest, DirectoriesThatGoSlowlyAreLimitedByTheTarget) {
  MakeDirectories("fast/source", 60);
  EXPECT_SIDE(TargetLimit(), "the target");
}

// Mounts a file system in memory that only the calling process sees, and has that process
// go before all others, so that they don't take its CPUs.
std::string BeginToCopyInMemory(const std::string& path) {
  sched_param priority = {};
  priority.sched_priority = 1;
  if (unshare(CLONE_NEWNS) != 0 ||
      (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 &&
       errno != EINVAL) ||
      mount("ringcp-test", path.c_str(), "tmpfs", 0, "size=600m") != 0 ||
      sched_setscheduler(0, SCHED_RR, &priority) != 0) {
    return strerror(errno);
  }
  return "";
}

// Says what limits a copy in memory, when it says `expected`, or after many tries.
std::string LimitInMemory(const CopyRequest& request, const std::string& expected) {
  std::string limit;
  for (int i = 0; i < 30 && limit != expected; ++i) {
    const JobRun run = RunJob(request);
    if (!run.succeeded()) return run.Messages();
    limit = run.report.limited_by;
    std::filesystem::remove_all(request.target);
  }
  return limit;
}

TEST_P(CopyJobLimitedTest, FromMemoryItIsTheCpu) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a file system";
  const std::string memory = scratch_.MakeDirectory("memory");
  const CopyRequest request = Request({"memory/source"}, "memory/target", "r");
  const std::string limit = InChildProcess([&] {
    if (std::string error = BeginToCopyInMemory(memory); !error.empty()) return error;
    scratch_.MakeDirectory("memory/source");
    MakeFiles("memory/source", 2000);
    for (int i = 0; i < 4; ++i) {
      scratch_.WriteFile(absl::StrCat("memory/source/large", i),
                         std::string(size_t{50} << 20, 'x'));
    }
    return LimitInMemory(request, "the CPU");
  });
  EXPECT_EQ(limit, "the CPU");
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobLimitedTest, testing::ValuesIn(kEngines),
                         EngineTestName);

// With io_uring alone, threads of Linux use the other CPU.
using CopyJobOneThreadTest = CopyJobLimitedTest;

TEST_P(CopyJobOneThreadTest, OneThreadThatNeedsItsCpuIsALimitWhereItWasAskedFor) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a file system";
  const std::string memory = scratch_.MakeDirectory("memory");
  CopyRequest request = Request({"memory/source"}, "memory/target", "r");
  request.options.tuning.workers = 1;
  const std::string limit = InChildProcess([&] {
    if (std::string error = BeginToCopyInMemory(memory); !error.empty()) return error;
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0 || CPU_COUNT(&cpus) < 2) {
      return std::string("how many threads copy (--workers)");
    }
    scratch_.MakeDirectory("memory/source");
    MakeFiles("memory/source", 5000);
    return LimitInMemory(request, "how many threads copy (--workers)");
  });
  EXPECT_EQ(limit, "how many threads copy (--workers)");
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobOneThreadTest,
                         testing::Values(EngineChoice::kAuto, EngineChoice::kThreads),
                         EngineTestName);

// The limits on what is under way at a time. Plain calls have one for each thread.
using CopyJobOwnLimitTest = CopyJobLimitedTest;

constexpr Tuning kOneWorker = {.workers = 1};

TEST_P(CopyJobOwnLimitTest, QueueDepth) {
  MakeFiles("backing/source", 60);
  Tuning tuning = kOneWorker;
  tuning.queue_depth = 2;
  EXPECT_EQ(SourceLimit(tuning),
            "how many files may be in flight (--queue-depth), while waiting for the "
            "source");
}

TEST_P(CopyJobOwnLimitTest, MemoryForBlocks) {
  MakeFiles("backing/source", 150);
  Tuning tuning = kOneWorker;
  tuning.block_size_bytes = 4 << 20;
  EXPECT_EQ(SourceLimit(tuning),
            "the memory for blocks (--block-size), while waiting for the source");
}

TEST_P(CopyJobOwnLimitTest, OpenFiles) {
  MakeFiles("backing/source", 80);
  EXPECT_EQ(SourceLimit(kOneWorker, /*files_max=*/40),
            "how many files may be open (ulimit -n), while waiting for the source");
}

TEST_P(CopyJobOwnLimitTest, HelperThreads) {
  MakeLinks("backing/source", 300);
  EXPECT_EQ(SourceLimit(kOneWorker),
            "how many helper threads there may be, while waiting for the source");
}

TEST_P(CopyJobOwnLimitTest, Directories) {
  MakeDirectories("backing/source", 200);
  EXPECT_EQ(SourceLimit(kOneWorker),
            "how many directories may be read at a time, while waiting for the source");
}

TEST_P(CopyJobOwnLimitTest, FilesMadeInOneDirectory) {
  MakeFiles("fast/source", 200);
  EXPECT_EQ(LimitFrom(/*is_source_slow=*/false, kOneWorker, /*files_max=*/0,
                      /*milliseconds=*/8),
            "how many files may be made in one directory at a time, while waiting for "
            "the target");
}

TEST_P(CopyJobOwnLimitTest, BlocksOfALargeFile) {
  scratch_.WriteFile("backing/source/large", std::string(size_t{48} << 20, 'x'));
  // It is not told as long as it is being tried whether more calls at a time pay.
  const std::string expected = "(--block-size), while waiting for the source";
  std::string limit;
  for (int i = 0; i < 10 && !absl::StrContains(limit, expected); ++i) {
    limit = SourceLimit(kOneWorker);
    std::filesystem::remove_all(scratch_.Path("fast/target"));
  }
  EXPECT_TRUE(absl::StrContains(limit, expected)) << limit;
}

INSTANTIATE_TEST_SUITE_P(Rings, CopyJobOwnLimitTest,
                         testing::Values(EngineChoice::kAuto, EngineChoice::kUring),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

// Jobs on file systems whose latency jumps between 0 and 20 ms: whatever the engine has
// learned of how long something takes is soon wrong. Copies have to be right all the
// same.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/copy_options.h"
#include "core/file/target_claims.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/engine_test.h"
#include "tests/file_tree.h"
#include "tests/job_runner.h"
#include "tests/odd_mount.h"
#include "tests/random_tree.h"
#include "tests/scratch_directory.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

// How long a cancelled job may take: a second or two, and more for a busy machine.
constexpr absl::Duration kSoon = absl::Seconds(20);
// Files that can't be opened, as source or as target.
constexpr int kBadFiles = 3;
constexpr int kFlatFiles = 20;
constexpr size_t kLargeBytes = size_t{3} << 20;

size_t OpenDescriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

// The lines about files and directories that are not named "bad...".
std::vector<std::string> WithoutBad(std::vector<std::string> lines) {
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [](const std::string& line) {
                               return line.find("/bad") != std::string::npos;
                             }),
              lines.end());
  return lines;
}

class CopyJobChaosTest : public EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    if (IsSkipped()) return;
    for (const char* name : {"source", "target", "slow_source", "slow_target"}) {
      scratch_.MakeDirectory(name);
    }
  }

  // Makes scratch/source/tree, which has all kinds of files, and bad ones.
  void MakeTree(uint32_t seed) {
    const std::string tree = scratch_.MakeDirectory("source/tree");
    MakeDeepTree(tree, "deep", 8);
    scratch_.MakeDirectory("source/tree/flat");
    for (int i = 0; i < kFlatFiles; ++i) {
      scratch_.WriteFile(absl::StrCat("source/tree/flat/", i), absl::StrCat("file ", i));
    }
    for (int i = 0; i < kBadFiles; ++i) {
      scratch_.WriteFile(absl::StrCat("source/tree/flat/bad", i), "out of reach");
    }
    scratch_.WriteFile("source/tree/large", std::string(kLargeBytes, 'l'));
    std::ofstream holes(scratch_.WriteFile("source/tree/holes", "x"));
    holes.seekp(kLargeBytes);
    holes << "data between holes";
    holes.close();
    std::filesystem::resize_file(scratch_.Path("source/tree/holes"), 2 * kLargeBytes);
    scratch_.MakeDirectory("source/tree/random");
    MakeRandomTree(scratch_.Path("source/tree/random"), {.seed = seed,
                                                         .directories = 8,
                                                         .files = 20,
                                                         .symlinks = 4,
                                                         .hard_links = 5,
                                                         .fifos = 1,
                                                         .file_size_max = 5000});
  }

  // Mount source or target below "slow_...". False if that can't be.
  bool MountSource(uint32_t seed) {
    return Mount("source",
                 {absl::StrCat("latency-jumps=", seed), "fail-open=EIO", "only=bad"});
  }
  bool MountTarget(uint32_t seed) {
    return Mount("target", {absl::StrCat("latency-jumps=", seed), "fail-create=ENOSPC",
                            "only=bad"});
  }
  bool Mount(const std::string& name, const std::vector<std::string>& oddities) {
    auto odd = std::make_unique<OddMount>(
        scratch_.Path(name), scratch_.Path(absl::StrCat("slow_", name)), oddities);
    why_not_ = odd->why_not();
    mounts_.push_back(std::move(odd));
    return why_not_.empty();
  }

  // Expects that the bad files, and nothing else, have been told, each once.
  void ExpectBadFilesTold(const JobRun& run) {
    EXPECT_EQ(run.errors.size(), size_t{kBadFiles}) << run.Messages();
    EXPECT_EQ(run.progress.files_failed, kBadFiles);
    for (int i = 0; i < kBadFiles; ++i) {
      EXPECT_NE(run.Messages().find(absl::StrCat("flat/bad", i, "'")), std::string::npos)
          << run.Messages();
    }
    EXPECT_EQ(run.result.outcome, JobResult::Outcome::kFailed);
    EXPECT_TRUE(run.result.status.ok()) << run.Messages();
  }

  // What a copy with `letters` comes to where nothing waits and nothing is out of reach.
  std::vector<std::string> Expected(const std::string& letters) {
    CopyRequest request =
        Request({"source/tree"}, absl::StrCat("expected-", letters), letters);
    request.options.engine = EngineChoice::kThreads;
    EXPECT_EQ(RunJob(request).Messages(), "");
    return WithoutBad(ListFileTree(request.target));
  }

  // Expects that what is there of files below `copy` is as in source/tree. How many files
  // there are that are no directories.
  int ExpectWholeOrAbsent(const std::string& copy) {
    int files = 0;
    const std::string tree = scratch_.Path("source/tree");
    if (!Exists(copy)) return 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(copy)) {
      if (entry.is_directory() && !entry.is_symlink()) continue;
      ++files;
      const std::string original = tree + entry.path().string().substr(copy.size());
      if (entry.symlink_status().type() != std::filesystem::file_type::regular) continue;
      EXPECT_TRUE(ReadFileOrNone(entry.path()) == ReadFileOrNone(original))
          << entry.path() << " is half-written";
    }
    return files;
  }

  // Sides of a copy that are slow.
  struct Sides {
    bool source = false;
    bool target = false;
  };
  CopyRequest TreeRequest(const Sides& sides, const std::string& letters) {
    return Request({sides.source ? "slow_source/tree" : "source/tree"},
                   sides.target ? "slow_target/copy" : "target/copy", letters);
  }
  void CopyTree(const Sides& sides, const std::string& letters, uint32_t seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    MakeTree(seed);
    const std::vector<std::string> expected = Expected(letters);
    if (sides.source && !MountSource(seed)) GTEST_SKIP() << why_not_;
    if (sides.target && !MountTarget(seed + 1)) GTEST_SKIP() << why_not_;
    const size_t descriptors = OpenDescriptors();
    const JobRun run = RunJob(TreeRequest(sides, letters));
    EXPECT_EQ(OpenDescriptors(), descriptors);
    ExpectBadFilesTold(run);
    EXPECT_EQ(DifferenceOfTrees(expected, ListFileTree(scratch_.Path("target/copy"))),
              "");
  }

  std::string why_not_;
  std::vector<std::unique_ptr<OddMount>> mounts_;
};

TEST_P(CopyJobChaosTest, FromASlowSourceTheCopyIsRight) {
  CopyTree({.source = true}, "a", TestSeed());
}

TEST_P(CopyJobChaosTest, ToASlowTargetTheCopyIsRight) {
  CopyTree({.target = true}, "a", TestSeed() + 10);
}

TEST_P(CopyJobChaosTest, WhereBothAreSlowTheCopyIsRight) {
  CopyTree({.source = true, .target = true}, "a", TestSeed() + 20);
}

TEST_P(CopyJobChaosTest, WithoutAttributesTheCopyIsRightToo) {
  CopyTree({.source = true, .target = true}, "r", TestSeed() + 30);
}

TEST_P(CopyJobChaosTest, CancelledAtAnyMomentItEndsSoonAndNothingHalfWrittenStays) {
  const uint32_t seed = TestSeed();
  MakeTree(seed);
  if (!MountSource(seed + 2) || !MountTarget(seed + 3)) GTEST_SKIP() << why_not_;
  std::mt19937 random(seed);
  for (int i = 0; i < 3; ++i) {
    CopyRequest request = TreeRequest({.source = true, .target = true}, "a");
    request.target += absl::StrCat(i);
    // After so much was found or copied.
    const auto files_found = static_cast<int64_t>(random() % 30);
    const auto bytes_done = static_cast<int64_t>(random() % (i == 0 ? 1 : 1'500'000));
    SCOPED_TRACE(
        absl::StrCat("seed ", seed, ": ", files_found, " files, ", bytes_done, " bytes"));
    absl::Time cancelled_at;
    JobHooks hooks;
    hooks.meanwhile = [&](CopyJob* job) {
      for (Progress progress = job->progress();
           progress.files_total < files_found || progress.bytes_done < bytes_done;
           progress = job->progress()) {
        usleep(100);
      }
      cancelled_at = absl::Now();
      job->Cancel();
    };
    const size_t descriptors = OpenDescriptors();
    const JobRun run = RunJob(request, hooks);
    EXPECT_LT(absl::Now() - cancelled_at, kSoon);
    EXPECT_EQ(OpenDescriptors(), descriptors);
    EXPECT_TRUE(run.cancelled()) << run.Messages();
    for (const FileError& error : run.errors) {
      EXPECT_NE(error.message.find("/bad"), std::string::npos) << error.message;
    }
    EXPECT_EQ(ExpectWholeOrAbsent(scratch_.Path(absl::StrCat("target/copy", i))),
              run.progress.files_done);
  }
}

TEST_P(CopyJobChaosTest, WithFewFilesOpenTheCopyIsRight) {
  const uint32_t seed = TestSeed() + 40;
  MakeTree(seed);
  const std::vector<std::string> expected = Expected("a");
  if (!MountSource(seed) || !MountTarget(seed + 1)) GTEST_SKIP() << why_not_;
  std::mt19937 random(seed + static_cast<uint32_t>(GetParam()));
  const int files_max = 16 + static_cast<int>(random() % 49);
  SCOPED_TRACE(absl::StrCat("seed ", seed, ", ", files_max, " files"));
  const CopyRequest request = TreeRequest({.source = true, .target = true}, "a");
  const size_t descriptors = OpenDescriptors();
  const JobRun run = RunJob(request, {}, {.files_max = files_max});
  EXPECT_EQ(OpenDescriptors(), descriptors);
  ExpectBadFilesTold(run);
  EXPECT_EQ(DifferenceOfTrees(expected, ListFileTree(request.target)), "");
}

TEST_P(CopyJobChaosTest, TwoJobsIntoOneDirectoryAreBothRight) {
  const uint32_t seed = TestSeed() + 50;
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  MakeTree(seed);
  if (!MountSource(seed) || !MountTarget(seed + 1)) GTEST_SKIP() << why_not_;
  // Both copy this one, over each other's copies. (In a directory that a job has made, a
  // file that another one makes is in its way.)
  scratch_.MakeDirectory("source/both");
  scratch_.MakeDirectory("target/both");
  for (int i = 0; i < kFlatFiles; ++i) {
    scratch_.WriteFile(absl::StrCat("source/both/", i), std::string(1000 * i, 'b'));
  }
  const size_t descriptors = OpenDescriptors();
  TargetClaims claims;
  std::vector<JobRun> runs(2);
  std::vector<std::thread> threads;
  const char* const own[] = {"slow_source/tree/flat", "slow_source/tree/random"};
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&, i] {
      CopyRequest request = Request({own[i], "slow_source/both"}, "slow_target", "r");
      runs[i] = RunJob(request, {}, {.claims = &claims});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(OpenDescriptors(), descriptors);
  ExpectBadFilesTold(runs[0]);
  EXPECT_EQ(runs[1].Messages(), "");
  for (const char* name : {"flat", "random"}) {
    CopyRequest request = Request({absl::StrCat("source/tree/", name)},
                                  absl::StrCat("expected-", name), "r");
    request.options.engine = EngineChoice::kThreads;
    EXPECT_EQ(RunJob(request).Messages(), "");
    EXPECT_EQ(
        DifferenceOfTrees(WithoutBad(ListFileTree(request.target)),
                          ListFileTree(scratch_.Path(absl::StrCat("target/", name)))),
        "");
  }
  for (int i = 0; i < kFlatFiles; ++i) {
    EXPECT_EQ(ReadFileOrNone(scratch_.Path(absl::StrCat("target/both/", i))),
              std::string(1000 * i, 'b'));
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobChaosTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

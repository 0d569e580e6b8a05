// Tests whole jobs on small trees with each engine.

#include "core/job/copy_job.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/engine_test.h"
#include "tests/file_tree.h"
#include "tests/job_runner.h"
#include "tests/programs.h"
#include "tests/random_tree.h"
#include "tests/scratch_directory.h"
#include "tests/test_seed.h"

namespace ringcp {
namespace {

int AvailableCpus() {
  cpu_set_t set;
  EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  return CPU_COUNT(&set);
}

class CopyJobTest : public EngineTest {
 protected:
  CopyJobTest() {
    // So that an ordinary user gets in.
    EXPECT_EQ(chmod(scratch_.path().c_str(), 0755), 0);
  }

  std::string P(const std::string& name) const { return scratch_.Path(name); }

  JobRun Copy(const std::vector<std::string>& sources, const std::string& target,
              const std::string& letters = "") const {
    return RunJob(Request(sources, target, letters));
  }

  // Removes the scratch directory's path from messages.
  std::string WithoutScratch(std::string text) const {
    const std::string prefix = scratch_.path() + "/";
    for (size_t at = 0; (at = text.find(prefix)) != std::string::npos;) {
      text.erase(at, prefix.size());
    }
    return text;
  }

  void ExpectEqualTrees(const std::string& expected, const std::string& actual) const {
    const std::string difference =
        DifferenceOfTrees(ListFileTree(P(expected)), ListFileTree(P(actual)));
    EXPECT_TRUE(difference.empty()) << difference.substr(0, 2000);
  }
};

TEST_P(CopyJobTest, ARandomTreeIsCopiedAsCpDoes) {
  const uint32_t seed = TestSeed();
  scratch_.MakeDirectory("source");
  MakeRandomTree(P("source"), {.seed = seed, .file_size_max = 5000});
  scratch_.WriteFile("source/large", std::string(3'000'000, 'x'));
  for (const char* letters : {"r", "a", "rp", "rd"}) {
    const std::string target = absl::StrCat("ringcp-", letters);
    const std::string expected = absl::StrCat("cp-", letters);
    PrepareWithShell(scratch_.path(),
                     absl::StrCat("cp -", letters, " source ", expected));
    SCOPED_TRACE(letters);
    const JobRun run = Copy({"source"}, target, letters);
    EXPECT_TRUE(run.succeeded()) << run.Messages();
    EXPECT_EQ(run.report.engine, GetParam() == EngineChoice::kAuto
                                     ? ProbeEngine().engine
                                     : EngineName(GetParam()));
    if (GetParam() != EngineChoice::kAuto) {
      EXPECT_EQ(run.report.files_at_once, 0);
    }
    EXPECT_EQ(DifferenceOfTrees(ListFileTree(P(expected)), ListFileTree(P(target)))
                  .substr(0, 2000),
              "")
        << "-" << letters;
  }
}

TEST_P(CopyJobTest, LargeFilesAreCopiedByAllWorkers) {
  constexpr size_t kBytes = 20'000'001;
  std::mt19937 random(TestSeed());
  std::string contents(kBytes, '\0');
  for (char& byte : contents) byte = static_cast<char>(random());
  const std::string source = scratch_.WriteFile("large", contents);
  // Makes a hole between two large pieces.
  const int fd = open(source.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(pwrite(fd, contents.data(), kBytes, 4 * kBytes),
            static_cast<ssize_t>(kBytes));
  close(fd);
  scratch_.MakeDirectory("tree");
  ASSERT_EQ(link(source.c_str(), P("tree/large").c_str()), 0);
  scratch_.WriteFile("tree/small", "s");

  const JobRun alone = Copy({"large"}, "copy", "p");
  EXPECT_EQ(alone.Messages(), "");
  EXPECT_EQ(alone.report.workers, std::min(2, AvailableCpus()));
  EXPECT_EQ(alone.progress.bytes_done, static_cast<int64_t>(5 * kBytes));
  EXPECT_EQ(Copy({"tree"}, "tree2", "a").Messages(), "");
  const std::string expected = ReadFileOrNone(source);
  EXPECT_TRUE(ReadFileOrNone(P("copy")) == expected);
  EXPECT_TRUE(ReadFileOrNone(P("tree2/large")) == expected);
  struct stat stat = {};
  ASSERT_EQ(::stat(P("copy").c_str(), &stat), 0);
  EXPECT_LT(stat.st_blocks * 512, static_cast<int64_t>(3 * kBytes)) << "the hole is gone";
}

// Files that are one hole once lost their size if an empty file was copied before.
TEST_P(CopyJobTest, HolesAndEmptyFilesKeepTheirSizes) {
  constexpr int kFiles = 100;
  constexpr off_t kHoleBytes = 1 << 20;
  constexpr off_t kSmallHoleBytes = 1 << 16;  // Less than a block.
  scratch_.MakeDirectory("source");
  for (int i = 0; i < kFiles; ++i) {
    scratch_.WriteFile(absl::StrCat("source/empty", i), "");
    const std::string hole = scratch_.WriteFile(absl::StrCat("source/hole", i), "");
    ASSERT_EQ(truncate(hole.c_str(), i % 2 == 0 ? kHoleBytes : kSmallHoleBytes), 0);
  }
  EXPECT_EQ(Copy({"source"}, "target", "r").Messages(), "");
  for (int i = 0; i < kFiles; ++i) {
    struct stat stat = {};
    ASSERT_EQ(::stat(P(absl::StrCat("target/empty", i)).c_str(), &stat), 0);
    EXPECT_EQ(stat.st_size, 0);
    ASSERT_EQ(::stat(P(absl::StrCat("target/hole", i)).c_str(), &stat), 0);
    EXPECT_EQ(stat.st_size, i % 2 == 0 ? kHoleBytes : kSmallHoleBytes);
    EXPECT_EQ(stat.st_blocks, 0);
  }
}

TEST_P(CopyJobTest, ModesAreThoseOfTheUmask) {
  scratch_.MakeDirectory("source");
  PrepareWithShell(
      scratch_.path(),
      "cd source; for mode in 0777 0666 0640 4755 2755 1777 0400; do"
      " echo x >f$mode; chmod $mode f$mode; mkdir d$mode; chmod $mode d$mode;"
      " done; mkfifo p; chmod 0622 p");
  const mode_t before = umask(0);
  for (const mode_t mask : {0, 022, 077, 027}) {
    const std::string name = absl::StrCat(mask);
    umask(mask);
    PrepareWithShell(scratch_.path(),
                     absl::StrFormat("umask %o; cp -r source cp%s", mask, name));
    SCOPED_TRACE(absl::StrFormat("umask %o", mask));
    const JobRun run = Copy({"source"}, "ringcp" + name, "r");
    EXPECT_TRUE(run.succeeded()) << run.Messages();
    ExpectEqualTrees("cp" + name, "ringcp" + name);
  }
  umask(before);
}

TEST_P(CopyJobTest, AnOrdinaryUserCopiesWhatItMay) {
  scratch_.MakeDirectory("source");
  MakeRandomTree(P("source"), {.seed = TestSeed(), .files = 100});
  scratch_.WriteFile("source/secret", "s");
  scratch_.WriteFile("source/set_id", "s");
  scratch_.MakeDirectory("source/closed");
  scratch_.WriteFile("source/closed/file", "s");
  scratch_.MakeDirectory("target");
  PrepareWithShell(scratch_.path(),
                   "chmod -R a+rX source; chmod 4755 source/set_id; chmod 0777 target;"
                   " chmod 0 source/closed source/secret");
  const CopyRequest request = Request({"source"}, "target/ringcp", "a");
  const std::string messages = InChildProcess([&] {
    BecomeOrdinaryUser();
    return RunJob(request).Messages();
  });
  EXPECT_EQ(WithoutScratch(messages),
            "cannot access 'source/closed': Permission denied\n"
            "cannot open 'source/secret' for reading: Permission denied");
  // All copies belong to the user then. GNU cp shows what the rest must look like.
  const std::string cp = InChildProcess([&] {
    BecomeOrdinaryUser();
    PrepareWithShell(P("target"), "cp -a ../source cp 2>/dev/null || true");
    return std::string("done");
  });
  EXPECT_EQ(cp, "done");
  ExpectEqualTrees("target/cp", "target/ringcp");
}

TEST_P(CopyJobTest, EachErrorTellsOperationPathAndReason) {
  scratch_.MakeDirectory("source");
  for (const char* name : {"a", "b", "c"}) {
    scratch_.WriteFile(absl::StrCat("source/", name), name);
  }
  scratch_.MakeDirectory("target");
  scratch_.MakeDirectory("target/source");
  scratch_.MakeDirectory("target/source/b");  // Stands where a file should be copied to.
  const JobRun run = Copy({"source", "none"}, "target", "r");
  EXPECT_EQ(run.result.outcome, JobResult::Outcome::kFailed);
  EXPECT_TRUE(run.result.status.ok());
  ASSERT_EQ(run.errors.size(), 2u) << run.Messages();
  EXPECT_EQ(run.errors[0].operation, Operation::kStat);
  EXPECT_EQ(run.errors[0].error_number, ENOENT);
  EXPECT_EQ(run.errors[0].path, P("none"));
  EXPECT_EQ(run.errors[1].operation, Operation::kRefuse);
  EXPECT_EQ(run.errors[1].path, P("target/source/b"));
  EXPECT_EQ(WithoutScratch(run.Messages()),
            "cannot overwrite directory 'target/source/b' with non-directory\n"
            "cannot stat 'none': No such file or directory");
  EXPECT_EQ(ReadFileOrNone(P("target/source/a")), "a");
  EXPECT_EQ(ReadFileOrNone(P("target/source/c")), "c");
}

TEST_P(CopyJobTest, ACopyOntoItselfIsRefused) {
  scratch_.WriteFile("file", "contents");
  ASSERT_EQ(link(P("file").c_str(), P("other").c_str()), 0);
  ASSERT_EQ(symlink("file", P("link").c_str()), 0);
  scratch_.MakeDirectory("directory");
  const struct {
    const char* source;
    const char* target;
    const char* letters;
    const char* message;
  } cases[] = {
      {"file", "file", "", "'file' and 'file' are the same file"},
      {"file", "other", "", "'file' and 'other' are the same file"},
      {"file", "link", "", "'file' and 'link' are the same file"},
      {"link", "file", "", "'link' and 'file' are the same file"},
      {"file", ".", "", "'file' and './file' are the same file"},
      {"directory", ".", "r", "'directory' and './directory' are the same file"},
      {"directory", "directory", "r",
       "cannot copy a directory, 'directory', into itself, 'directory/directory'"},
      {".", "directory", "r", "cannot copy a directory, '.', into itself, 'directory/.'"},
      {"link", "file", "d", "'link' and 'file' are the same file"},
      {"link", "other", "a", "'link' and 'other' are the same file"},
      {"link", "link", "d", "'link' and 'link' are the same file"},
      {"file", "file", "f", "'file' and 'file' are the same file"},
      {"file", "file", "a", "'file' and 'file' are the same file"},
  };
  for (const auto& refused : cases) {
    const JobRun run = Copy({refused.source}, refused.target, refused.letters);
    EXPECT_EQ(WithoutScratch(run.Messages()), refused.message)
        << refused.source << " " << refused.target;
    EXPECT_EQ(ReadFileOrNone(P("file")), "contents");
  }
}

TEST_P(CopyJobTest, HardLinksAreKeptWhereverTheyAre) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/a/b s/c; echo 1 >s/a/x; ln s/a/x s/a/b/y; ln s/a/x s/c/z;"
                   " ln s/a/x s/w; echo 2 >s/c/one; ln s/c/one s/c/two;"
                   " ln -s nowhere s/l; ln s/l s/m; mkfifo s/p; ln s/p s/a/q;"
                   " cp -a s expected");
  const JobRun run = Copy({"s"}, "t", "a");
  EXPECT_TRUE(run.succeeded()) << run.Messages();
  ExpectEqualTrees("expected", "t");
  EXPECT_EQ(run.progress.files_done, 10);
  EXPECT_EQ(run.progress.bytes_done, 4);  // Each file's contents are counted once.
  EXPECT_EQ(run.progress.bytes_total, 4);
}

TEST_P(CopyJobTest, ALinkedFileWhoseTargetIsADeviceDoesNotLoseItsOtherNames) {
  // The contents go into the device; the other name can't be a hard link to that.
  for (const char* special : {"a", "b"}) {
    PrepareWithShell(scratch_.path(),
                     absl::StrCat("rm -rf s t; mkdir -p s t/s; echo 1 >s/a; ln s/a s/b;"
                                  " ln -s /dev/null t/s/",
                                  special));
    const JobRun run = Copy({"s"}, "t", "a");
    EXPECT_TRUE(Exists(P("t/s/a"))) << special << " " << run.Messages();
    EXPECT_TRUE(Exists(P("t/s/b"))) << special << " " << run.Messages();
  }
}

TEST_P(CopyJobTest, ManyHardLinksOfOneFileAreAllMade) {
  constexpr int kLinks = 3000;
  scratch_.MakeDirectory("s");
  for (int i = 0; i < 30; ++i) scratch_.MakeDirectory(absl::StrCat("s/", i));
  scratch_.WriteFile("s/file", std::string(300'000, 'x'));
  for (int i = 0; i < kLinks; ++i) {
    ASSERT_EQ(link(P("s/file").c_str(), P(absl::StrCat("s/", i % 30, "/", i)).c_str()),
              0);
  }
  const JobRun run = Copy({"s"}, "t", "a");
  EXPECT_TRUE(run.succeeded()) << run.Messages();
  struct stat stat = {};
  ASSERT_EQ(::stat(P("t/file").c_str(), &stat), 0);
  EXPECT_EQ(stat.st_nlink, static_cast<nlink_t>(kLinks + 1));
  EXPECT_EQ(run.progress.files_done, kLinks + 1);
  EXPECT_EQ(run.progress.bytes_done, 300'000);
}

TEST_P(CopyJobTest, LinksThatDisappearWhileTheyWaitAreReportedEach) {
  constexpr int kLinks = 10;
  scratch_.MakeDirectory("tree");
  scratch_.MakeDirectory("target");
  for (int i = 0; i < 60; ++i) scratch_.WriteFile(absl::StrCat("tree/other", i), "x");
  scratch_.WriteFile("tree/0", "linked");
  for (int i = 0; i < kLinks; ++i) {
    const std::string name = P(absl::StrCat("tree/", i));
    if (i > 0) {
      ASSERT_EQ(link(P("tree/0").c_str(), name.c_str()), 0);
    }
    scratch_.MakeDirectory(absl::StrCat("target/", i));  // It is in the way.
  }
  JobHooks hooks;
  hooks.on_error = [&](const FileError&) {
    for (int i = 0; i < kLinks; ++i) unlink(P(absl::StrCat("tree/", i)).c_str());
  };
  CopyRequest request = Request({"tree"}, "target", "aT");
  const JobRun run = RunJob(request, hooks);
  EXPECT_EQ(run.errors.size(), static_cast<size_t>(kLinks)) << run.Messages();
  EXPECT_EQ(run.progress.files_failed, kLinks);
  EXPECT_EQ(run.progress.files_done, 60);
}

TEST_P(CopyJobTest, AWaitingLinkThatBecameAnotherFileIsNobodysLink) {
  constexpr int kLinks = 4;
  scratch_.MakeDirectory("tree");
  scratch_.MakeDirectory("target");
  scratch_.WriteFile("tree/0", "linked");
  for (int i = 1; i < kLinks; ++i) {
    ASSERT_EQ(link(P("tree/0").c_str(), P(absl::StrCat("tree/", i)).c_str()), 0);
  }
  // The order in which the job finds them.
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(P("tree"))) {
    names.push_back(entry.path().filename());
  }
  ASSERT_EQ(names.size(), static_cast<size_t>(kLinks));
  scratch_.MakeDirectory("target/" + names[0]);  // It is in the way of the first.
  JobHooks hooks;
  hooks.on_error = [&](const FileError&) {
    unlink(P("tree/" + names[1]).c_str());
    scratch_.WriteFile("tree/" + names[1], "other");
  };
  CopyRequest request = Request({"tree"}, "target", "aT");
  request.options.tuning.workers = 1;  // So that the first is copied first.
  const JobRun run = RunJob(request, hooks);
  EXPECT_EQ(run.errors.size(), 1u) << run.Messages();
  EXPECT_EQ(ReadFileOrNone(P("target/" + names[1])), "other");
  EXPECT_EQ(ReadFileOrNone(P("target/" + names[2])), "linked");
  EXPECT_EQ(ReadFileOrNone(P("target/" + names[3])), "linked");
}

TEST_P(CopyJobTest, TreesThatMeetInTheTargetAreMergedInTheirOrder) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p a/x b/x t u; echo A >a/x/f; echo B >b/x/f; echo C >b/x/g;"
                   " cp -r a/x b/x t");
  const JobRun run = Copy({"a/x", "b/x"}, "u", "r");
  EXPECT_TRUE(run.succeeded()) << run.Messages();
  ExpectEqualTrees("t", "u");
}

TEST_P(CopyJobTest, FilesThatComeToOneNameAreNotOverwritten) {
  PrepareWithShell(scratch_.path(), "mkdir a b t; echo A >a/f; echo B >b/f");
  const JobRun run = Copy({"a/f", "b/f"}, "t");
  EXPECT_EQ(WithoutScratch(run.Messages()),
            "will not overwrite just-created 't/f' with 'b/f'");
  EXPECT_EQ(ReadFileOrNone(P("t/f")), "A\n");
}

TEST_P(CopyJobTest, OwnersAloneLeaveModesToTheUmask) {
  PrepareWithShell(scratch_.path(),
                   "mkdir s; mkfifo -m 644 s/p; echo 1 >s/f; chmod 600 s/f; mkdir s/d;"
                   " cp -r --preserve=ownership s expected");
  CopyRequest request = Request({"s"}, "t", "r");
  request.options.preserve.ownership = true;
  const JobRun run = RunJob(request);
  EXPECT_TRUE(run.succeeded()) << run.Messages();
  ExpectEqualTrees("expected", "t");
}

TEST_P(CopyJobTest, AJobWithoutAnythingToCopyToFailsAsAWhole) {
  scratch_.WriteFile("file", "");
  const JobRun run = Copy({"file", "file"}, "none");
  EXPECT_EQ(run.result.outcome, JobResult::Outcome::kFailed);
  EXPECT_EQ(WithoutScratch(std::string(run.result.status.message())),
            "target 'none': No such file or directory");
  EXPECT_TRUE(run.errors.empty());
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

// Tests sources that are copied into the same directory. What a later source has replaces
// what an earlier one had, as if they had been copied one after the other.

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/engine_test.h"
#include "tests/job_runner.h"
#include "tests/odd_mount.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class CopyJobMergeTest : public EngineTest {
 protected:
  // Makes the directory `name` with the files f1 to f200, whose contents are `name`.
  void MakeFiles(const std::string& name) const {
    PrepareWithShell(scratch_.path(),
                     absl::StrCat("mkdir -p ", name, "; for i in $(seq 200); do echo ",
                                  name, " >", name, "/f$i; done"));
  }

  // "" if all files in directory `name` are those of `of`, otherwise the first other one.
  std::string NotOf(const std::string& of, const std::string& name) const {
    for (int i = 1; i <= 200; ++i) {
      const std::string file = absl::StrCat(name, "/f", i);
      const std::string contents = ReadFileOrNone(scratch_.Path(file));
      if (contents != of + "\n") return absl::StrCat(file, ": ", contents);
    }
    return "";
  }
};

TEST_P(CopyJobMergeTest, ASourceCopiedIntoTheTargetItselfMeetsTheOthers) {
  MakeFiles("a/sub");
  MakeFiles("b/sub");
  scratch_.MakeDirectory("t");
  EXPECT_EQ(RunJob(Request({"a/sub", "b/."}, "t", "r")).Messages(), "");
  EXPECT_EQ(NotOf("b/sub", "t/sub"), "");
  EXPECT_EQ(RunJob(Request({"b/.", "a/sub"}, "t", "r")).Messages(), "");
  EXPECT_EQ(NotOf("a/sub", "t/sub"), "");
}

TEST_P(CopyJobMergeTest, AFileThatIsNamedComesAfterADirectoryThatHasItsName) {
  MakeFiles("a");
  scratch_.WriteFile("f200", "named\n");
  scratch_.MakeDirectory("t");
  EXPECT_EQ(RunJob(Request({"a/.", "f200"}, "t", "r")).Messages(), "");
  EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/f200")), "named\n");
  EXPECT_EQ(RunJob(Request({"f200", "a/."}, "t", "r")).Messages(), "");
  EXPECT_EQ(NotOf("a", "t"), "");
}

TEST_P(CopyJobMergeTest, NamesMayBeTheSameOnTheTargetsFileSystem) {
  MakeFiles("a/sub");
  MakeFiles("b/SUB");
  PrepareWithShell(scratch_.path(), "mkdir backing odd");
  const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"), {"ignore-case"});
  if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
  EXPECT_EQ(RunJob(Request({"a/sub", "b/SUB"}, "odd", "r")).Messages(), "");
  EXPECT_EQ(NotOf("b/SUB", "odd/sub"), "");
  EXPECT_EQ(RunJob(Request({"b/SUB", "a/sub"}, "odd", "r")).Messages(), "");
  EXPECT_EQ(NotOf("a/sub", "odd/sub"), "");
}

TEST_P(CopyJobMergeTest, TwoNamesMayLeadToOneDirectory) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can mount a directory";
  MakeFiles("a/one");
  MakeFiles("b/two");
  PrepareWithShell(scratch_.path(), "mkdir -p t/one t/two");
  const std::string result = InChildProcess([&]() -> std::string {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount(scratch_.Path("t/one").c_str(), scratch_.Path("t/two").c_str(), nullptr,
              MS_BIND, nullptr) != 0) {
      return absl::StrCat("cannot mount: ", std::strerror(errno));
    }
    std::string problems = RunJob(Request({"a/one", "b/two"}, "t", "r")).Messages();
    problems += NotOf("b/two", "t/one");
    problems += RunJob(Request({"b/two", "a/one"}, "t", "r")).Messages();
    return problems + NotOf("a/one", "t/one");
  });
  if (result.starts_with("cannot mount")) GTEST_SKIP() << result;
  EXPECT_EQ(result, "");
}

TEST_P(CopyJobMergeTest, FilesWhoseTargetsAreOneFileAreCopiedInTheirOrder) {
  // The earlier files take longer to copy.
  PrepareWithShell(
      scratch_.path(),
      "mkdir s; for i in $(seq 10 49); do"
      " head -c $((10000 * (50 - i))) /dev/zero >s/f$i; echo $i >>s/f$i; done");
  std::vector<std::string> forth;
  for (int i = 10; i <= 49; ++i) forth.push_back(absl::StrCat("s/f", i));
  const std::vector<std::string> back(forth.rbegin(), forth.rend());
  for (const std::string link : {"ln", "ln -s"}) {
    for (const auto& sources : {forth, back}) {
      PrepareWithShell(scratch_.path(),
                       absl::StrCat("rm -rf t; mkdir t; cd t; echo >real;"
                                    "for i in $(seq 10 49); do ",
                                    link, " real f$i; done"));
      EXPECT_EQ(RunJob(Request(sources, "t", "")).Messages(), "");
      EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/real")),
                ReadFileOrNone(scratch_.Path(sources.back())))
          << link;
    }
  }
}

// The first source must not be written through its link, although the second has just
// made what the link leads to.
TEST_P(CopyJobMergeTest, ALinkToWhatALaterSourceMakesIsNotWrittenThrough) {
  PrepareWithShell(scratch_.path(), "mkdir s; seq 100000 >s/a; echo b >s/b; echo c >s/c");
  for (int i = 0; i < 5; ++i) {
    PrepareWithShell(scratch_.path(), "rm -rf t; mkdir t; ln -s b t/a");
    EXPECT_EQ(RunJob(Request({"s/a", "s/b", "s/c"}, "t", "")).Messages(),
              absl::StrCat("not writing through dangling symlink '", scratch_.Path("t/a"),
                           "'"));
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/b")), "b\n");
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("t/c")), "c\n");
  }
}

TEST_P(CopyJobMergeTest, TheTargetItselfAmongTheSourcesIsTheSameFile) {
  PrepareWithShell(scratch_.path(), "mkdir a t; echo x >a/f");
  EXPECT_EQ(RunJob(Request({"a/.", "t/."}, "t", "r")).Messages(),
            absl::StrCat("'", scratch_.Path("t/."), "' and '", scratch_.Path("t/."),
                         "' are the same file"));
}

TEST_P(CopyJobMergeTest, HardLinksLeadThroughADirectoryThatIsALink) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/a s/b elsewhere target/s; echo f > s/a/f; ln s/a/f s/b/f;"
                   "ln -s ../../elsewhere target/s/a");
  CopyRequest request = Request({"s"}, "target", "a");
  request.options.keep_directory_symlink = true;
  EXPECT_EQ(RunJob(request).Messages(), "");
  struct stat at_a = {};
  struct stat at_b = {};
  ASSERT_EQ(stat(scratch_.Path("elsewhere/f").c_str(), &at_a), 0);
  ASSERT_EQ(stat(scratch_.Path("target/s/b/f").c_str(), &at_b), 0);
  EXPECT_EQ(at_a.st_ino, at_b.st_ino);
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobMergeTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

// Tests jobs that make the directories above their sources (--parents) with all engines.
// What becomes of which source is compared with GNU cp (tests/e2e).

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
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

class CopyJobParentsTest : public EngineTest {
 protected:
  CopyJobParentsTest() { scratch_.MakeDirectory("target"); }

  // A copy of the absolute `sources` with their parents.
  CopyRequest WithParents(const std::vector<std::string>& sources,
                          const std::string& letters) const {
    CopyRequest request = Request(sources, "target", letters);
    request.options.parents = true;
    return request;
  }
  // The copy of `name`.
  std::string Copy(const std::string& name) const {
    return absl::StrCat(scratch_.Path("target"), scratch_.Path(name));
  }
  static std::string Differences(const std::string& expected, const std::string& actual) {
    const FileTreeOptions exactly = {.recent_as_now = false};
    return DifferenceOfTrees(ListFileTree(expected, exactly),
                             ListFileTree(actual, exactly));
  }
};

// Directories are closed and opened again while others are filled; each gets its times
// when everything is in it, although sources come in no order.
TEST_P(CopyJobParentsTest, ManySourcesAreCopiedWithFewFilesOpen) {
  PrepareWithShell(scratch_.path(),
                   "mkdir s; cd s; for d in 1 2 3 4 5 6 7 8; do"
                   " mkdir -p $d/a/b/c/d/e/f; for p in . a a/b/c a/b/c/d/e/f; do"
                   " for f in $(seq 20); do echo $f > $d/$p/$f; done; done; done;"
                   " ln 1/a/3 8/a/b/link; chmod 550 2/a; chmod 711 3/a/b;"
                   " find . -exec touch -d '2001-02-03' {} +");
  std::vector<std::string> sources;
  for (int file = 1; file <= 20; ++file) {
    for (const char* path : {"a/b/c/d/e/f", ".", "a/b/c", "a"}) {
      for (int i = 1; i <= 8; ++i) {
        if (std::string(path) == ".") {
          sources.push_back(absl::StrCat("s/", i, "/", file));
        } else {
          sources.push_back(absl::StrCat("s/", i, "/", path, "/", file));
        }
      }
    }
  }
  sources.push_back("s/8/a/b/link");
  const JobRun run = RunJob(WithParents(sources, "a"), {}, {.files_max = 24});
  EXPECT_EQ(run.Messages(), "");
  EXPECT_EQ(run.progress.files_done, static_cast<int64_t>(sources.size()));
  EXPECT_EQ(run.progress.files_total, static_cast<int64_t>(sources.size()));
  EXPECT_EQ(Differences(scratch_.Path("s"), Copy("s")), "");
}

TEST_P(CopyJobParentsTest, DirectoriesAndFilesShareTheirParents) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/a/tree/b/c; echo f > s/a/f; echo g > s/a/tree/b/g;"
                   "ln s/a/f s/a/tree/link; find s -exec touch -d '2001-02-03' {} +");
  const JobRun run = RunJob(WithParents({"s/a/f", "s/a/tree"}, "a"));
  EXPECT_EQ(run.Messages(), "");
  EXPECT_EQ(Differences(scratch_.Path("s/a"), Copy("s/a")), "");
}

// GNU cp fails here: it takes what is in a directory that it has made for new.
TEST_P(CopyJobParentsTest, ContentsGoIntoAParentThatWasJustMade) {
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/a/b; echo f > s/a/b/f; chmod 555 s/a/b;"
                   "find s -exec touch -d '2001-02-03' {} +");
  const JobRun run = RunJob(WithParents({"s/a/b/."}, "a"));
  EXPECT_EQ(run.Messages(), "");
  EXPECT_EQ(Differences(scratch_.Path("s/a"), Copy("s/a")), "");
}

// The two may be one file in the target: the later one wins.
TEST_P(CopyJobParentsTest, SourcesWhoseParentsAreOneDirectoryDontMeet) {
  PrepareWithShell(scratch_.path(),
                   "mkdir s s/a s/b; echo old > s/a/f; echo new > s/b/f;"
                   "mkdir -p target$PWD/s/a; ln -s a target$PWD/s/b");
  const JobRun run = RunJob(WithParents({"s/a/f", "s/b/f"}, ""));
  EXPECT_EQ(run.Messages(), "");
  EXPECT_EQ(ReadFileOrNone(Copy("s/a/f")), "new\n");
}

// As in GNU cp each source that is not copied is told of, and counted.
TEST_P(CopyJobParentsTest, EachSourceWhoseParentCantBeMadeHasFailed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  chmod(scratch_.path().c_str(), 0755);
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/a/b; touch s/a/f s/a/b/g s/a/b/h; chmod 700 target");
  const CopyRequest request = WithParents({"s/a/f", "s/a/b/g", "s/a/b/h"}, "");
  EXPECT_EQ(InChildProcess([&]() -> std::string {
              chmod(scratch_.Path("target").c_str(), 0755);
              BecomeOrdinaryUser();
              const JobRun run = RunJob(request);
              if (run.errors.size() != 3) return run.Messages();
              if (run.progress.files_failed != 3) return "not counted";
              return run.errors[2].message.starts_with("cannot make directory")
                         ? ""
                         : run.Messages();
            }),
            "");
}

// GNU cp looks at the directories above a source, and never opens them.
TEST_P(CopyJobParentsTest, ParentsNeedNotBeReadable) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  chmod(scratch_.path().c_str(), 0755);
  PrepareWithShell(scratch_.path(),
                   "mkdir -p s/a/b; echo f > s/a/b/f; chmod 711 s/a s/a/b;"
                   "chmod 777 target");
  const CopyRequest request = WithParents({"s/a/b/f"}, "p");
  EXPECT_EQ(InChildProcess([&]() -> std::string {
              BecomeOrdinaryUser();
              return RunJob(request).Messages();
            }),
            "");
  EXPECT_TRUE(Exists(Copy("s/a/b/f")));
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobParentsTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

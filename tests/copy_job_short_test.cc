// Jobs on a file system that reads and writes less than it is asked to: what is copied is
// whole, and never more than it.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/copy_job.h"
#include "gtest/gtest.h"
#include "tests/engine_test.h"
#include "tests/file_tree.h"
#include "tests/job_runner.h"
#include "tests/odd_mount.h"
#include "tests/programs.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class CopyJobShortTest : public EngineTest {};

// Less than a kilobyte, less than a block, some blocks, and holes.
constexpr char kMakeTree[] =
    "mkdir -p odd backing/s/sub; cd backing/s; : >empty; printf x >one; seq 150 >small;"
    " seq 20000 >sub/medium; seq 100000 >sub/large; truncate -s 300k holes;"
    " seq 1000 >>holes; truncate -s 600k holes";

constexpr const char* kNames[] = {"empty",      "one",       "small",
                                  "sub/medium", "sub/large", "holes"};

TEST_P(CopyJobShortTest, WhatIsReadAndWrittenInPiecesIsWhole) {
  PrepareWithShell(scratch_.path(), kMakeTree);
  for (const std::vector<std::string>& oddities : std::vector<std::vector<std::string>>{
           {"short-writes"},
           {"short-writes", "direct-io"},
           {"short-reads", "direct-io"},
           {"short-reads", "short-writes", "direct-io"}}) {
    const OddMount odd(scratch_.Path("backing"), scratch_.Path("odd"), oddities);
    if (!odd.why_not().empty()) GTEST_SKIP() << odd.why_not();
    for (const char* options : {"r", "a"}) {
      SCOPED_TRACE(absl::StrCat(oddities.front(), " ", oddities.back(), " -", options));
      // Into new files, and over old ones that are longer.
      for (const bool over : {false, true}) {
        if (over) {
          PrepareWithShell(scratch_.path(),
                           "find backing/t -type f | while read f; do"
                           " head -c 700k /dev/zero >$f; done");
        }
        CopyRequest request = Request({"odd/s"}, "odd/t", options);
        request.options.target_kind = TargetKind::kNotDirectory;
        EXPECT_EQ(RunJob(request).Messages(), "");
        for (const char* name : kNames) {
          EXPECT_TRUE(ReadFileOrNone(scratch_.Path(absl::StrCat("backing/t/", name))) ==
                      ReadFileOrNone(scratch_.Path(absl::StrCat("backing/s/", name))))
              << name << (over ? ", over an old one" : "");
        }
      }
      PrepareWithShell(scratch_.path(), "rm -r backing/t");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobShortTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

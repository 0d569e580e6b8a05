// Tests what a job's engine report says about how its ops ran.

#include <string>

#include "absl/strings/str_cat.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/engine_test.h"
#include "tests/job_runner.h"
#include "tests/refused_calls.h"

namespace ringcp {
namespace {

constexpr int kFiles = 50;

class CopyJobEngineTest : public EngineTest {
 protected:
  void WriteTree() {
    scratch_.MakeDirectory("tree");
    for (int i = 0; i < kFiles; ++i) {
      scratch_.WriteFile(absl::StrCat("tree/", i), "contents");
    }
  }
};

TEST_P(CopyJobEngineTest, OpsAreCountedByTheWayTheyRan) {
  WriteTree();
  const JobRun run = RunJob(Request({"tree"}, "target", "a"));
  ASSERT_TRUE(run.succeeded()) << run.Messages();
  const EngineReport& report = run.report;
  EXPECT_GE(report.sqes + report.ops_at_once, 4 * kFiles);
  switch (GetParam()) {
    case EngineChoice::kUring:
      EXPECT_GE(report.chains, kFiles);
      EXPECT_GT(report.linked, 0);
      EXPECT_EQ(report.sqes, report.chains + report.linked);
      EXPECT_GT(report.enters, 0);
      break;
    case EngineChoice::kThreads:
      EXPECT_EQ(report.sqes, 0);
      EXPECT_EQ(report.linked, 0);
      EXPECT_EQ(report.enters, 0);
      EXPECT_EQ(report.ops_at_once_with_opcode, 0);
      break;
    case EngineChoice::kAuto:
      break;
  }
}

// A chain takes a call or two for many ops.
TEST_P(CopyJobEngineTest, WhereCallsAreDearSmallFilesGoByChains) {
  if (GetParam() != EngineChoice::kAuto) {
    GTEST_SKIP() << "the other engines are asked for";
  }
  WriteTree();
  const CopyRequest request = Request({"tree"}, "target", "r");
  const std::string files = InChildProcess([&] {
    if (!MakeCallsDear()) return std::string("skipped: the filter was refused");
    const JobRun run = RunJob(request);
    if (run.report.engine != "uring") return absl::StrCat("skipped: ", run.report.reason);
    return absl::StrCat(run.Messages(), run.report.files, " files, at once ",
                        run.report.files_at_once);
  });
  if (files.starts_with("skipped: ")) GTEST_SKIP() << files;
  EXPECT_EQ(files, absl::StrCat(kFiles, " files, at once 0"));
}

TEST_P(CopyJobEngineTest, TheReportGrowsWhileTheJobRuns) {
  WriteTree();
  EngineReport last;
  bool names_an_engine = true;
  bool fell = false;
  const auto look = [&](CopyJob* job, int) {
    const EngineReport now = job->engine_report();
    names_an_engine = names_an_engine && !now.engine.empty();
    fell = fell || now.sqes < last.sqes || now.ops_at_once < last.ops_at_once ||
           now.files < last.files;
    last = now;
  };
  CopyRequest request = Request({"tree"}, "target", "r");
  request.options.tuning.workers = 1;
  JobHooks hooks;
  hooks.on_copied = look;
  const JobRun run = RunJob(request, hooks);
  EXPECT_TRUE(names_an_engine);
  EXPECT_FALSE(fell);
  EXPECT_GT(last.files, 0);
  EXPECT_LE(last.sqes, run.report.sqes);
  EXPECT_EQ(run.report.files, kFiles);
}

INSTANTIATE_TEST_SUITE_P(Engines, CopyJobEngineTest, testing::ValuesIn(kEngines),
                         EngineTestName);

}  // namespace
}  // namespace ringcp

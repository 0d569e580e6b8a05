// Tests that copies are made by system calls, and the reason is reported, if the kernel
// refuses io_uring, as containers and administrators make it do.

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/job/copy_job.h"
#include "gtest/gtest.h"
#include "tests/child_process.h"
#include "tests/job_runner.h"
#include "tests/programs.h"
#include "tests/refused_calls.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

class UringRefusedTest : public testing::Test {
 protected:
  UringRefusedTest() {
    scratch_.MakeDirectory("tree");
    for (int i = 0; i < 20; ++i) scratch_.WriteFile(absl::StrCat("tree/", i), "contents");
  }

  CopyRequest Request(EngineChoice engine) const {
    CopyRequest request;
    request.sources = {scratch_.Path("tree")};
    request.target = scratch_.Path("target");
    request.options = OptionsFor("a", engine);
    return request;
  }

  // Runs a job while `system_call` fails. Returns the engine, its reason, the messages,
  // and how many files were copied.
  std::string RunWithout(uint32_t system_call, int error_number,
                         EngineChoice engine) const {
    const CopyRequest request = Request(engine);
    return InChildProcess([&]() -> std::string {
      if (!RefuseCall(system_call, error_number)) return "no filter";
      const JobRun run = RunJob(request);
      return absl::StrCat(run.report.engine, "|", run.report.reason, "|", run.Messages(),
                          "|", run.progress.files_done);
    });
  }

  ScratchDirectory scratch_;
};

constexpr struct {
  int error_number;
  const char* reason;
} kCases[] = {
    {EPERM,
     "io_uring_setup: Operation not permitted (a container's seccomp profile or"
     " kernel.io_uring_disabled forbids it)"},
    {ENOSYS, "io_uring_setup: Function not implemented (this kernel has no io_uring)"},
    {ENOMEM,
     "io_uring_setup: Cannot allocate memory (the limit on locked memory is too small:"
     " see ulimit -l)"},
};

TEST_F(UringRefusedTest, TheJobIsDoneBySystemCallsAndTellsWhy) {
  for (const auto& [error_number, reason] : kCases) {
    EXPECT_EQ(RunWithout(SYS_io_uring_setup, error_number, EngineChoice::kAuto),
              absl::StrCat("threads|", reason, "||20"));
    EXPECT_EQ(ReadFileOrNone(scratch_.Path("target/19")), "contents");
    PrepareWithShell(scratch_.path(), "rm -rf target");
  }
}

TEST_F(UringRefusedTest, AskedForIoUringTheJobFails) {
  for (const auto& [error_number, reason] : kCases) {
    EXPECT_EQ(RunWithout(SYS_io_uring_setup, error_number, EngineChoice::kUring),
              absl::StrCat("||cannot use io_uring: ", reason, "|0"));
  }
  EXPECT_FALSE(Exists(scratch_.Path("target")));
}

TEST_F(UringRefusedTest, TheJobFailsWhereAnOptionAsksForIoUring) {
  for (const auto& [option, name] : {std::pair(&CopyOptions::sqpoll, "--sqpoll"),
                                     {&CopyOptions::iopoll, "--iopoll"}}) {
    CopyRequest request = Request(EngineChoice::kAuto);
    request.options.*option = true;
    request.options.page_cache = PageCache::kBypass;
    const std::string messages = InChildProcess([&]() -> std::string {
      if (!RefuseCall(SYS_io_uring_setup, ENOSYS)) return "no filter";
      return RunJob(request).Messages();
    });
    EXPECT_EQ(messages, absl::StrCat("cannot use io_uring with ", name,
                                     ": io_uring_setup: Function not implemented (this "
                                     "kernel has no io_uring)"));
  }
}

TEST_F(UringRefusedTest, NothingGoesPastPreloadedLibraries) {
  const CopyRequest request = Request(EngineChoice::kAuto);
  const std::string result = InChildProcess([&]() -> std::string {
    setenv("LD_PRELOAD", "library.so", /*overwrite=*/1);
    const JobRun run = RunJob(request);
    return absl::StrCat(run.report.engine, "|", run.report.reason, "|", run.Messages(),
                        "|", run.progress.files_done);
  });
  EXPECT_EQ(result,
            "threads|io_uring would go past the libraries that LD_PRELOAD names||20");
}

TEST_F(UringRefusedTest, ARingThatCanNotBeSetUpCompletelyIsRefusedToo) {
  if (ProbeEngine().engine != "uring") GTEST_SKIP() << ProbeEngine().reason;
  const std::string result =
      RunWithout(SYS_io_uring_register, EPERM, EngineChoice::kAuto);
  EXPECT_TRUE(result.starts_with("threads|io_uring")) << result;
  EXPECT_TRUE(result.ends_with("||20")) << result;
}

TEST_F(UringRefusedTest, AJobWithFewFilesDoesWithoutARing) {
  CopyRequest request = Request(EngineChoice::kAuto);
  request.sources = {scratch_.Path("tree/1")};
  const JobRun run = RunJob(request);
  EXPECT_EQ(run.report.engine, "threads");
  EXPECT_NE(run.report.reason, "");
  EXPECT_EQ(run.progress.files_done, 1);
}

TEST_F(UringRefusedTest, AnOrdinaryUserWithLittleLockedMemoryStillCopies) {
  const CopyRequest request = Request(EngineChoice::kAuto);
  PrepareWithShell(scratch_.path(), "chmod a+rx . tree; mkdir -m 777 target");
  const std::string result = InChildProcess([&]() -> std::string {
    const rlimit locked = {.rlim_cur = 64 * 1024, .rlim_max = 64 * 1024};
    setrlimit(RLIMIT_MEMLOCK, &locked);
    BecomeOrdinaryUser();
    const JobRun run = RunJob(request);
    return absl::StrCat(run.Messages(), run.progress.files_done);
  });
  EXPECT_EQ(result, "20");
}

}  // namespace
}  // namespace ringcp

// Tests a ring that fails while it is used, because the kernel refuses io_uring_enter(2).
// The job must fail with a message, and the process, which may have other jobs, must go
// on.

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/job/copy_job.h"
#include "core/kernel/kernel.h"
#include "gtest/gtest.h"
#include "tests/job_runner.h"
#include "tests/kernel_under_test.h"
#include "tests/scratch_directory.h"
#include "tests/traced_child.h"

namespace ringcp {
namespace {

class UringFailureTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    if (MakeUringKernel(&why_not) == nullptr) GTEST_SKIP() << why_not;
  }

  // Copies a tree while the kernel refuses every call from the n-th on, for each n. Each
  // file's target has the contents `old` before, if there are any.
  void CopyWhileTheRingFails(const std::optional<std::string>& old);

  ScratchDirectory scratch_;
};

// Whether the call does work: the calls of a ring's set-up submit at most one op, and
// wait for at most one.
bool IsOfWork(const TracedCall& call) {
  return call.number == SYS_io_uring_enter &&
         (call.arguments[1] > 1 || call.arguments[2] > 1);
}

TEST_F(UringFailureTest, ChainsInFlightAreHandedBackAndCleaningUpStillWorks) {
  const std::string name = scratch_.WriteFile("name", "");
  int enters = 0;
  const std::optional<std::string> result = InTracedChild(
      [&]() -> std::string {
        std::string why_not;
        const std::unique_ptr<Kernel> kernel = MakeUringKernel(&why_not);
        struct statx stat = {};
        Chain chain;
        for (int i = 0; i < 3; ++i) {
          chain.Add(StatAt(AT_FDCWD, name.c_str(), 0, &stat));
        }
        std::vector<ChainResults> settled;
        if (!kernel->Queue(ChainId{1}, chain.ops())) return "not queued";
        kernel->Wait(absl::Seconds(60), &settled);
        chain.clear();
        chain.Add(Close(FileRef::Slot(0)));
        chain.Add(UnlinkAt(AT_FDCWD, name.c_str(), 0), Tie::kHard);
        if (!kernel->Queue(ChainId{2}, chain.ops())) return "not queued";
        const int in_flight = kernel->chains_in_flight();
        kernel->Wait(absl::Seconds(60), &settled);
        if (settled.size() != 2 || kernel->chains_in_flight() != 0) return "not settled";
        return absl::StrCat(kernel->status().message(), "|",
                            absl::StrJoin(settled[0].results(), ","), "|", in_flight, "|",
                            absl::StrJoin(settled[1].results(), ","));
      },
      [&](TracedCall* call) {
        if (IsOfWork(*call) && ++enters == 1) call->result = -EPERM;
      });
  if (!result.has_value()) GTEST_SKIP() << "no tracing here";
  EXPECT_EQ(*result, absl::StrCat("io_uring_enter: Operation not permitted|", -EIO, ",",
                                  -ECANCELED, ",", -ECANCELED, "|1|0,0"));
  EXPECT_FALSE(Exists(name));
}

TEST_F(UringFailureTest, MemoryThatIsShortForAMomentIsWaitedFor) {
  const std::string name = scratch_.WriteFile("name", "");
  int refusals = 0;
  const std::optional<std::string> result = InTracedChild(
      [&]() -> std::string {
        std::string why_not;
        const std::unique_ptr<Kernel> kernel = MakeUringKernel(&why_not);
        struct statx stat = {};
        Chain chain;
        for (int i = 0; i < 3; ++i) {
          chain.Add(StatAt(AT_FDCWD, name.c_str(), 0, &stat));
        }
        if (!kernel->Queue(ChainId{1}, chain.ops())) return "not queued";
        std::vector<ChainResults> settled;
        while (settled.empty()) kernel->Wait(absl::Seconds(60), &settled);
        return absl::StrCat(kernel->status().ok(), "|",
                            absl::StrJoin(settled[0].results(), ","));
      },
      [&](TracedCall* call) {
        if (!IsOfWork(*call) || refusals == 3) return;
        ++refusals;
        call->result = refusals == 2 ? -ENOMEM : -EAGAIN;
      });
  if (!result.has_value()) GTEST_SKIP() << "no tracing here";
  EXPECT_EQ(*result, "1|0,0,0");
  EXPECT_EQ(refusals, 3);
}

void UringFailureTest::CopyWhileTheRingFails(const std::optional<std::string>& old) {
  constexpr int kFiles = 20;
  constexpr int kCallsMax = 100;  // More than the job makes.
  scratch_.MakeDirectory("tree");
  const auto contents = [](int i) { return absl::StrCat("contents of ", i); };
  for (int i = 0; i < kFiles; ++i) {
    scratch_.WriteFile(absl::StrCat("tree/", i), contents(i));
  }
  bool job_ended_before = false;
  for (int n = 1; n <= kCallsMax && !job_ended_before; ++n) {
    CopyRequest request;
    const std::string target_name = absl::StrCat("target-", n);
    request.sources = {scratch_.Path("tree")};
    request.target = scratch_.Path(target_name);
    request.options = OptionsFor("a", EngineChoice::kUring);
    request.options.target_kind = TargetKind::kNotDirectory;
    request.options.tuning.workers = 1;
    if (old.has_value()) {
      scratch_.MakeDirectory(target_name);
      for (int i = 0; i < kFiles; ++i) {
        scratch_.WriteFile(absl::StrCat(target_name, "/", i), *old);
      }
    }
    int enters = 0;
    const std::optional<std::string> messages = InTracedChild(
        [&] { return absl::StrCat(RunJob(request).Messages(), "\nstill there"); },
        [&](TracedCall* call) {
          if (IsOfWork(*call)) ++enters;
          if (call->number == SYS_io_uring_enter && enters >= n) call->result = -EINVAL;
        });
    if (!messages.has_value()) GTEST_SKIP() << "no tracing here";
    job_ended_before = enters < n;
    EXPECT_TRUE(absl::EndsWith(*messages, "still there")) << *messages;
    EXPECT_EQ(absl::StrContains(*messages,
                                "io_uring failed, and what was not copied by then is "
                                "missing: io_uring_enter: Invalid argument"),
              !job_ended_before)
        << *messages;
    for (int i = 0; i < kFiles; ++i) {
      const std::string target = scratch_.Path(absl::StrCat(target_name, "/", i));
      // A file that the kernel made after the job had stopped taking results is empty.
      const std::string found = ReadFileOrNone(target);
      const bool is_new = !Exists(target) || found == contents(i) || found.empty();
      EXPECT_TRUE(is_new || found == old) << target;
    }
  }
  EXPECT_TRUE(job_ended_before) << kCallsMax << " calls were not enough for the job";
}

TEST_F(UringFailureTest, TheJobFailsSaysSoAndLeavesNoFileThatIsNotWhole) {
  CopyWhileTheRingFails(/*old=*/std::nullopt);
}

// The job's workers are kept, but not its claims on these targets.
TEST_F(UringFailureTest, TheSameWhereTheTargetsAreThere) {
  CopyWhileTheRingFails("old contents");
}

}  // namespace
}  // namespace ringcp

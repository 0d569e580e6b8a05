// Tests what happens if io_uring_enter(2) accepts fewer ops than it is given, even in the
// middle of a chain: the rest of that chain must not run. A kernel does so only when
// memory is short; here the test makes the call with a smaller number.

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/job/copy_job.h"
#include "core/kernel/kernel.h"
#include "gtest/gtest.h"
#include "tests/job_runner.h"
#include "tests/kernel_under_test.h"
#include "tests/scratch_directory.h"
#include "tests/test_seed.h"
#include "tests/traced_child.h"

namespace ringcp {
namespace {

class UringCutChainTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string why_not;
    if (MakeUringKernel(&why_not) == nullptr) GTEST_SKIP() << why_not;
  }

  ScratchDirectory scratch_;
};

// The sizes of the queued chains, and how many of their ops the kernel first gets.
struct CutCase {
  std::vector<int> sizes;
  int told;
};

// Makes an io_uring_enter accept only `ops` ops. As in a real kernel, it then does not
// wait.
void Cut(TracedCall* call, uint64_t ops) {
  call->arguments[1] = ops;
  call->arguments[2] = 0;
}

std::string Results(const ChainResults& chain) {
  return absl::StrJoin(chain.results(), ",");
}

// Op i of chain c removes the name "c.i": the names left show which ops have not run.
TEST_F(UringCutChainTest, TheRestOfTheChainIsCancelledAndNothingOfItRuns) {
  for (const CutCase& cut : std::vector<CutCase>{{{3}, 1},
                                                 {{3}, 2},
                                                 {{7}, 4},
                                                 {{2, 3, 2}, 1},
                                                 {{2, 3, 2}, 2},  // Between chains.
                                                 {{2, 3, 2}, 3},
                                                 {{2, 3, 2}, 4},
                                                 {{2, 3, 2}, 6},
                                                 {{1, 1, 1}, 1}}) {
    std::vector<std::vector<std::string>> names(cut.sizes.size());
    for (size_t c = 0; c < names.size(); ++c) {
      for (int i = 0; i < cut.sizes[c]; ++i) {
        names[c].push_back(scratch_.WriteFile(absl::StrCat(c, ".", i), ""));
      }
    }
    int enters = 0;
    const std::optional<std::string> results = InTracedChild(
        [&]() -> std::string {
          std::string why_not;
          const std::unique_ptr<Kernel> kernel = MakeUringKernel(&why_not);
          std::vector<std::string> texts(names.size());
          for (size_t c = 0; c < names.size(); ++c) {
            Chain chain;
            for (const std::string& name : names[c]) {
              chain.Add(UnlinkAt(AT_FDCWD, name.c_str(), 0));
            }
            if (!kernel->Queue(ChainId{static_cast<uint32_t>(c)}, chain.ops())) return "";
          }
          std::vector<ChainResults> settled;
          while (kernel->chains_in_flight() > 0) {
            kernel->Wait(absl::Seconds(60), &settled);
          }
          for (const ChainResults& chain : settled) {
            texts[chain.id.value] = Results(chain);
          }
          return absl::StrJoin(texts, ";");
        },
        [&](TracedCall* call) {
          // The first calls, of one op each, belong to the ring's set-up.
          if (call->number != SYS_io_uring_enter || call->arguments[1] <= 1) return;
          if (++enters == 1) Cut(call, cut.told);
        });
    if (!results.has_value()) GTEST_SKIP() << "no tracing here";
    std::vector<std::string> expected;
    int queued_before = 0;
    for (size_t c = 0; c < names.size(); ++c) {
      std::vector<std::string> expected_results;
      const bool is_cut = queued_before < cut.told;
      for (int i = 0; i < cut.sizes[c]; ++i) {
        const bool runs = !is_cut || queued_before + i < cut.told;
        expected_results.push_back(runs ? "0" : absl::StrCat(-ECANCELED));
        EXPECT_EQ(Exists(names[c][i]), !runs) << names[c][i] << ", told " << cut.told;
      }
      expected.push_back(absl::StrJoin(expected_results, ","));
      queued_before += cut.sizes[c];
    }
    EXPECT_EQ(*results, absl::StrJoin(expected, ";")) << "told " << cut.told;
  }
}

// Some files may not be copied then. Those that exist must be complete, and messages must
// name the others.
TEST_F(UringCutChainTest, AJobWhoseChainsAreCutCopiesWholeFilesOrSaysSo) {
  constexpr int kFiles = 200;
  scratch_.MakeDirectory("tree");
  const auto contents = [](int i) {
    return absl::StrCat("contents of ", i, std::string(i % 7 * 1000, 'x'));
  };
  for (int i = 0; i < kFiles; ++i) {
    scratch_.WriteFile(absl::StrCat("tree/", i), contents(i));
  }
  for (const char* letters : {"r", "a"}) {
    CopyRequest request;
    request.sources = {scratch_.Path("tree")};
    const std::string target_name = absl::StrCat("target-", letters);
    request.target = scratch_.Path(target_name);
    request.options = OptionsFor(letters, EngineChoice::kUring);
    request.options.tuning.workers = 1;
    std::mt19937 random(TestSeed());
    int cut = 0;
    const auto cut_some = [&](TracedCall* call) {
      const bool is_of_work =
          call->number == SYS_io_uring_enter && call->arguments[1] > 1;
      if (!is_of_work || random() % 2 == 0) return;
      Cut(call, 1 + random() % call->arguments[1]);
      ++cut;
    };
    const std::optional<std::string> messages =
        InTracedChild([&] { return RunJob(request).Messages(); }, cut_some);
    if (!messages.has_value()) GTEST_SKIP() << "no tracing here";
    EXPECT_GT(cut, 0);
    int copied = 0;
    for (int i = 0; i < kFiles; ++i) {
      const std::string target = scratch_.Path(absl::StrCat(target_name, "/", i));
      if (Exists(target)) {
        EXPECT_EQ(ReadFileOrNone(target), contents(i)) << target;
        ++copied;
      } else {
        EXPECT_NE(messages->find(absl::StrCat("/", i, "'")), std::string::npos)
            << "nothing was said of " << target;
      }
    }
    const auto lines = std::count(messages->begin(), messages->end(), '\n');
    EXPECT_GE(lines + 1, kFiles - copied) << *messages;
  }
}

}  // namespace
}  // namespace ringcp

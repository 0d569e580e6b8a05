#include "core/job/wait_control.h"

#include <chrono>
#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/simulation/lone_sim_kernel.h"

namespace ringcp {
namespace {

constexpr int kLevelMax = WaitController::kLevelMax;

class WaitControlTest : public testing::Test {
 protected:
  // Lets so many ops end in each of the next milliseconds, as many being under way as may
  // be. Returns after which of them the level was another one.
  std::vector<int> Run(int milliseconds, int ended, WaitControl* control) {
    std::vector<int> changes;
    for (int i = 0; i < milliseconds; ++i) {
      kernel_.its_world()->AdvanceBy(absl::Milliseconds(1));
      const int level = level_;
      limits_ = control->Note(kernel_, ended, /*was_at_limit=*/true);
      level_ = limits_.kernel.kernel_workers_max;
      if (level_ != level) changes.push_back(i);
    }
    return changes;
  }

  // The same with as many ends a second as `rate` says for the level at the time.
  // Returns after how many milliseconds `is_enough` was true of the level; -1: never.
  int Serve(int milliseconds, const std::function<double(int)>& rate,
            const std::function<bool(int)>& is_enough, WaitControl* control) {
    double owed = 0;
    for (int i = 1; i <= milliseconds; ++i) {
      owed += rate(level_) / 1000;
      const int ended = static_cast<int>(owed);
      owed -= ended;
      Run(1, ended, control);
      if (is_enough(level_)) return i;
    }
    return -1;
  }

  LoneSimKernel kernel_{{}, {}};
  WaitControl::Limits limits_;
  int level_ = WaitController::kLevelMin;
};

TEST_F(WaitControlTest, ItClimbsInShortSamples) {
  WaitControl control(kLevelMax, /*workers=*/1, /*cpus=*/2);
  const auto sample =
      static_cast<int>(absl::ToInt64Milliseconds(WaitControl::kSampleMin));
  EXPECT_EQ(Run(2 * sample + 1, /*ended=*/20, &control),
            (std::vector<int>{sample, 2 * sample}));
  EXPECT_GE(level_, WaitController::kClimb);
  EXPECT_TRUE(limits_.kernel.calls_wait);
}

TEST_F(WaitControlTest, OtherSamplesLastAsLongAsFilesTake) {
  constexpr int kEnded = 4;
  WaitControl control(kLevelMax, /*workers=*/1, /*cpus=*/2);
  // More under way brings nothing, so the level falls back, and is tried now and then.
  const std::vector<int> changes = Run(5000, kEnded, &control);
  ASSERT_GE(changes.size(), 5u);
  const int sample = WaitControl::kEndsPerFile * WaitControl::kCopiesMin / kEnded;
  // From the third on they were no part of the climb, and each took two samples at least.
  for (size_t i = 3; i < changes.size(); ++i) {
    EXPECT_GE(changes[i] - changes[i - 1], sample) << i;
  }
}

TEST_F(WaitControlTest, AfterAPauseASampleBeginsAnew) {
  WaitControl control(kLevelMax, /*workers=*/1, /*cpus=*/2);
  Run(1, /*ended=*/1, &control);
  kernel_.its_world()->AdvanceBy(3 * WaitControl::kSampleMax);
  const WaitControl::Limits limits =
      control.Note(kernel_, /*ended=*/1000, /*was_at_limit=*/false);
  EXPECT_EQ(limits.kernel.kernel_workers_max, WaitController::kLevelMin);
  EXPECT_FALSE(limits.kernel.calls_wait);
}

// Whenever it changes: most samples are of before and after then.
TEST_F(WaitControlTest, AServerThatBecomesOneDeviceIsAskedForLess) {
  const auto server = [](int level) { return level * 100.0; };  // 10 ms each.
  const auto device = [](int) { return 200.0; };                // One after another.
  const auto never = [](int) { return false; };
  for (int lead = 3000; lead < 3200; lead += 7) {
    SCOPED_TRACE(lead);
    WaitControl control(kLevelMax, /*workers=*/1, /*cpus=*/2);
    level_ = WaitController::kLevelMin;
    Serve(lead, server, never, &control);
    ASSERT_GE(level_, kLevelMax / 2);
    const int level = level_;
    const int noticed = Serve(
        10'000, device, [=](int now) { return now != level; }, &control);
    EXPECT_GT(noticed, 0);
    EXPECT_LE(noticed, 300);
    const int lowered = Serve(
        10'000, device, [](int now) { return now <= 8; }, &control);
    EXPECT_GT(lowered, 0);
    EXPECT_LE(lowered, 3000);
  }
}

TEST_F(WaitControlTest, AllWorkersShareTheDirectories) {
  for (const int workers : {1, 2, 4, 16, 64, 1000}) {
    WaitControl control(kLevelMax, workers, /*cpus=*/2);
    for (int i = 0; i < 3; ++i) {
      Run(100, /*ended=*/50 * workers, &control);
      EXPECT_GE(limits_.directories, 1);
      if (workers > WaitControl::kDirectoriesOfJobMax) continue;
      EXPECT_LE(workers * limits_.directories, WaitControl::kDirectoriesOfJobMax);
    }
  }
}

}  // namespace
}  // namespace ringcp

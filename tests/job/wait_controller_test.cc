#include "core/job/wait_controller.h"

#include <algorithm>
#include <functional>
#include <random>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

constexpr int kCpus = 2;
constexpr absl::Duration kSample = absl::Milliseconds(20);
// Samples in the 200 ms within which a change is to be answered.
constexpr int kSamplesToReact = 10;

// Something that is waited for, as its rate in ops a second when so many calls wait.
using Bottleneck = std::function<double(int level)>;

// Each op takes 10 ms, however many there are.
double FarServer(int level) { return level * 100.0; }
// Two ops at a time keep it busy.
double OneDevice(int level) { return std::min(level, 2) * 1000.0; }
// Each op more than four makes all slower.
double Overloaded(int level) { return level <= 4 ? level * 1000.0 : 16000.0 / level; }

WaitSample SampleOf(double rate) {
  return {.elapsed = kSample,
          .ended = static_cast<int64_t>(rate * absl::ToDoubleSeconds(kSample)),
          .cpu = kSample / 10,
          .cpus = kCpus,
          .was_at_limit = true};
}

void Feed(WaitController* controller, const Bottleneck& bottleneck, int samples) {
  for (int i = 0; i < samples; ++i) {
    controller->Note(SampleOf(bottleneck(controller->level())));
  }
}

// The mean of what was reached in so many samples, as a share of the best.
double ShareOfBest(WaitController* controller, const Bottleneck& bottleneck,
                   int samples) {
  double best = 0;
  for (int level = 1; level <= WaitController::kLevelMax; level *= 2) {
    best = std::max(best, bottleneck(level));
  }
  double sum = 0;
  for (int i = 0; i < samples; ++i) {
    const double rate = bottleneck(controller->level());
    sum += rate;
    controller->Note(SampleOf(rate));
  }
  return sum / samples / best;
}

TEST(WaitControllerTest, AllThatMayBeIsUnderWayWhereAServerAnswersEverythingAtATime) {
  WaitController controller;
  EXPECT_EQ(controller.level(), WaitController::kLevelMin);
  Feed(&controller, FarServer, kSamplesToReact);
  EXPECT_EQ(controller.level(), WaitController::kLevelMax);
  Feed(&controller, FarServer, 1000);
  EXPECT_EQ(controller.level(), WaitController::kLevelMax);
  EXPECT_FALSE(controller.is_strict());
}

// The first samples are of opening files alone, say.
TEST(WaitControllerTest, TheFirstClimbIsJudgedAsAWhole) {
  WaitController controller;
  const Bottleneck strange_at_8 = [](int level) {
    return level == 8 ? 1.0 : FarServer(level);
  };
  EXPECT_TRUE(controller.climbs());
  Feed(&controller, strange_at_8, 2);
  EXPECT_EQ(controller.level(), WaitController::kClimb);
  EXPECT_FALSE(controller.climbs());
  Feed(&controller, strange_at_8, kSamplesToReact);
  EXPECT_EQ(controller.level(), WaitController::kLevelMax);
}

TEST(WaitControllerTest, TheClimbBeginsWhenSomethingWaits) {
  WaitController controller;
  for (int i = 0; i < 20; ++i) {
    WaitSample sample = SampleOf(FarServer(controller.level()));
    sample.was_at_limit = i >= 10;
    sample.cpu = i < 15 ? kSample * kCpus : kSample / 10;
    controller.Note(sample);
    if (i < 15) {
      EXPECT_EQ(controller.level(), WaitController::kLevelMin);
    }
  }
  EXPECT_GE(controller.level(), WaitController::kClimb);
}

TEST(WaitControllerTest, ABurstBeforeTheClimbDoesNotMakeItStrict) {
  WaitController controller;
  controller.Note(SampleOf(10 * FarServer(WaitController::kClimb)));
  Feed(&controller, FarServer, 3);
  EXPECT_FALSE(controller.is_strict());
  Feed(&controller, FarServer, 2 * kSamplesToReact);
  EXPECT_EQ(controller.level(), WaitController::kLevelMax);
}

TEST(WaitControllerTest, AClimbThatHasNotPaidEndsWhereItBegan) {
  WaitController controller;
  Feed(&controller, OneDevice, 4);
  EXPECT_EQ(controller.level(), WaitController::kLevelMin);
}

TEST(WaitControllerTest, OneDeviceIsNotAskedForMoreThanKeepsItBusy) {
  WaitController controller;
  int at_most_twice = 0;
  for (int i = 0; i < 1000; ++i) {
    controller.Note(SampleOf(OneDevice(controller.level())));
    at_most_twice += controller.level() <= WaitController::kLevelMin * 2 ? 1 : 0;
  }
  EXPECT_GE(at_most_twice, 900);
}

// A server that makes one entry after another, each in 50 ms: of the 200 ms of a sample
// there are a few more or less each time.
TEST(WaitControllerTest, AFewEndsMoreByChanceAreNoReasonToAskForMore) {
  WaitController controller;
  std::mt19937 random(1);
  for (int i = 0; i < 1000; ++i) {
    WaitSample sample = SampleOf(0);
    sample.elapsed = absl::Milliseconds(200 + static_cast<int>(random() % 50));
    sample.ended = 4 + static_cast<int>(random() % 3);
    controller.Note(sample);
    if (!controller.climbs() && i > 4) {
      EXPECT_LE(controller.level(), 2 * WaitController::kLevelMin) << i;
    }
  }
  EXPECT_FALSE(controller.is_strict());
}

TEST(WaitControllerTest, WhatGetsSlowerTheMoreIsAskedOfItIsAskedForLess) {
  WaitController controller;
  Feed(&controller, Overloaded, kSamplesToReact);
  EXPECT_GE(ShareOfBest(&controller, Overloaded, 1000), 0.9);
  EXPECT_TRUE(controller.is_strict());
}

TEST(WaitControllerTest, AServerThatTakesTheDevicesPlaceIsNoticedWithin200Milliseconds) {
  WaitController controller;
  Feed(&controller, OneDevice, 300);
  Feed(&controller, FarServer, kSamplesToReact);
  EXPECT_GE(controller.level(), WaitController::kLevelMax / 2);
}

TEST(WaitControllerTest, ItBacksOffWithin200MillisecondsWhenMoreBeginsToDoHarm) {
  WaitController controller;
  Feed(&controller, FarServer, 300);
  ASSERT_EQ(controller.level(), WaitController::kLevelMax);
  const Bottleneck harmed = [](int level) { return 0.25 * Overloaded(level); };
  Feed(&controller, harmed, kSamplesToReact);
  EXPECT_LE(controller.level(), 8);
  EXPECT_TRUE(controller.is_strict());
}

// The first sample in which less came may be of before and after.
TEST(WaitControllerTest, ALevelThatWasComparedWithAMixedSampleIsLoweredAllTheSame) {
  WaitController controller;
  Feed(&controller, FarServer, 300);
  ASSERT_EQ(controller.level(), WaitController::kLevelMax);
  const auto note = [&](double rate) {
    WaitSample sample = SampleOf(10 * rate);
    sample.elapsed *= 10;
    controller.Note(sample);
  };
  note(500);
  for (int i = 0; i < 20; ++i) note(300);
  EXPECT_LE(controller.level(), 8);
}

// Below the highest level it is not known whether more would help, or less.
TEST(WaitControllerTest, WhereMoreDoesNotHelpAfterAFallLessIsTried) {
  WaitController controller;
  const Bottleneck server = [](int level) { return std::min(level, 32) * 100.0; };
  Feed(&controller, server, 300);
  ASSERT_GE(controller.level(), 32);
  const Bottleneck device = [](int) { return 70.0; };
  Feed(&controller, device, 3 * kSamplesToReact);
  EXPECT_LE(controller.level(), 8);
  Feed(&controller, server, 10 * kSamplesToReact);
  EXPECT_GE(controller.level(), 32);
}

TEST(WaitControllerTest, LessToDoIsNoReasonToLowerTheLevel) {
  WaitController controller;
  Feed(&controller, FarServer, 300);
  for (int i = 0; i < 50; ++i) {  // One large file: it is far from the limit.
    WaitSample sample = SampleOf(FarServer(8));
    sample.was_at_limit = false;
    controller.Note(sample);
  }
  EXPECT_EQ(controller.level(), WaitController::kLevelMax);
  EXPECT_FALSE(controller.is_strict());
}

TEST(WaitControllerTest, WhatDidHarmOnceIsFreeAgainWhenMoreHelps) {
  WaitController controller;
  Feed(&controller, Overloaded, 100);
  ASSERT_TRUE(controller.is_strict());
  Feed(
      &controller, [](int level) { return level * 10'000.0; }, 2 * kSamplesToReact);
  EXPECT_EQ(controller.level(), WaitController::kLevelMax);
  EXPECT_FALSE(controller.is_strict());
}

TEST(WaitControllerTest, NothingIsRaisedWhileLessIsUnderWayThanMayBe) {
  WaitController controller;
  for (int i = 0; i < 100; ++i) {
    WaitSample sample = SampleOf(FarServer(controller.level()));
    sample.was_at_limit = false;
    controller.Note(sample);
  }
  EXPECT_EQ(controller.level(), WaitController::kLevelMin);
}

TEST(WaitControllerTest, NothingIsRaisedWhileTheCpusHaveNoTimeLeft) {
  WaitController controller;
  for (int i = 0; i < 100; ++i) {
    WaitSample sample = SampleOf(FarServer(controller.level()));
    sample.cpu = kSample * kCpus;
    controller.Note(sample);
  }
  EXPECT_EQ(controller.level(), WaitController::kLevelMin);
}

TEST(WaitControllerTest, TheLevelStaysWithinItsBounds) {
  for (const int level_max : {1, 2, 3, 5, 64, WaitController::kLevelMax, 1000}) {
    SCOPED_TRACE(level_max);
    WaitController controller(level_max);
    std::mt19937 random(7);
    for (int i = 0; i < 2000; ++i) {
      controller.Note(SampleOf(static_cast<double>(random() % 100'000)));
      EXPECT_GE(controller.level(), 1);
      EXPECT_LE(controller.level(), std::min(level_max, WaitController::kLevelMax));
    }
  }
}

TEST(WaitControllerTest, NoiseOfAThirdDoesNotKeepItFromTheBest) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    WaitController controller;
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> noise(0.67, 1.33);
    const Bottleneck noisy = [&](int level) { return noise(random) * FarServer(level); };
    Feed(&controller, noisy, 5 * kSamplesToReact);
    int high = 0;
    for (int i = 0; i < 500; ++i) {
      controller.Note(SampleOf(noisy(controller.level())));
      high += controller.level() >= WaitController::kLevelMax / 2 ? 1 : 0;
    }
    EXPECT_GE(high, 400);
  }
}

TEST(WaitControllerTest, AWhileInWhichNothingEndedOrNoTimePassedIsNoReason) {
  WaitController controller;
  controller.Note({});
  controller.Note(SampleOf(0));
  controller.Note(SampleOf(0));
  Feed(&controller, FarServer, 2 * kSamplesToReact);
  EXPECT_EQ(controller.level(), WaitController::kLevelMax);
}

}  // namespace
}  // namespace ringcp

// Which side of a copy calls concern, and how long they take.

#include "core/kernel/side_times.h"

#include <fcntl.h>
#include <poll.h>

#include <chrono>
#include <thread>

#include "core/kernel/call_side.h"
#include "core/kernel/op.h"
#include "core/kernel/waited.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

// On a thread of its own, because what was timed before decides what is timed next.
template <typename Run>
void OnNewThread(const Run& run) {
  std::thread(run).join();
}

TEST(CallSideTest, MostKindsOfOpsTellTheirSide) {
  const FileRef file = FileRef::Descriptor(3);
  char byte = 0;
  for (const Side side : {Side::kSource, Side::kTarget}) {
    const OnSide on_side(side);
    EXPECT_EQ(SideOf(ReadAt(file, &byte, 1, 0)), Side::kSource);
    EXPECT_EQ(SideOf(ReadDirectory(3, &byte, 1)), Side::kSource);
    EXPECT_EQ(SideOf(Poll(file, POLLIN, 1)), Side::kSource);
    EXPECT_EQ(SideOf(WriteAt(file, &byte, 1, 0)), Side::kTarget);
    EXPECT_EQ(SideOf(MakeDirectory(3, "name", 0755)), Side::kTarget);
    EXPECT_EQ(SideOf(OpenAt(3, "name", O_WRONLY)), Side::kTarget);
    EXPECT_EQ(SideOf(SetMode(3, 0644)), Side::kTarget);
    EXPECT_EQ(SideOf(Poll(file, POLLOUT, 1)), Side::kTarget);
    // These depend on who asks.
    struct statx stat;
    EXPECT_EQ(SideOf(OpenAt(3, "name", O_RDONLY)), side);
    EXPECT_EQ(SideOf(StatDescriptor(3, &stat)), side);
    EXPECT_EQ(SideOf(Close(3)), side);
  }
  EXPECT_EQ(OnSide::now(), Side::kSource);
}

TEST(CallSideTest, AChainHasABitForEachOpOnTheTarget) {
  char byte = 0;
  const FileRef file = FileRef::Descriptor(3);
  const Chain chain = Chain()
                          .Add(ReadAt(file, &byte, 1, 0))
                          .Add(WriteAt(file, &byte, 1, 0))
                          .Add(Close(file));
  EXPECT_EQ(TargetMask(chain.ops()), 0b010u);
  const OnSide on_side(Side::kTarget);
  EXPECT_EQ(TargetMask(chain.ops()), 0b110u);
}

TEST(SideTimesTest, WhereCallsTakeLongEachIsTimed) {
  OnNewThread([] {
    constexpr std::chrono::milliseconds kTime{1};
    constexpr int kCalls = 20;
    SideTimes times;
    const auto run = [&](const Op& /*op*/) {
      std::this_thread::sleep_for(kTime);
      return 7;
    };
    for (int i = 0; i < kCalls; ++i) {
      EXPECT_EQ(times.Time(SetMode(3, 0644), run), 7);
    }
    EXPECT_GE(times.microseconds(Side::kTarget), kCalls * 1000);
    EXPECT_EQ(times.microseconds(Side::kSource), 0);
  });
}

TEST(SideTimesTest, WhereTheyDoNotOneStandsForMany) {
  OnNewThread([] {
    constexpr int kCalls = 40 * SideTimes::kCallsMax;
    SideTimes times;
    int timed = 0;
    int64_t before = 0;
    for (int i = 0; i < kCalls; ++i) {
      times.Time(SetMode(3, 0644), [&](const Op& /*op*/) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(3);
        while (std::chrono::steady_clock::now() < end) {
        }
        return 0;
      });
      const int64_t now = times.microseconds(Side::kTarget);
      timed += now != before ? 1 : 0;
      before = now;
    }
    EXPECT_LE(timed, kCalls / 4);
    EXPECT_GE(times.microseconds(Side::kTarget), 3 * (kCalls - SideTimes::kCallsMax));
  });
}

TEST(SideTimesTest, OneThatTakesLongAmongManyCountsForItselfAlone) {
  OnNewThread([] {
    SideTimes times;
    const Op op = SetMode(3, 0644);
    for (int i = 0; i < 10 * SideTimes::kCallsMax; ++i) {
      times.Time(op, [](const Op& /*op*/) { return 0; });
    }
    const int64_t before = times.microseconds(Side::kTarget);
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < SideTimes::kCallsMax; ++i) {
      times.Time(op, [](const Op& /*op*/) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return 0;
      });
    }
    const auto passed = std::chrono::steady_clock::now() - start;
    const auto most = passed + SideTimes::kCallsMax * kSlowCallMin;
    EXPECT_LE(times.microseconds(Side::kTarget) - before,
              std::chrono::microseconds(
                  std::chrono::duration_cast<std::chrono::microseconds>(most))
                      .count() +
                  1);
  });
}

}  // namespace
}  // namespace ringcp

#include "agent/event_pacer.h"

#include <chrono>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

const SteadyTime kFirst = SteadyTime(std::chrono::hours(1));

// The times of the events after the first, in milliseconds since it, if each wait takes
// `delay` longer than asked for.
std::vector<int> EventTimes(int count, milliseconds delay) {
  std::vector<int> times;
  EventPacer pacer(kFirst);
  for (int i = 0; i < count; ++i) {
    const SteadyTime now = pacer.due() + delay;
    times.push_back(std::chrono::duration_cast<milliseconds>(now - kFirst).count());
    pacer.Advance(now);
  }
  return times;
}

TEST(EventPacerTest, TheSecondEventComesEarlyAndTheOthersOnTheTenths) {
  EXPECT_THAT(EventTimes(5, milliseconds(0)), ElementsAre(25, 200, 300, 400, 500));
}

TEST(EventPacerTest, NoSecondHasMoreThanTenEvents) {
  for (const int delay : {0, 1, 30, 99, 100, 250, 1700}) {
    std::vector<int> in_second(40, 0);
    in_second[0] = 1;  // The first event.
    for (const int time : EventTimes(100, milliseconds(delay))) {
      if (time < 40000) ++in_second[time / 1000];
    }
    for (const int events : in_second) EXPECT_LE(events, 10) << "delay " << delay;
  }
}

TEST(EventPacerTest, ALateReaderDoesNotCatchUp) {
  EventPacer pacer(kFirst);
  pacer.Advance(kFirst + milliseconds(5020));
  EXPECT_EQ(pacer.due(), kFirst + milliseconds(5100));
}

}  // namespace
}  // namespace ringcp

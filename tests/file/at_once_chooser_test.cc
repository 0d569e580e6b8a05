#include "core/file/at_once_chooser.h"

#include <chrono>

#include "core/kernel/waited.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

// How often Next() returns `calls` before it returns something else, if no call waits.
int CountOf(CallsAtOnce calls, AtOnceChooser* chooser) {
  int count = 0;
  while (count < 10'000 && chooser->Next() == calls) {
    ++count;
    chooser->Note(calls, Waited::kNot);
  }
  return count;
}

TEST(AtOnceChooserTest, EverythingAtOnceAsLongAsNothingWaits) {
  AtOnceChooser chooser(CallsAtOnce::kAll);
  EXPECT_EQ(CountOf(CallsAtOnce::kAll, &chooser), 10'000);
}

TEST(AtOnceChooserTest, OnlyTheOpeningAfterContentsThatHadToBeWaitedFor) {
  AtOnceChooser chooser(CallsAtOnce::kAll);
  ASSERT_EQ(chooser.Next(), CallsAtOnce::kAll);
  chooser.Note(CallsAtOnce::kAll, Waited::kLong);
  EXPECT_TRUE(chooser.is_warm());
  EXPECT_EQ(CountOf(CallsAtOnce::kOpen, &chooser), AtOnceChooser::kFilesWithoutAllMin);
}

TEST(AtOnceChooserTest, NothingAfterAnOpeningThatHadToBeWaitedFor) {
  AtOnceChooser chooser(CallsAtOnce::kOpen);
  ASSERT_EQ(chooser.Next(), CallsAtOnce::kOpen);
  chooser.Note(CallsAtOnce::kOpen, Waited::kLong);
  EXPECT_FALSE(chooser.is_warm());
  for (int i = 0; i < AtOnceChooser::kFilesWithoutStat; ++i) {
    ASSERT_EQ(chooser.Next(), CallsAtOnce::kNone);
  }
  // The next one is tried; until that is known, nothing is warm.
  ASSERT_EQ(chooser.Next(), CallsAtOnce::kOpen);
  EXPECT_FALSE(chooser.is_warm());
  chooser.Note(CallsAtOnce::kOpen, Waited::kNot);
  EXPECT_TRUE(chooser.is_warm());
  EXPECT_EQ(CountOf(CallsAtOnce::kOpen, &chooser), 10'000);
}

TEST(AtOnceChooserTest, TriesContentsLessAndLessOftenWhileTheyAreWaitedFor) {
  AtOnceChooser chooser(CallsAtOnce::kAll);
  ASSERT_EQ(chooser.Next(), CallsAtOnce::kAll);
  for (int files = AtOnceChooser::kFilesWithoutAllMin;
       files <= AtOnceChooser::kFilesWithoutAllMax; files *= 2) {
    chooser.Note(CallsAtOnce::kAll, Waited::kLong);
    EXPECT_EQ(CountOf(CallsAtOnce::kOpen, &chooser), files);
  }
  chooser.Note(CallsAtOnce::kAll, Waited::kLong);
  EXPECT_EQ(CountOf(CallsAtOnce::kOpen, &chooser), AtOnceChooser::kFilesWithoutAllMax);
  chooser.Note(CallsAtOnce::kAll, Waited::kNot);
  chooser.Note(CallsAtOnce::kAll, Waited::kLong);
  EXPECT_EQ(CountOf(CallsAtOnce::kOpen, &chooser), AtOnceChooser::kFilesWithoutAllMin);
}

TEST(AtOnceChooserTest, OtherWaitsCountWhenThereAreManyOfThem) {
  AtOnceChooser chooser(CallsAtOnce::kAll);
  for (int round = 0; round < 100; ++round) {
    ASSERT_EQ(chooser.Next(), CallsAtOnce::kAll);
    chooser.Note(CallsAtOnce::kAll, Waited::kShortly);
    for (int i = 0; i < WaitFilter::kCallsPerShortWait; ++i) {
      ASSERT_EQ(chooser.Next(), CallsAtOnce::kAll);
      chooser.Note(CallsAtOnce::kAll, Waited::kNot);
    }
  }
  chooser.Note(CallsAtOnce::kAll, Waited::kShortly);
  EXPECT_EQ(chooser.Next(), CallsAtOnce::kAll);
  chooser.Note(CallsAtOnce::kAll, Waited::kShortly);
  EXPECT_EQ(chooser.Next(), CallsAtOnce::kOpen);
}

TEST(AtOnceChooserTest, MoreBytesMayTakeMoreTime) {
  using std::chrono::nanoseconds;
  const nanoseconds time(1000);
  EXPECT_EQ(AtOnceChooser::TimeToWait(time, 0), time);
  EXPECT_EQ(AtOnceChooser::TimeToWait(time, 3), time - 3 * AtOnceChooser::kTimePerByte);
}

}  // namespace
}  // namespace ringcp

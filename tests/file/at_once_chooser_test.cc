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
    chooser->NoteWait(calls, AtOnceChooser::Wait::kNone);
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
  chooser.NoteWait(CallsAtOnce::kAll, AtOnceChooser::Wait::kDevice);
  EXPECT_TRUE(chooser.is_warm());
  EXPECT_EQ(CountOf(CallsAtOnce::kOpen, &chooser), AtOnceChooser::kFilesWithoutAllMin);
}

TEST(AtOnceChooserTest, NothingAfterAnOpeningThatHadToBeWaitedFor) {
  AtOnceChooser chooser(CallsAtOnce::kOpen);
  ASSERT_EQ(chooser.Next(), CallsAtOnce::kOpen);
  chooser.NoteWait(CallsAtOnce::kOpen, AtOnceChooser::Wait::kDevice);
  EXPECT_FALSE(chooser.is_warm());
  for (int i = 0; i < AtOnceChooser::kFilesWithoutStat; ++i) {
    ASSERT_EQ(chooser.Next(), CallsAtOnce::kNone);
  }
  // The next one is tried; until that is known, nothing is warm.
  ASSERT_EQ(chooser.Next(), CallsAtOnce::kOpen);
  EXPECT_FALSE(chooser.is_warm());
  chooser.NoteWait(CallsAtOnce::kOpen, AtOnceChooser::Wait::kNone);
  EXPECT_TRUE(chooser.is_warm());
  EXPECT_EQ(CountOf(CallsAtOnce::kOpen, &chooser), 10'000);
}

TEST(AtOnceChooserTest, TriesContentsLessAndLessOftenWhileTheyAreWaitedFor) {
  AtOnceChooser chooser(CallsAtOnce::kAll);
  ASSERT_EQ(chooser.Next(), CallsAtOnce::kAll);
  for (int files = AtOnceChooser::kFilesWithoutAllMin;
       files <= AtOnceChooser::kFilesWithoutAllMax; files *= 2) {
    chooser.NoteWait(CallsAtOnce::kAll, AtOnceChooser::Wait::kDevice);
    EXPECT_EQ(CountOf(CallsAtOnce::kOpen, &chooser), files);
  }
  chooser.NoteWait(CallsAtOnce::kAll, AtOnceChooser::Wait::kDevice);
  EXPECT_EQ(CountOf(CallsAtOnce::kOpen, &chooser), AtOnceChooser::kFilesWithoutAllMax);
  chooser.NoteWait(CallsAtOnce::kAll, AtOnceChooser::Wait::kNone);
  chooser.NoteWait(CallsAtOnce::kAll, AtOnceChooser::Wait::kDevice);
  EXPECT_EQ(CountOf(CallsAtOnce::kOpen, &chooser), AtOnceChooser::kFilesWithoutAllMin);
}

TEST(AtOnceChooserTest, OtherWaitsCountWhenThereAreManyOfThem) {
  AtOnceChooser chooser(CallsAtOnce::kAll);
  for (int round = 0; round < 100; ++round) {
    ASSERT_EQ(chooser.Next(), CallsAtOnce::kAll);
    chooser.NoteWait(CallsAtOnce::kAll, AtOnceChooser::Wait::kOther);
    for (int i = 0; i < AtOnceChooser::kFilesPerOtherWait; ++i) {
      ASSERT_EQ(chooser.Next(), CallsAtOnce::kAll);
      chooser.NoteWait(CallsAtOnce::kAll, AtOnceChooser::Wait::kNone);
    }
  }
  chooser.NoteWait(CallsAtOnce::kAll, AtOnceChooser::Wait::kOther);
  EXPECT_EQ(chooser.Next(), CallsAtOnce::kAll);
  chooser.NoteWait(CallsAtOnce::kAll, AtOnceChooser::Wait::kOther);
  EXPECT_EQ(chooser.Next(), CallsAtOnce::kOpen);
}

TEST(AtOnceChooserTest, MoreBytesMayTakeMoreTime) {
  using std::chrono::nanoseconds;
  const nanoseconds slow = kSlowCallMin;
  EXPECT_TRUE(AtOnceChooser::IsSlow(slow, 0));
  EXPECT_FALSE(AtOnceChooser::IsSlow(slow - nanoseconds(1), 0));
  EXPECT_FALSE(AtOnceChooser::IsSlow(slow, 1));
}

}  // namespace
}  // namespace ringcp

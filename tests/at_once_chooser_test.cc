#include "core/at_once_chooser.h"

#include <chrono>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

// How often Next() gives `calls` before it gives something else, no call waiting.
int CountOf(CallsAtOnce calls, AtOnceChooser* chooser) {
  int count = 0;
  while (count < 10'000 && chooser->Next() == calls) {
    ++count;
    chooser->NoteWait(calls, /*waited=*/false);
  }
  return count;
}

TEST(AtOnceChooserTest, EverythingAtOnceAsLongAsNothingWaits) {
  AtOnceChooser chooser(CallsAtOnce::kAll);
  EXPECT_EQ(CountOf(CallsAtOnce::kAll, &chooser), 10'000);
}

TEST(AtOnceChooserTest, OnlyTheStatAfterContentsThatHadToBeWaitedFor) {
  AtOnceChooser chooser(CallsAtOnce::kAll);
  ASSERT_EQ(chooser.Next(), CallsAtOnce::kAll);
  chooser.NoteWait(CallsAtOnce::kAll, /*waited=*/true);
  EXPECT_TRUE(chooser.is_warm());
  EXPECT_EQ(CountOf(CallsAtOnce::kStat, &chooser), AtOnceChooser::kFilesWithoutAllMin);
}

TEST(AtOnceChooserTest, NothingAfterAStatThatHadToBeWaitedFor) {
  AtOnceChooser chooser(CallsAtOnce::kStat);
  ASSERT_EQ(chooser.Next(), CallsAtOnce::kStat);
  chooser.NoteWait(CallsAtOnce::kStat, /*waited=*/true);
  EXPECT_FALSE(chooser.is_warm());
  EXPECT_EQ(CountOf(CallsAtOnce::kNone, &chooser), AtOnceChooser::kFilesWithoutStat);
  EXPECT_EQ(CountOf(CallsAtOnce::kStat, &chooser), 10'000);
}

TEST(AtOnceChooserTest, TriesContentsLessAndLessOftenWhileTheyAreWaitedFor) {
  AtOnceChooser chooser(CallsAtOnce::kAll);
  ASSERT_EQ(chooser.Next(), CallsAtOnce::kAll);
  for (int files = AtOnceChooser::kFilesWithoutAllMin;
       files <= AtOnceChooser::kFilesWithoutAllMax; files *= 2) {
    chooser.NoteWait(CallsAtOnce::kAll, /*waited=*/true);
    EXPECT_EQ(CountOf(CallsAtOnce::kStat, &chooser), files);
  }
  chooser.NoteWait(CallsAtOnce::kAll, /*waited=*/true);
  EXPECT_EQ(CountOf(CallsAtOnce::kStat, &chooser), AtOnceChooser::kFilesWithoutAllMax);
  chooser.NoteWait(CallsAtOnce::kAll, /*waited=*/false);
  chooser.NoteWait(CallsAtOnce::kAll, /*waited=*/true);
  EXPECT_EQ(CountOf(CallsAtOnce::kStat, &chooser), AtOnceChooser::kFilesWithoutAllMin);
}

TEST(AtOnceChooserTest, MoreBytesMayTakeMoreTime) {
  using std::chrono::nanoseconds;
  const nanoseconds slow = AtOnceChooser::kSlowMin;
  EXPECT_TRUE(AtOnceChooser::IsSlow(slow, 0));
  EXPECT_FALSE(AtOnceChooser::IsSlow(slow - nanoseconds(1), 0));
  EXPECT_FALSE(AtOnceChooser::IsSlow(slow, 1));
}

}  // namespace
}  // namespace ringcp

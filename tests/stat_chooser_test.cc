#include "core/stat_chooser.h"

#include <chrono>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

constexpr std::chrono::nanoseconds kFast = StatChooser::kSlowMin / 10;

TEST(StatChooserTest, AtOnceWhileStatsAreFast) {
  StatChooser chooser;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(chooser.Next(), SourceStat::kAtOnce);
    chooser.NoteAtOnce(kFast);
  }
}

TEST(StatChooserTest, InTheChainAfterASlowOneAndThenTriedAgain) {
  StatChooser chooser;
  ASSERT_EQ(chooser.Next(), SourceStat::kAtOnce);
  EXPECT_TRUE(chooser.is_warm());
  chooser.NoteAtOnce(StatChooser::kSlowMin);
  EXPECT_FALSE(chooser.is_warm());
  for (int i = 0; i < StatChooser::kFilesInChain; ++i) {
    ASSERT_EQ(chooser.Next(), SourceStat::kInChain);
  }
  EXPECT_EQ(chooser.Next(), SourceStat::kAtOnce);
}

}  // namespace
}  // namespace ringcp

#include "core/metadata_chooser.h"

#include <chrono>

#include "gtest/gtest.h"

namespace ringcp {
namespace {

constexpr std::chrono::nanoseconds kFast = MetadataChooser::kSlowMin / 10;

TEST(MetadataChooserTest, AtOnceWhileStatsAreFast) {
  MetadataChooser chooser;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(chooser.Next(), MetadataOps::kAtOnce);
    chooser.NoteAtOnce(kFast);
  }
}

TEST(MetadataChooserTest, InTheChainAfterASlowOneAndThenTriedAgain) {
  MetadataChooser chooser;
  ASSERT_EQ(chooser.Next(), MetadataOps::kAtOnce);
  EXPECT_TRUE(chooser.is_warm());
  chooser.NoteAtOnce(MetadataChooser::kSlowMin);
  EXPECT_FALSE(chooser.is_warm());
  for (int i = 0; i < MetadataChooser::kFilesInChain; ++i) {
    ASSERT_EQ(chooser.Next(), MetadataOps::kInChain);
  }
  EXPECT_EQ(chooser.Next(), MetadataOps::kAtOnce);
}

}  // namespace
}  // namespace ringcp

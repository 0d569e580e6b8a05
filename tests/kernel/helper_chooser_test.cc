#include "core/kernel/helper_chooser.h"

#include "core/kernel/waited.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

// How many chains in a row go to helpers from here on.
int CountHelped(HelperChooser* chooser) {
  int count = 0;
  while (chooser->Next()) ++count;
  return count;
}

TEST(HelperChooserTest, WhatDoesNotWaitIsNotHandedOver) {
  HelperChooser chooser;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_FALSE(chooser.Next());
    chooser.Note(Waited::kNot);
  }
}

TEST(HelperChooserTest, OneLongWaitIsEnough) {
  HelperChooser chooser;
  chooser.Note(Waited::kLong);
  EXPECT_EQ(CountHelped(&chooser), HelperChooser::kChainsHelped);
}

TEST(HelperChooserTest, ShortWaitsCountWhenTheyAreFrequent) {
  HelperChooser chooser;
  for (int i = 0; i < 10; ++i) {
    chooser.Note(Waited::kShortly);
    EXPECT_EQ(CountHelped(&chooser), 0);
    for (int quick = 0; quick < WaitFilter::kCallsPerShortWait; ++quick) {
      chooser.Note(Waited::kNot);
    }
  }
  chooser.Note(Waited::kShortly);
  EXPECT_EQ(CountHelped(&chooser), 0);
  chooser.Note(Waited::kShortly);
  EXPECT_EQ(CountHelped(&chooser), HelperChooser::kChainsHelped);
}

TEST(HelperChooserTest, AsLongAsItWaitsOneChainInSoManyIsTried) {
  HelperChooser chooser;
  chooser.Note(Waited::kShortly);
  chooser.Note(Waited::kShortly);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(CountHelped(&chooser), HelperChooser::kChainsHelped);
    chooser.Note(Waited::kShortly);
  }
}

}  // namespace
}  // namespace ringcp

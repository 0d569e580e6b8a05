#include "core/kernel/helper_chooser.h"

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
    chooser.NoteWait(/*waited=*/false, /*for_device=*/false);
  }
}

TEST(HelperChooserTest, OneWaitForADeviceIsEnough) {
  HelperChooser chooser;
  chooser.NoteWait(/*waited=*/true, /*for_device=*/true);
  EXPECT_EQ(CountHelped(&chooser), HelperChooser::kChainsHelped);
}

TEST(HelperChooserTest, OtherWaitsCountWhenTheyAreFrequent) {
  HelperChooser chooser;
  for (int i = 0; i < 10; ++i) {
    chooser.NoteWait(/*waited=*/true, /*for_device=*/false);
    EXPECT_EQ(CountHelped(&chooser), 0);
    for (int quick = 0; quick < HelperChooser::kChainsPerOtherWait; ++quick) {
      chooser.NoteWait(/*waited=*/false, /*for_device=*/false);
    }
  }
  chooser.NoteWait(/*waited=*/true, /*for_device=*/false);
  EXPECT_EQ(CountHelped(&chooser), 0);
  chooser.NoteWait(/*waited=*/true, /*for_device=*/false);
  EXPECT_EQ(CountHelped(&chooser), HelperChooser::kChainsHelped);
}

TEST(HelperChooserTest, AsLongAsItWaitsOneChainInSoManyIsTried) {
  HelperChooser chooser;
  chooser.NoteWait(/*waited=*/true, /*for_device=*/false);
  chooser.NoteWait(/*waited=*/true, /*for_device=*/false);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(CountHelped(&chooser), HelperChooser::kChainsHelped);
    chooser.NoteWait(/*waited=*/true, /*for_device=*/false);
  }
}

}  // namespace
}  // namespace ringcp

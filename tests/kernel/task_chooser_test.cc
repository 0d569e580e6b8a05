#include "core/kernel/task_chooser.h"

#include "absl/time/time.h"
#include "core/kernel/kernel.h"
#include "core/kernel/op.h"
#include "core/kernel/syscall_kernel.h"
#include "core/kernel/waited.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

void Note(TaskChooser* chooser, Waited waited, int times) {
  for (int i = 0; i < times; ++i) chooser->Note(waited);
}

TEST(TaskChooserTest, WhatDoesNotWaitIsNotHandedOver) {
  TaskChooser chooser;
  Note(&chooser, Waited::kNot, 1000);
  EXPECT_FALSE(chooser.hands_over());
}

TEST(TaskChooserTest, OneLongWaitIsEnoughAtTheBeginning) {
  TaskChooser chooser;
  chooser.Note(Waited::kLong);
  EXPECT_TRUE(chooser.hands_over());
}

TEST(TaskChooserTest, LaterTwoLongWaitsInARowAreEnough) {
  TaskChooser chooser;
  Note(&chooser, Waited::kNot, TaskChooser::kEnough);
  chooser.Note(Waited::kLong);
  EXPECT_FALSE(chooser.hands_over());
  chooser.Note(Waited::kLong);
  EXPECT_TRUE(chooser.hands_over());
}

TEST(TaskChooserTest, WaitsNowAndThenChangeNothing) {
  TaskChooser chooser;
  Note(&chooser, Waited::kNot, TaskChooser::kEnough);
  for (int i = 0; i < 1000; ++i) {
    chooser.Note(i % 10 == 0 ? Waited::kLong : Waited::kShortly);
    Note(&chooser, Waited::kNot, 4);
    ASSERT_FALSE(chooser.hands_over());
  }
}

TEST(TaskChooserTest, ShortWaitsOfHalfTheTasksAreEnough) {
  TaskChooser chooser;
  for (int i = 0; i < 10; ++i) {
    chooser.Note(Waited::kShortly);
    chooser.Note(Waited::kNot);
  }
  EXPECT_TRUE(chooser.hands_over());
}

TEST(TaskChooserTest, AFewThatDoNotWaitLeaveItHandingOver) {
  TaskChooser chooser;
  Note(&chooser, Waited::kLong, 2);
  for (int i = 0; i < 100; ++i) {
    Note(&chooser, Waited::kNot, 2);
    chooser.Note(Waited::kShortly);
    ASSERT_TRUE(chooser.hands_over());
  }
}

TEST(TaskChooserTest, ManyThatDoNotWaitEndIt) {
  TaskChooser chooser;
  Note(&chooser, Waited::kLong, 2);
  Note(&chooser, Waited::kNot, TaskChooser::kMost - 1);
  EXPECT_TRUE(chooser.hands_over());
  chooser.Note(Waited::kNot);
  EXPECT_FALSE(chooser.hands_over());
  chooser.Note(Waited::kLong);
  EXPECT_FALSE(chooser.hands_over()) << "it has begun anew";
}

TEST(TaskChooserTest, RareLongWaitsOfHelpersDoNotKeepThemBusy) {
  TaskChooser chooser;
  Note(&chooser, Waited::kLong, 2);
  for (int i = 0; i < 2 * TaskChooser::kMost; ++i) {
    chooser.Note(i % 8 == 0 ? Waited::kLong : Waited::kNot);
  }
  EXPECT_FALSE(chooser.hands_over());
}

// Keeps its CPU busy, and sleeps for two milliseconds.
class BusyAndSleeping : public Task {
 public:
  explicit BusyAndSleeping(absl::Duration busy) : busy_(busy) {}
  void Run(Kernel* kernel) override {
    const absl::Duration begin = kernel->ThreadCpuTime();
    while (kernel->ThreadCpuTime() - begin < busy_) {
    }
    EXPECT_EQ(kernel->Do(Poll(FileRef(), 0, 2)), 0);
  }

 private:
  const absl::Duration busy_;
};

TEST(TaskChooserTest, ATaskThatSleepsHasWaited) {
  SyscallKernel kernel(/*slots=*/0);
  TaskChooser chooser;
  BusyAndSleeping task(absl::ZeroDuration());
  chooser.Run(&kernel, &task);
  EXPECT_TRUE(chooser.hands_over());
}

TEST(TaskChooserTest, ATaskThatNeedsItsCpuForMostOfItsTimeHasNotWaited) {
  SyscallKernel kernel(/*slots=*/0);
  TaskChooser chooser;
  BusyAndSleeping task(absl::Milliseconds(40));
  for (int i = 0; i < 3; ++i) chooser.Run(&kernel, &task);
  EXPECT_FALSE(chooser.hands_over());
}

}  // namespace
}  // namespace ringcp

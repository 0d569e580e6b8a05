#include "agent/job_schedule.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// The place `path`, such as "/x/y": each letter is a step, and none of them exists.
TargetFootprint Place(const std::string& path) {
  PathSteps steps = {{.name = "", .exact_name = "", .identity = PathIdentity{1, 1}}};
  for (const char letter : path) {
    if (letter == '/') continue;
    steps.push_back({.name = {letter}, .exact_name = {letter}, .identity = {}});
  }
  TargetFootprint footprint;
  footprint.AddPlace(steps);
  return footprint;
}

class JobScheduleTest : public testing::Test {
 protected:
  JobSchedule& schedule(int running_max = 4) {
    if (!schedule_.has_value()) schedule_.emplace(running_max);
    return *schedule_;
  }

  void Add(int64_t job, const std::string& path) {
    paths_[job] = path;
    schedule().Add(job);
  }

  // Looks wherever the schedule asks to, and returns the jobs that it starts.
  std::vector<int64_t> Start() {
    std::vector<int64_t> started;
    waits_.clear();
    while (true) {
      const JobSchedule::Decisions decisions = schedule().Start(now_);
      started.insert(started.end(), decisions.started.begin(), decisions.started.end());
      waits_.insert(waits_.end(), decisions.waits.begin(), decisions.waits.end());
      const std::optional<int64_t> job = schedule().TakeToLookAt(now_);
      if (!job.has_value()) return started;
      ++looks_;
      schedule().Looked(*job, Place(paths_.at(*job)));
    }
  }

  std::optional<JobSchedule> schedule_;
  std::map<int64_t, std::string> paths_;
  SteadyTime now_;
  // Who waited for whom in the last Start().
  std::vector<std::pair<int64_t, int64_t>> waits_;
  int looks_ = 0;
};

TEST_F(JobScheduleTest, AsManyRunAsAllowedInTheOrderTheyCame) {
  schedule(2);
  for (int64_t job = 1; job <= 4; ++job) Add(job, std::string(1, char('a' + job)));
  EXPECT_THAT(Start(), ElementsAre(1, 2));
  EXPECT_EQ(schedule().running(), 2);
  EXPECT_EQ(schedule().waiting(), 2u);
  EXPECT_THAT(Start(), IsEmpty());
  // No look was taken at the jobs that can't run yet.
  EXPECT_EQ(looks_, 2);
  schedule().End(2);
  EXPECT_THAT(Start(), ElementsAre(3));
  schedule().End(1);
  schedule().End(3);
  EXPECT_THAT(Start(), ElementsAre(4));
}

TEST_F(JobScheduleTest, AJobWaitsForAnotherOnesPlace) {
  Add(1, "a");
  Add(2, "a");
  Add(3, "a/b");
  EXPECT_THAT(Start(), ElementsAre(1));
  EXPECT_THAT(waits_, ElementsAre(Pair(2, 1), Pair(3, 1)));
  schedule().End(1);
  EXPECT_THAT(Start(), ElementsAre(2));
  EXPECT_THAT(waits_, ElementsAre(Pair(3, 2)));
  schedule().End(2);
  EXPECT_THAT(Start(), ElementsAre(3));
}

TEST_F(JobScheduleTest, AJobElsewhereOvertakes) {
  Add(1, "a");
  Add(2, "a/b");
  Add(3, "c");
  EXPECT_THAT(Start(), ElementsAre(1, 3));
}

TEST_F(JobScheduleTest, AJobDoesNotOvertakeOneThatItWouldHoldUp) {
  Add(1, "a/b");
  Add(2, "a");    // Waits for 1.
  Add(3, "a/c");  // Not at 1's place, but below 2's.
  EXPECT_THAT(Start(), ElementsAre(1));
  EXPECT_THAT(waits_, ElementsAre(Pair(2, 1), Pair(3, 2)));
  Add(4, "a/d");
  EXPECT_THAT(Start(), IsEmpty());
  schedule().End(1);
  EXPECT_THAT(Start(), ElementsAre(2));
  schedule().End(2);
  EXPECT_THAT(Start(), ElementsAre(3, 4));
}

TEST_F(JobScheduleTest, AJobThatHasWaitedRunsBeforeLaterOnes) {
  schedule(2);
  Add(1, "a");
  Add(2, "a");
  Add(3, "b");
  Add(4, "c");
  EXPECT_THAT(Start(), ElementsAre(1, 3));
  schedule().End(1);
  EXPECT_THAT(Start(), ElementsAre(2));
}

TEST_F(JobScheduleTest, ARemovedJobHoldsNobodyUp) {
  Add(1, "a/b");
  Add(2, "a");
  Add(3, "a/c");
  EXPECT_THAT(Start(), ElementsAre(1));
  schedule().Remove(2);
  EXPECT_THAT(Start(), ElementsAre(3));
}

TEST_F(JobScheduleTest, AWaitingJobsTargetIsLookedAtAgainWhenAnotherJobHasEnded) {
  Add(1, "a");
  Add(2, "a");
  Add(3, "a/b");
  EXPECT_THAT(Start(), ElementsAre(1));
  // The first job has replaced a link on its way.
  paths_[3] = "z";
  schedule().End(1);
  EXPECT_THAT(Start(), ElementsAre(2, 3));
}

TEST_F(JobScheduleTest, ALookThatBeganBeforeAJobThereEndedIsRepeated) {
  Add(1, "a");
  EXPECT_THAT(Start(), ElementsAre(1));
  Add(2, "a/b");
  Add(3, "c");
  ASSERT_EQ(schedule().TakeToLookAt(now_), 2);
  ASSERT_EQ(schedule().TakeToLookAt(now_), 3);
  schedule().End(1);
  schedule().Looked(2, Place("a/b"));
  schedule().Looked(3, Place("c"));
  EXPECT_THAT(schedule().Start(now_).started, IsEmpty());
  ASSERT_EQ(schedule().TakeToLookAt(now_), 2);
  // The look at job 3 stays valid, because the ended job can't have changed anything
  // there. So jobs that end often never hold up a slow look.
  EXPECT_EQ(schedule().TakeToLookAt(now_), std::nullopt);
  schedule().Looked(2, Place("a/b"));
  EXPECT_THAT(schedule().Start(now_).started, ElementsAre(2, 3));
}

TEST_F(JobScheduleTest, LaterJobsWaitForTheLookAtAnEarlierOne) {
  Add(1, "a");
  Add(2, "a");
  ASSERT_EQ(schedule().TakeToLookAt(now_), 1);
  ASSERT_EQ(schedule().TakeToLookAt(now_), 2);
  schedule().Looked(2, Place("a"));
  EXPECT_THAT(schedule().Start(now_).started, IsEmpty());
  schedule().Looked(1, Place("a"));
  EXPECT_THAT(schedule().Start(now_).started, ElementsAre(1));
}

TEST_F(JobScheduleTest, ALookThatTakesTooLongHoldsNobodyUp) {
  Add(1, "a");
  ASSERT_EQ(schedule().TakeToLookAt(now_), 1);
  Add(2, "b");
  EXPECT_THAT(Start(), IsEmpty());
  EXPECT_EQ(schedule().PatienceEnds(now_), now_ + JobSchedule::kLookPatience);
  now_ += JobSchedule::kLookPatience;
  EXPECT_EQ(schedule().PatienceEnds(now_), std::nullopt);
  EXPECT_THAT(Start(), ElementsAre(2));
  // Once job 1's place is known, it waits like any other job.
  schedule().Looked(1, Place("b"));
  EXPECT_THAT(Start(), IsEmpty());
  EXPECT_THAT(waits_, ElementsAre(Pair(1, 2)));
}

TEST_F(JobScheduleTest, AThreadThatLooksCannotRunAJob) {
  schedule(2);
  Add(1, "a");
  ASSERT_EQ(schedule().TakeToLookAt(now_), 1);
  schedule().Remove(1);
  Add(2, "b");
  Add(3, "c");
  EXPECT_THAT(Start(), ElementsAre(2));
  schedule().Looked(1, Place("a"));
  EXPECT_THAT(Start(), ElementsAre(3));
}

}  // namespace
}  // namespace ringcp

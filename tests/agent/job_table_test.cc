// Tests how jobs run, wait, end and are forgotten. Tests of queries about them are in
// job_table_query_test.cc. The fixture explains how a test keeps a job running.

#include "agent/job_table.h"

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/job_table_fixture.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using ::testing::StartsWith;
using v1::Job;

class JobTableTest : public JobTableFixture {};

TEST_F(JobTableTest, AJobCopiesAndSucceeds) {
  const v1::JobSpec spec = specs_.File();
  const Job job = Submit(spec);
  EXPECT_EQ(job.spec().target(), spec.target());
  const Job ended = WaitFor(job.name(), Job::SUCCEEDED);
  EXPECT_EQ(ReadFileOrNone(spec.target()), "contents 1");
  EXPECT_EQ(ended.progress().files_done(), 1);
  EXPECT_EQ(ended.progress().bytes_done(), 10);
  EXPECT_TRUE(ended.progress().scan_complete());
  EXPECT_EQ(ended.attempts(), 1);
  EXPECT_EQ(ended.error(), "");
  EXPECT_TRUE(ended.has_create_time() && ended.has_start_time() && ended.has_end_time());
}

TEST_F(JobTableTest, AJobTellsHowItsOpsRanAndTheAgentAddsThemUp) {
  options_.limits.finished_jobs_max = 1;
  EXPECT_EQ(table().EngineTotals().ops_at_once(), 0);
  v1::JobSpec spec = specs_.File();
  spec.mutable_options()->set_engine(v1::CopyOptions::THREADS);
  const Job first = WaitFor(Submit(spec).name(), Job::SUCCEEDED);
  EXPECT_EQ(first.progress().engine().engine(), "threads");
  EXPECT_EQ(first.progress().engine().reason(), "it was asked for");
  const int64_t ops = first.progress().engine().ops_at_once();
  EXPECT_GT(ops, 0);
  EXPECT_EQ(first.progress().engine().sqes(), 0);
  EXPECT_EQ(table().EngineTotals().ops_at_once(), ops);
  spec = specs_.File();
  spec.mutable_options()->set_engine(v1::CopyOptions::THREADS);
  const Job second = WaitFor(Submit(spec).name(), Job::SUCCEEDED);
  // The first job is forgotten, but its ops still count.
  EXPECT_THAT(List(0).jobs(), SizeIs(1));
  EXPECT_EQ(table().EngineTotals().ops_at_once(),
            ops + second.progress().engine().ops_at_once());
}

TEST_F(JobTableTest, ABadSpecificationIsRefusedAndLeavesNothing) {
  EXPECT_EQ(table().Submit({}, "").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(table().Submit(specs_.File(), std::string(129, 'i')).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(List(0).jobs(), IsEmpty());
}

TEST_F(JobTableTest, AJobThatCannotRunAtAllSaysWhy) {
  v1::JobSpec spec = specs_.File();
  spec.set_target(directory_.Path("nowhere/target"));
  spec.mutable_options()->set_target_kind(v1::CopyOptions::DIRECTORY);
  const Job ended = WaitFor(Submit(spec).name(), Job::FAILED);
  EXPECT_THAT(ended.error(), HasSubstr(spec.target()));
}

TEST_F(JobTableTest, NamesAreDifferentAndBeginWithTheTime) {
  std::set<std::string> names;
  for (int i = 0; i < 50; ++i) names.insert(Submit(specs_.File()).name());
  EXPECT_THAT(names, SizeIs(50));
  EXPECT_THAT(*names.begin(), MatchesRegex("jobs/20[0-9]{6}-[0-9]{6}-[0-9a-f]{6}"));
}

TEST_F(JobTableTest, JobsBeyondTheLimitWaitAndStartInTheOrderTheyCame) {
  options_.limits.running_jobs_max = 1;
  const Job first = Submit(specs_.Fifo());
  const Job second = Submit(specs_.Fifo());
  const Job third = Submit(specs_.Fifo());
  EXPECT_EQ(first.state(), Job::RUNNING);
  EXPECT_EQ(second.state(), Job::QUEUED);
  EXPECT_EQ(third.state(), Job::QUEUED);
  EXPECT_EQ(table().counts().running, 1);
  EXPECT_EQ(table().counts().queued, 2);
  Release(first);
  WaitFor(second.name(), Job::RUNNING);
  EXPECT_EQ(Get(first.name()).state(), Job::SUCCEEDED);
  EXPECT_EQ(Get(third.name()).state(), Job::QUEUED);
  Release(second);
  WaitFor(third.name(), Job::RUNNING);
  Release(third);
  WaitFor(third.name(), Job::SUCCEEDED);
  EXPECT_EQ(table().counts().running, 0);
}

TEST_F(JobTableTest, TwoJobsRunSideBySide) {
  options_.limits.running_jobs_max = 2;
  const Job first = Submit(specs_.Fifo());
  const Job second = Submit(specs_.Fifo());
  EXPECT_EQ(Submit(specs_.Fifo()).state(), Job::QUEUED);
  EXPECT_EQ(second.state(), Job::RUNNING);
  // The second can end while the first still runs only if both run at the same time.
  Release(second);
  WaitFor(second.name(), Job::SUCCEEDED);
  EXPECT_EQ(Get(first.name()).state(), Job::RUNNING);
}

TEST_F(JobTableTest, AFullQueueRefusesUntilThereIsRoom) {
  options_.limits.running_jobs_max = 1;
  options_.limits.queued_jobs_max = 1;
  Submit(specs_.Fifo());
  const Job queued = Submit(specs_.File());
  const v1::JobSpec spec = specs_.File();
  EXPECT_EQ(table().Submit(spec, "").status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(table().Cancel(queued.name()).ok());
  EXPECT_TRUE(table().Submit(spec, "").ok());
}

TEST_F(JobTableTest, AQueuedJobIsCancelledImmediately) {
  options_.limits.running_jobs_max = 1;
  const Job running = Submit(specs_.Fifo());
  const Job queued = Submit(specs_.File());
  const auto cancelled = table().Cancel(queued.name());
  ASSERT_TRUE(cancelled.ok()) << cancelled.status();
  EXPECT_EQ(cancelled->state(), Job::CANCELLED);
  EXPECT_EQ(cancelled->error(), "CancelJob was called");
  EXPECT_EQ(cancelled->attempts(), 0);
  EXPECT_FALSE(cancelled->has_start_time());
  EXPECT_TRUE(cancelled->has_end_time());
  Release(running);
  WaitFor(running.name(), Job::SUCCEEDED);
  EXPECT_FALSE(Exists(queued.spec().target()));
}

TEST_F(JobTableTest, ARunningJobIsCancelledAndLeavesNoTarget) {
  const Job job = Submit(specs_.Fifo());
  ASSERT_TRUE(table().Cancel(job.name()).ok());
  const Job ended = WaitFor(job.name(), Job::CANCELLED);
  EXPECT_EQ(ended.error(), "CancelJob was called");
  EXPECT_FALSE(Exists(job.spec().target()));
}

TEST_F(JobTableTest, AnEndedJobIsNotChangedByCancelling) {
  const Job ended = WaitFor(Submit(specs_.File()).name(), Job::SUCCEEDED);
  const auto cancelled = table().Cancel(ended.name());
  ASSERT_TRUE(cancelled.ok());
  EXPECT_EQ(cancelled->SerializeAsString(), ended.SerializeAsString());
}

TEST_F(JobTableTest, ARepeatedRequestIdGetsTheSameJob) {
  const v1::JobSpec spec = specs_.Fifo();
  const Job job = Submit(spec, "id");
  EXPECT_EQ(Submit(spec, "id").name(), job.name());
  EXPECT_NE(Submit(spec, "other").name(), job.name());
  EXPECT_NE(Submit(spec).name(), Submit(spec).name());
  const auto refused = table().Submit(specs_.Fifo(), "id");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()),
              AllOf(StartsWith("request_id: "), HasSubstr(job.name())));
}

TEST_F(JobTableTest, ARequestIdIsForgottenWithItsJob) {
  options_.limits.finished_jobs_max = 1;
  const v1::JobSpec spec = specs_.File();
  const Job job = Submit(spec, "id");
  WaitFor(job.name(), Job::SUCCEEDED);
  WaitFor(Submit(specs_.File()).name(), Job::SUCCEEDED);
  EXPECT_NE(Submit(spec, "id").name(), job.name());
}

TEST_F(JobTableTest, TheJobThatEndedFirstIsForgottenFirst) {
  options_.limits.finished_jobs_max = 2;
  const Job slow = Submit(specs_.Fifo());
  const Job first = WaitFor(Submit(specs_.File()).name(), Job::SUCCEEDED);
  const Job second = WaitFor(Submit(specs_.File()).name(), Job::SUCCEEDED);
  Release(slow);
  WaitFor(slow.name(), Job::SUCCEEDED);
  EXPECT_EQ(table().Get(first.name()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Names(List(0)), ElementsAre(second.name(), slow.name()));
}

TEST_F(JobTableTest, EndedJobsMakeRoomInMemoryForNewOnes) {
  v1::JobSpec large = specs_.File();
  // About 100 kB for each job, in paths that the kernel refuses as too long.
  for (int i = 0; i < 10; ++i) large.add_sources("/" + std::string(10000, 'a'));
  large.set_target(directory_.path());
  options_.limits.remembered_bytes_max = 250'000;
  const Job first = WaitFor(Submit(large).name(), Job::FAILED);
  const Job second = WaitFor(Submit(large).name(), Job::FAILED);
  EXPECT_EQ(table().Get(first.name()).status().code(), absl::StatusCode::kNotFound);
  v1::JobSpec blocking = large;
  blocking.set_sources(0, directory_.MakeFifo("fifo"));
  // This one runs and can't be forgotten, so the second has to make room.
  Submit(blocking);
  EXPECT_EQ(table().Get(second.name()).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JobTableTest, JobsThatHaveNotEndedAreNeverForgottenForNewOnes) {
  v1::JobSpec large = specs_.Fifo();
  for (int i = 0; i < 10; ++i) large.add_sources("/" + std::string(10000, 'a'));
  large.set_target(directory_.path());
  options_.limits.remembered_bytes_max = 150'000;
  options_.limits.running_jobs_max = 1;
  const Job blocking = Submit(specs_.Fifo());
  const Job queued = Submit(large);
  EXPECT_EQ(table().Submit(large, "").status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Get(queued.name()).state(), Job::QUEUED);
}

TEST_F(JobTableTest, AnUnknownJobIsNotFoundAndNoNameIsRefused) {
  for (const char* name : {"jobs/20261122-110532-4f3a9c", "jobs/x"}) {
    EXPECT_EQ(table().Get(name).status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(table().Cancel(name).status().code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(table().OpenWatch(name, 0).status().code(), absl::StatusCode::kNotFound);
  }
  for (const char* name : {"", "jobs/", "x"}) {
    EXPECT_EQ(table().Get(name).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(JobTableTest, DrainingEndsEveryJobAndRefusesNewOnes) {
  options_.limits.running_jobs_max = 1;
  const v1::JobSpec spec = specs_.Fifo();
  const Job running = Submit(spec, "id");
  const Job queued = Submit(specs_.File());
  const auto watch = OpenWatch(running.name());
  table().Drain();
  EXPECT_EQ(Get(running.name()).state(), Job::CANCELLED);
  EXPECT_EQ(Get(running.name()).error(), "the agent was shut down");
  EXPECT_EQ(Get(queued.name()).state(), Job::CANCELLED);
  EXPECT_FALSE(Exists(spec.target()));
  const auto last = watch->Next(Now());
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->job().state(), Job::CANCELLED);
  EXPECT_EQ(table().Submit(specs_.File(), "").status().code(),
            absl::StatusCode::kUnavailable);
  // A repeated request still learns what became of its job.
  EXPECT_EQ(Submit(spec, "id").name(), running.name());
  table().Drain();
}

TEST_F(JobTableTest, EachJobHasOneLineAtItsStartAndOneAtItsEnd) {
  options_.limits.running_jobs_max = 1;
  const Job failed = WaitFor(Submit(specs_.Obstructed(2)).name(), Job::FAILED);
  const Job running = Submit(specs_.Fifo());
  const Job queued = Submit(specs_.File());
  ASSERT_TRUE(table().Cancel(queued.name()).ok());
  Release(running);
  WaitFor(running.name(), Job::SUCCEEDED);
  table().Drain();
  // A job's last line is written after the job has ended, so it may not be there yet.
  const SteadyTime give_up = Now() + kPatience;
  while (log_.Get().size() < 5 && Now() < give_up) std::this_thread::yield();
  std::vector<std::string> lines = log_.Get();
  std::sort(lines.begin(), lines.end());
  std::vector<testing::Matcher<std::string>> expected = {
      StartsWith(failed.name() + " failed: 0 files, 0 bytes, 0."),
      testing::Eq(failed.name() + " started"),
      StartsWith(running.name() + " succeeded: 1 files, 0 bytes, 0."),
      testing::Eq(running.name() + " started"),
      testing::Eq(queued.name() + " cancelled before it started")};
  EXPECT_THAT(lines, testing::UnorderedElementsAreArray(expected));
  EXPECT_THAT(lines, testing::Contains(HasSubstr(" s, 2 failed")));
}

}  // namespace
}  // namespace ringcp

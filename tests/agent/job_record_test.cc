#include "agent/job_record.h"

#include <memory>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

using v1::Job;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

JobRecord NewRecord() {
  auto spec = std::make_shared<v1::JobSpec>();
  spec->add_sources("/s");
  spec->set_target("/t");
  (*spec->mutable_labels())["team"] = "web";
  return JobRecord("jobs/1", std::move(spec), kNow);
}

v1::FileError ErrorOn(const std::string& path) {
  v1::FileError error;
  error.set_path(path);
  return error;
}

TEST(JobRecordTest, ANewJobIsQueued) {
  const JobRecord record = NewRecord();
  EXPECT_EQ(record.state(), Job::QUEUED);
  EXPECT_EQ(record.snapshot().name(), "jobs/1");
  EXPECT_EQ(record.snapshot().create_time().seconds(), 1'800'000'000);
  EXPECT_FALSE(record.snapshot().has_start_time());
  EXPECT_FALSE(record.snapshot().has_end_time());
  EXPECT_EQ(record.snapshot().attempts(), 0);
  EXPECT_EQ(record.snapshot().labels().at("team"), "web");
  EXPECT_FALSE(record.ended());
}

TEST(JobRecordTest, AStartedJobRunsAndEndsInEachFinalState) {
  for (const Job::State end : {Job::SUCCEEDED, Job::FAILED, Job::CANCELLED}) {
    JobRecord record = NewRecord();
    record.Start(kNow + absl::Seconds(1));
    EXPECT_EQ(record.state(), Job::RUNNING);
    EXPECT_EQ(record.snapshot().attempts(), 1);
    EXPECT_EQ(record.snapshot().start_time().seconds(), 1'800'000'001);
    EXPECT_FALSE(record.ended());
    record.End(end, "why", kNow + absl::Seconds(2));
    EXPECT_EQ(record.state(), end);
    EXPECT_EQ(record.snapshot().error(), "why");
    EXPECT_EQ(record.snapshot().end_time().seconds(), 1'800'000'002);
    EXPECT_TRUE(record.ended());
  }
}

TEST(JobRecordTest, AQueuedJobCanBeCancelled) {
  JobRecord record = NewRecord();
  record.End(Job::CANCELLED, "why", kNow);
  EXPECT_TRUE(record.ended());
  EXPECT_FALSE(record.snapshot().has_start_time());
}

TEST(JobRecordDeathTest, NoOtherEdgeExists) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  JobRecord queued = NewRecord();
  EXPECT_DEATH(queued.End(Job::SUCCEEDED, "", kNow), "bug");
  EXPECT_DEATH(queued.End(Job::FAILED, "", kNow), "bug");
  EXPECT_DEATH(queued.UpdateProgress({}), "bug");
  EXPECT_DEATH(queued.AddError({}, true), "bug");
  JobRecord running = NewRecord();
  running.Start(kNow);
  EXPECT_DEATH(running.Start(kNow), "bug");
  EXPECT_DEATH(running.End(Job::QUEUED, "", kNow), "bug");
  JobRecord ended = NewRecord();
  ended.End(Job::CANCELLED, "", kNow);
  EXPECT_DEATH(ended.Start(kNow), "bug");
  EXPECT_DEATH(ended.End(Job::CANCELLED, "", kNow), "bug");
  EXPECT_DEATH(ended.UpdateProgress({}), "bug");
}

TEST(JobRecordTest, TheVersionGrowsWithEveryChangeAndOnlyThen) {
  JobRecord record = NewRecord();
  int64_t last = record.version();
  EXPECT_GT(last, 0);
  const auto changed = [&] {
    const bool grown = record.version() > last;
    last = record.version();
    return grown;
  };
  record.Start(kNow);
  EXPECT_TRUE(changed());
  v1::Progress progress;
  progress.set_bytes_done(7);
  record.UpdateProgress(progress);
  EXPECT_TRUE(changed());
  record.UpdateProgress(progress);
  EXPECT_FALSE(changed());
  record.AddError(ErrorOn("/a"), /*keep=*/true);
  EXPECT_TRUE(changed());
  record.AddError(ErrorOn("/b"), /*keep=*/false);
  EXPECT_TRUE(changed());
  record.End(Job::FAILED, "", kNow);
  EXPECT_TRUE(changed());
}

TEST(JobRecordTest, ErrorsAreFoundByTheVersionTheyCameWith) {
  JobRecord record = NewRecord();
  record.Start(kNow);
  const int64_t before = record.version();
  record.AddError(ErrorOn("/a"), true);
  const int64_t first = record.version();
  record.AddError(ErrorOn("/lost"), false);
  record.AddError(ErrorOn("/b"), true);
  EXPECT_EQ(record.errors_size(), 2u);
  EXPECT_EQ(record.error(0).path(), "/a");
  EXPECT_EQ(record.error(1).path(), "/b");
  EXPECT_EQ(record.ErrorsUpTo(before), 0u);
  EXPECT_EQ(record.ErrorsUpTo(first), 1u);
  EXPECT_EQ(record.ErrorsUpTo(first + 1), 1u);
  EXPECT_EQ(record.ErrorsUpTo(record.version()), 2u);
  EXPECT_EQ(record.ErrorsUpTo(INT64_MAX), 2u);
}

TEST(JobRecordTest, KeptErrorsTakeMemoryAndOthersDoNot) {
  JobRecord record = NewRecord();
  record.Start(kNow);
  const int64_t before = record.bytes();
  const v1::FileError error = ErrorOn("/" + std::string(10000, 'a'));
  EXPECT_GE(JobRecord::ErrorBytes(error), 10000);
  record.AddError(error, false);
  EXPECT_EQ(record.bytes(), before);
  record.AddError(error, true);
  EXPECT_EQ(record.bytes(), before + JobRecord::ErrorBytes(error));
}

}  // namespace
}  // namespace ringcp

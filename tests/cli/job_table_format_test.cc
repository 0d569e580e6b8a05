#include "cli/job_table_format.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "proto/ringcp.pb.h"

namespace ringcp {
namespace {

constexpr int64_t kCreated = 1'700'000'000;
const absl::Time kNow = absl::FromUnixSeconds(kCreated + 75);

v1::Job RunningJob() {
  v1::Job job;
  job.set_name("jobs/7");
  job.set_state(v1::Job::RUNNING);
  job.mutable_create_time()->set_seconds(kCreated);
  job.mutable_start_time()->set_seconds(kCreated + 15);
  job.mutable_spec()->add_sources("/srv/data");
  job.mutable_spec()->add_sources("file:///srv/caf%E9");
  job.mutable_spec()->set_target("/backup");
  v1::CopyOptions* options = job.mutable_spec()->mutable_options();
  options->set_recursive(true);
  options->set_dereference(v1::CopyOptions::DEREFERENCE_NEVER);
  options->mutable_preserve()->set_mode(true);
  options->mutable_preserve()->set_links(true);
  v1::Progress* progress = job.mutable_progress();
  progress->set_bytes_done(512 * 1024);
  progress->set_bytes_total(1024 * 1024);
  progress->set_files_done(10);
  progress->set_files_total(2000);
  progress->set_scan_complete(true);
  progress->set_bytes_per_second(2048);
  progress->mutable_time_remaining()->set_seconds(256);
  return job;
}

v1::Job QueuedJob() {
  v1::Job job;
  job.set_name("jobs/12345-8");
  job.set_state(v1::Job::QUEUED);
  job.mutable_create_time()->set_seconds(kCreated + 74);
  job.mutable_spec()->add_sources("/a");
  job.mutable_spec()->set_target("/it's here");
  return job;
}

TEST(JobTable, AlignsWordsToTheLeftAndNumbersToTheRight) {
  JobTable table(kNow);
  table.Add(QueuedJob());
  table.Add(RunningJob());
  EXPECT_EQ(
      table.Format(),
      "JOB           STATE    DONE    FILES              BYTES       RATE   AGE  TARGET\n"
      "jobs/12345-8  QUEUED      -     0/~0           0 B/~0 B      0 B/s  0:01  \"/it's "
      "here\"\n"
      "jobs/7        RUNNING   50%  10/2000  512.0 KiB/1.0 MiB  2.0 KiB/s  1:15  "
      "'/backup'");
}

TEST(JobTable, HasItsHeadingWithoutJobs) {
  EXPECT_EQ(JobTable(kNow).Format(), "JOB  STATE  DONE  FILES  BYTES  RATE  AGE  TARGET");
}

TEST(FormatJob, HasOneFieldALine) {
  EXPECT_EQ(FormatJob(RunningJob(), kNow, absl::UTCTimeZone()),
            "Job:          jobs/7\n"
            "State:        RUNNING\n"
            "Sources:      '/srv/data'\n"
            "              '/srv/caf'$'\\351'\n"
            "Target:       '/backup'\n"
            "Options:      -r -P --preserve=mode,links\n"
            "Created:      2023-11-14 22:13:20 +0000 (1:15 ago)\n"
            "Started:      2023-11-14 22:13:35 +0000 (1:00 ago)\n"
            "Done:         50%\n"
            "Bytes:        512.0 KiB/1.0 MiB\n"
            "Files:        10/2000\n"
            "Directories:  0\n"
            "Skipped:      0\n"
            "Failed:       0\n"
            "Rate:         2.0 KiB/s\n"
            "Time left:    4:16");
}

TEST(FormatJob, TellsWhatLimitsTheJob) {
  v1::Job job = RunningJob();
  job.mutable_progress()->mutable_engine()->set_in_flight(7);
  job.mutable_progress()->mutable_engine()->set_limited_by("the source");
  EXPECT_TRUE(FormatJob(job, kNow, absl::UTCTimeZone())
                  .ends_with("\nIn flight:    7.0\n"
                             "Limited by:   the source"));
}

TEST(FormatJob, TellsWhatAnEndedJobHas) {
  v1::Job job = QueuedJob();
  job.set_state(v1::Job::CANCELLED);
  job.set_error("the agent was shut down");
  job.mutable_end_time()->set_seconds(kCreated + 75);
  (*job.mutable_labels())["b"] = "2";
  (*job.mutable_labels())["a"] = "1";
  const std::string text = FormatJob(job, kNow, absl::UTCTimeZone());
  EXPECT_NE(text.find("Error:        the agent was shut down\n"), std::string::npos);
  EXPECT_NE(text.find("Labels:       a=1 b=2\n"), std::string::npos);
  EXPECT_NE(text.find("Ended:        2023-11-14 22:14:35 +0000 (0:00 ago)\n"),
            std::string::npos);
  EXPECT_NE(text.find("Done:         unknown: files are still being found\n"),
            std::string::npos);
  EXPECT_EQ(text.find("Started:"), std::string::npos);
  EXPECT_EQ(text.find("Options:"), std::string::npos);
}

TEST(FormatAgentInfo, HasOneFieldALine) {
  v1::AgentInfo info;
  info.set_version("0.1.0");
  info.set_kernel("6.1.0");
  info.set_engine("uring");
  info.set_engine_reason("the kernel has all that it needs");
  info.mutable_engine_totals()->set_sqes(300);
  info.mutable_engine_totals()->set_linked_sqes(200);
  info.mutable_engine_totals()->set_ops_at_once(50);
  info.set_jobs_running(1);
  info.mutable_limits()->set_max_running_jobs(4);
  info.mutable_limits()->set_max_queued_jobs(1000);
  info.mutable_limits()->set_max_finished_jobs(1000);
  info.mutable_limits()->set_max_errors_per_job(10000);
  info.mutable_limits()->set_max_watchers(64);
  EXPECT_EQ(FormatAgentInfo(info, "unix:/s"),
            "Agent:      unix:/s\n"
            "Version:    0.1.0\n"
            "Kernel:     6.1.0\n"
            "Engine:     uring: the kernel has all that it needs\n"
            "Ops:        300 by io_uring (200 linked), 50 by system calls\n"
            "Running:    1 of at most 4 jobs\n"
            "Queued:     0 of at most 1000 jobs\n"
            "Remembers:  at most 1000 ended jobs, 10000 errors of each\n"
            "Watchers:   at most 64");
}

TEST(DisplayPath, IsSafeToPrintAndToPaste) {
  EXPECT_EQ(DisplayPath("/a b"), "'/a b'");
  EXPECT_EQ(DisplayPath("file:///a%0A"), "'/a'$'\\n'");
  EXPECT_EQ(DisplayPath("/a\033[2J"), "'/a'$'\\033''[2J'");
  EXPECT_EQ(DisplayPath("not absolute"), "'not absolute'");
}

}  // namespace
}  // namespace ringcp

// Tests what clients ask about jobs: their errors, lists of jobs, and watching them.

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/job_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/job_table_fixture.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using v1::Job;

class JobTableQueryTest : public JobTableFixture {};

TEST_F(JobTableQueryTest, ErrorsAreKeptInOrder) {
  const Job ended = WaitFor(Submit(specs_.Failing(5)).name(), Job::FAILED);
  EXPECT_EQ(ended.error(), "");
  v1::ListJobErrorsRequest request;
  request.set_name(ended.name());
  request.set_page_size(2);
  std::vector<std::string> paths;
  std::vector<int> pages;
  do {
    const auto page = table().ListErrors(request);
    ASSERT_TRUE(page.ok()) << page.status();
    pages.push_back(page->errors_size());
    for (const v1::FileError& error : page->errors()) {
      paths.push_back(error.path());
      EXPECT_EQ(error.operation(), "stat");
      EXPECT_EQ(error.errno_name(), "ENOENT");
      EXPECT_THAT(error.message(), HasSubstr("missing"));
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(pages, ElementsAre(2, 2, 1));
  EXPECT_THAT(paths, ElementsAre(directory_.Path("missing0"), directory_.Path("missing1"),
                                 directory_.Path("missing2"), directory_.Path("missing3"),
                                 directory_.Path("missing4")));
}

TEST_F(JobTableQueryTest, ErrorsBeyondTheLimitAreOnlyCounted) {
  options_.limits.errors_per_job_max = 3;
  const Job ended = WaitFor(Submit(specs_.Obstructed(5)).name(), Job::FAILED);
  EXPECT_EQ(ended.progress().files_failed(), 5);
  v1::ListJobErrorsRequest request;
  request.set_name(ended.name());
  const auto page = table().ListErrors(request);
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->errors(), SizeIs(3));
  EXPECT_EQ(page->next_page_token(), "");
}

TEST_F(JobTableQueryTest, WarningsTakeUpATenthOfTheRoomForErrors) {
  options_.limits.errors_per_job_max = 20;
  // A source that is named again is a warning.
  v1::JobSpec spec = specs_.File();
  const std::string source = spec.sources(0);
  for (int i = 0; i < 5; ++i) spec.add_sources(source);
  spec.set_target(directory_.path());
  spec.add_sources(directory_.Path("nope"));
  const Job ended = WaitFor(Submit(spec).name(), Job::FAILED);
  v1::ListJobErrorsRequest request;
  request.set_name(ended.name());
  const auto page = table().ListErrors(request);
  ASSERT_TRUE(page.ok());
  int warnings = 0;
  for (const v1::FileError& error : page->errors()) {
    warnings += error.is_warning() ? 1 : 0;
  }
  EXPECT_EQ(warnings, 2);
  EXPECT_EQ(page->errors_size() - warnings, ended.progress().files_failed());
}

TEST_F(JobTableQueryTest, ListsAndEventsHaveOneSourceUnlessAllAreAskedFor) {
  const Job job = Submit(specs_.Failing(9));
  EXPECT_EQ(job.spec().sources_size(), 9);
  const auto has = [&job](const Job& shown, int sources) {
    EXPECT_EQ(shown.spec().sources_size(), sources);
    EXPECT_EQ(shown.sources_count(), 9);
    EXPECT_EQ(shown.spec().sources(0), job.spec().sources(0));
    EXPECT_NE(shown.spec().target(), "");
  };
  has(*table().Get(job.name(), v1::JOB_VIEW_UNSPECIFIED), 9);
  has(*table().Get(job.name(), v1::JOB_VIEW_BASIC), 1);
  v1::ListJobsRequest request;
  has(table().List(request)->jobs(0), 1);
  request.set_view(v1::JOB_VIEW_FULL);
  has(table().List(request)->jobs(0), 9);
  has((*table().OpenWatch(job.name(), 0))->Next()->job(), 1);
  has((*table().OpenWatch(job.name(), 0, v1::JOB_VIEW_FULL))->Next()->job(), 9);
  request.set_view(static_cast<v1::JobView>(7));
  EXPECT_EQ(table().List(request).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(JobTableQueryTest, AnotherJobsErrorTokenIsRefused) {
  const Job first = WaitFor(Submit(specs_.Failing(3)).name(), Job::FAILED);
  const Job second = WaitFor(Submit(specs_.Failing(3)).name(), Job::FAILED);
  v1::ListJobErrorsRequest request;
  request.set_name(first.name());
  request.set_page_size(1);
  request.set_page_token(table().ListErrors(request)->next_page_token());
  EXPECT_TRUE(table().ListErrors(request).ok());
  request.set_name(second.name());
  EXPECT_EQ(table().ListErrors(request).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(JobTableQueryTest, PagesStayRightWhenJobsCome) {
  std::vector<std::string> newest_first;
  for (int i = 0; i < 5; ++i) {
    newest_first.insert(newest_first.begin(), Submit(specs_.File()).name());
  }
  std::vector<std::string> listed;
  std::string token;
  do {
    const v1::ListJobsResponse page = List(2, "", token);
    for (const std::string& name : Names(page)) listed.push_back(name);
    token = page.next_page_token();
    Submit(specs_.File());
  } while (!token.empty());
  EXPECT_EQ(listed, newest_first);
}

TEST_F(JobTableQueryTest, ALastPageThatIsFullHasNoNextOne) {
  Submit(specs_.File());
  Submit(specs_.File());
  EXPECT_EQ(List(2).next_page_token(), "");
  EXPECT_NE(List(1).next_page_token(), "");
}

TEST_F(JobTableQueryTest, AFilterListsOnlyWhatMatches) {
  options_.limits.running_jobs_max = 1;
  v1::JobSpec labelled = specs_.Fifo();
  (*labelled.mutable_labels())["team"] = "web";
  const Job running = Submit(labelled);
  const Job queued = Submit(labelled);
  const Job other = Submit(specs_.File());
  EXPECT_THAT(Names(List(0, "state=RUNNING")), ElementsAre(running.name()));
  EXPECT_THAT(Names(List(0, "state=QUEUED AND labels.team=web")),
              ElementsAre(queued.name()));
  EXPECT_THAT(Names(List(0, "labels.team=web")),
              ElementsAre(queued.name(), running.name()));
  // A job that doesn't match stands before the next match.
  const v1::ListJobsResponse page = List(1, "labels.team=web");
  EXPECT_THAT(Names(page), ElementsAre(queued.name()));
  EXPECT_THAT(Names(List(1, "labels.team=web", page.next_page_token())),
              ElementsAre(running.name()));
}

TEST_F(JobTableQueryTest, BadListRequestsNameTheField) {
  Submit(specs_.File());
  Submit(specs_.File());
  const auto refusal = [&](int page_size, const std::string& filter,
                           const std::string& token) {
    v1::ListJobsRequest request;
    request.set_page_size(page_size);
    request.set_filter(filter);
    request.set_page_token(token);
    const absl::Status status = table().List(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(-1, "", ""), StartsWith("page_size: "));
  EXPECT_THAT(refusal(0, "bogus", ""), StartsWith("filter: "));
  EXPECT_THAT(refusal(0, "", "bogus"), StartsWith("page_token: "));
  EXPECT_THAT(refusal(0, "labels.a=b", List(1).next_page_token()),
              StartsWith("page_token: "));
}

TEST_F(JobTableQueryTest, AWatchBeginsImmediatelyAndSeesEveryState) {
  options_.limits.running_jobs_max = 1;
  const Job blocking = Submit(specs_.Fifo());
  const Job job = Submit(specs_.Fifo());
  const auto watch = OpenWatch(job.name(), job.version());
  auto event = watch->Next(Now());
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->job().state(), Job::QUEUED);
  EXPECT_EQ(event->job().spec().target(), job.spec().target());
  // Nothing has changed, so there is no event.
  EXPECT_FALSE(watch->Next(Now()).has_value());
  Release(blocking);
  event = watch->Next(Now() + kPatience);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->job().state(), Job::RUNNING);
  EXPECT_FALSE(watch->ended());
  Release(job);
  do {
    event = watch->Next(Now() + kPatience);
    ASSERT_TRUE(event.has_value());
  } while (event->job().state() == Job::RUNNING);
  EXPECT_EQ(event->job().state(), Job::SUCCEEDED);
  EXPECT_TRUE(watch->ended());
}

TEST_F(JobTableQueryTest, VersionsGrowFromEventToEvent) {
  const Job job = Submit(specs_.Fifo());
  const auto watch = OpenWatch(job.name());
  const int fd = open(job.spec().sources(0).c_str(), O_WRONLY | O_CLOEXEC);
  int64_t version = 0;
  int64_t bytes = 0;
  for (int written = 1; written <= 3; ++written) {
    ASSERT_EQ(write(fd, "x", 1), 1);
    // The hub looks at the counters at each tick.
    while (bytes < written) {
      const auto event = watch->Next(Now() + std::chrono::milliseconds(1));
      if (!event.has_value()) continue;
      EXPECT_GT(event->job().version(), version);
      EXPECT_GE(event->job().progress().bytes_done(), bytes);
      version = event->job().version();
      bytes = event->job().progress().bytes_done();
    }
  }
  close(fd);
  EXPECT_GT(WaitFor(job.name(), Job::SUCCEEDED).version(), version);
}

TEST_F(JobTableQueryTest, AWatchGetsTheErrorsSinceAVersionInOrderWithoutGaps) {
  const Job ended = WaitFor(Submit(specs_.Failing(2500)).name(), Job::FAILED);
  const auto all = OpenWatch(ended.name(), 0)->Next(Now());
  ASSERT_TRUE(all.has_value());
  ASSERT_EQ(all->errors_size(), 1000);
  EXPECT_EQ(all->errors(0).path(), directory_.Path("missing0"));
  EXPECT_EQ(all->errors(999).path(), directory_.Path("missing999"));
  const auto none = OpenWatch(ended.name(), ended.version())->Next(Now());
  ASSERT_TRUE(none.has_value());
  EXPECT_THAT(none->errors(), IsEmpty());
  EXPECT_EQ(table().OpenWatch(ended.name(), -1).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(JobTableQueryTest, ARunningJobsErrorsComeInEventsWithoutGaps) {
  // The missing sources fail immediately; then the job waits at its FIFO.
  v1::JobSpec spec = specs_.Failing(2500);
  spec.add_sources(directory_.MakeFifo("fifo"));
  spec.set_target(directory_.MakeDirectory("into"));
  const Job job = Submit(spec);
  const auto watch = OpenWatch(job.name());
  std::vector<std::string> paths;
  while (paths.size() < 2500) {
    const auto event = watch->Next(Now() + std::chrono::milliseconds(1));
    if (!event.has_value()) continue;
    ASSERT_FALSE(watch->ended());
    ASSERT_LE(event->errors_size(), 1000);
    for (const v1::FileError& error : event->errors()) paths.push_back(error.path());
  }
  for (size_t i = 0; i < paths.size(); ++i) {
    ASSERT_EQ(paths[i], directory_.Path(absl::StrCat("missing", i)));
  }
}

TEST_F(JobTableQueryTest, AWatchedJobIsSeenToItsEndEvenIfItIsForgotten) {
  options_.limits.finished_jobs_max = 1;
  const Job job = Submit(specs_.File());
  const auto watch = OpenWatch(job.name());
  WaitFor(job.name(), Job::SUCCEEDED);
  WaitFor(Submit(specs_.File()).name(), Job::SUCCEEDED);
  ASSERT_EQ(table().Get(job.name()).status().code(), absl::StatusCode::kNotFound);
  const auto event = watch->Next(Now());
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->job().state(), Job::SUCCEEDED);
  EXPECT_TRUE(watch->ended());
}

}  // namespace
}  // namespace ringcp

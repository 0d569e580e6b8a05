// Jobs that have to keep running copy a FIFO: without -r that is the copy of what
// somebody writes into it, and it ends when that somebody does. So every state can be
// held for as long as a test needs it, and nothing waits for a fixed time.

#include "agent/job_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
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

// Far longer than anything takes; a test that needs it fails.
constexpr std::chrono::seconds kPatience{60};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

// The log of a table, for whoever writes and reads it at the same time.
class Lines {
 public:
  void Add(std::string_view line) {
    MutexLock lock(&mutex_);
    lines_.emplace_back(line);
  }
  std::vector<std::string> Get() {
    MutexLock lock(&mutex_);
    return lines_;
  }

 private:
  Mutex mutex_;
  std::vector<std::string> lines_ ABSL_GUARDED_BY(mutex_);
};

class JobTableTest : public testing::Test {
 protected:
  JobTableTest() {
    options_.log = [this](std::string_view line) { log_.Add(line); };
  }

  // The table under test, made with options_ when first used.
  JobTable& table() {
    if (!table_.has_value()) table_.emplace(options_);
    return *table_;
  }

  // A job that copies a file of its own.
  v1::JobSpec FileSpec() {
    const std::string number = absl::StrCat(++last_number_);
    v1::JobSpec spec;
    spec.add_sources(directory_.WriteFile("source" + number, "contents " + number));
    spec.set_target(directory_.Path("target" + number));
    return spec;
  }

  // A job that runs until its FIFO, which is its source, is released.
  v1::JobSpec FifoSpec() {
    const std::string number = absl::StrCat(++last_number_);
    v1::JobSpec spec;
    spec.add_sources(directory_.MakeFifo("fifo" + number));
    spec.set_target(directory_.Path("target" + number));
    return spec;
  }

  // A job that can't copy any of `count` files.
  v1::JobSpec FailingSpec(int count) {
    v1::JobSpec spec;
    for (int i = 0; i < count; ++i) {
      spec.add_sources(directory_.Path(absl::StrCat("missing", i)));
    }
    spec.set_target(directory_.path());
    return spec;
  }

  // A job that fails to copy `count` files, because directories are in their places.
  v1::JobSpec ObstructedSpec(int count) {
    v1::JobSpec spec;
    spec.set_target(directory_.MakeDirectory("obstructed"));
    for (int i = 0; i < count; ++i) {
      const std::string name = absl::StrCat("file", i);
      spec.add_sources(directory_.WriteFile(name, "contents"));
      directory_.MakeDirectory("obstructed/" + name);
    }
    return spec;
  }

  Job Submit(const v1::JobSpec& spec, const std::string& request_id = "") {
    auto job = table().Submit(spec, request_id);
    EXPECT_TRUE(job.ok()) << job.status();
    return job.ok() ? *job : Job();
  }

  Job Get(const std::string& name) {
    auto job = table().Get(name);
    EXPECT_TRUE(job.ok()) << job.status();
    return job.ok() ? *job : Job();
  }

  std::unique_ptr<JobTable::Watch> OpenWatch(const std::string& name,
                                             int64_t since_version = 0) {
    auto watch = table().OpenWatch(name, since_version);
    EXPECT_TRUE(watch.ok()) << watch.status();
    return *std::move(watch);
  }

  // Waits until the job of `name` is in `state`; returns it then.
  Job WaitFor(const std::string& name, Job::State state) {
    const auto watch = OpenWatch(name);
    const SteadyTime give_up = Now() + kPatience;
    while (Now() < give_up) {
      const auto event = watch->Next(give_up);
      if (event.has_value() && event->job().state() == state) return event->job();
      if (watch->ended()) break;
    }
    ADD_FAILURE() << name << " did not become " << Job::State_Name(state);
    return Job();
  }

  // Lets the job that reads the FIFO of `job` come to its end.
  void Release(const Job& job) {
    // Waits for the job to open it.
    const int fd = open(job.spec().sources(0).c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_GE(fd, 0);
    close(fd);
  }

  std::vector<std::string> Names(const v1::ListJobsResponse& response) {
    std::vector<std::string> names;
    for (const Job& job : response.jobs()) names.push_back(job.name());
    return names;
  }

  v1::ListJobsResponse List(int page_size, const std::string& filter = "",
                            const std::string& page_token = "") {
    v1::ListJobsRequest request;
    request.set_page_size(page_size);
    request.set_filter(filter);
    request.set_page_token(page_token);
    auto response = table().List(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *response : v1::ListJobsResponse();
  }

  ScratchDirectory directory_;
  Lines log_;
  JobTable::Options options_;

 private:
  int last_number_ = 0;
  std::optional<JobTable> table_;
};

TEST_F(JobTableTest, AJobCopiesAndSucceeds) {
  const v1::JobSpec spec = FileSpec();
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

TEST_F(JobTableTest, ABadSpecificationIsRefusedAndLeavesNothing) {
  EXPECT_EQ(table().Submit({}, "").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(table().Submit(FileSpec(), std::string(129, 'i')).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(List(0).jobs(), IsEmpty());
}

TEST_F(JobTableTest, AJobThatCannotRunAtAllSaysWhy) {
  v1::JobSpec spec = FileSpec();
  spec.set_target(directory_.Path("nowhere/target"));
  spec.mutable_options()->set_target_kind(v1::CopyOptions::DIRECTORY);
  const Job ended = WaitFor(Submit(spec).name(), Job::FAILED);
  EXPECT_THAT(ended.error(), HasSubstr(spec.target()));
}

TEST_F(JobTableTest, NamesAreDifferentAndToldApartByTime) {
  std::set<std::string> names;
  for (int i = 0; i < 50; ++i) names.insert(Submit(FileSpec()).name());
  EXPECT_THAT(names, SizeIs(50));
  EXPECT_THAT(*names.begin(), MatchesRegex("jobs/20[0-9]{6}-[0-9]{6}-[0-9a-f]{6}"));
}

TEST_F(JobTableTest, JobsBeyondTheLimitWaitAndStartInTheOrderTheyCame) {
  options_.limits.running_jobs_max = 1;
  const Job first = Submit(FifoSpec());
  const Job second = Submit(FifoSpec());
  const Job third = Submit(FifoSpec());
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
  const Job first = Submit(FifoSpec());
  const Job second = Submit(FifoSpec());
  EXPECT_EQ(Submit(FifoSpec()).state(), Job::QUEUED);
  EXPECT_EQ(second.state(), Job::RUNNING);
  // The second can only end while the first is still being carried out.
  Release(second);
  WaitFor(second.name(), Job::SUCCEEDED);
  EXPECT_EQ(Get(first.name()).state(), Job::RUNNING);
}

TEST_F(JobTableTest, AFullQueueRefusesUntilThereIsRoom) {
  options_.limits.running_jobs_max = 1;
  options_.limits.queued_jobs_max = 1;
  Submit(FifoSpec());
  const Job queued = Submit(FileSpec());
  const v1::JobSpec spec = FileSpec();
  EXPECT_EQ(table().Submit(spec, "").status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(table().Cancel(queued.name()).ok());
  EXPECT_TRUE(table().Submit(spec, "").ok());
}

TEST_F(JobTableTest, AQueuedJobIsCancelledAtOnce) {
  options_.limits.running_jobs_max = 1;
  const Job running = Submit(FifoSpec());
  const Job queued = Submit(FileSpec());
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
  const Job job = Submit(FifoSpec());
  ASSERT_TRUE(table().Cancel(job.name()).ok());
  const Job ended = WaitFor(job.name(), Job::CANCELLED);
  EXPECT_EQ(ended.error(), "CancelJob was called");
  EXPECT_FALSE(Exists(job.spec().target()));
}

TEST_F(JobTableTest, AnEndedJobIsNotChangedByCancelling) {
  const Job ended = WaitFor(Submit(FileSpec()).name(), Job::SUCCEEDED);
  const auto cancelled = table().Cancel(ended.name());
  ASSERT_TRUE(cancelled.ok());
  EXPECT_EQ(cancelled->SerializeAsString(), ended.SerializeAsString());
}

TEST_F(JobTableTest, ARepeatedRequestIdGetsTheSameJob) {
  const v1::JobSpec spec = FifoSpec();
  const Job job = Submit(spec, "id");
  EXPECT_EQ(Submit(spec, "id").name(), job.name());
  EXPECT_NE(Submit(spec, "other").name(), job.name());
  EXPECT_NE(Submit(spec).name(), Submit(spec).name());
  const auto refused = table().Submit(FifoSpec(), "id");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()),
              AllOf(StartsWith("request_id: "), HasSubstr(job.name())));
}

TEST_F(JobTableTest, ARequestIdIsForgottenWithItsJob) {
  options_.limits.finished_jobs_max = 1;
  const v1::JobSpec spec = FileSpec();
  const Job job = Submit(spec, "id");
  WaitFor(job.name(), Job::SUCCEEDED);
  WaitFor(Submit(FileSpec()).name(), Job::SUCCEEDED);
  EXPECT_NE(Submit(spec, "id").name(), job.name());
}

TEST_F(JobTableTest, TheJobThatEndedFirstIsForgottenFirst) {
  options_.limits.finished_jobs_max = 2;
  const Job slow = Submit(FifoSpec());
  const Job first = WaitFor(Submit(FileSpec()).name(), Job::SUCCEEDED);
  const Job second = WaitFor(Submit(FileSpec()).name(), Job::SUCCEEDED);
  Release(slow);
  WaitFor(slow.name(), Job::SUCCEEDED);
  EXPECT_EQ(table().Get(first.name()).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Names(List(0)), ElementsAre(second.name(), slow.name()));
}

TEST_F(JobTableTest, EndedJobsMakeRoomInMemoryForNewOnes) {
  v1::JobSpec large = FileSpec();
  // About 100 kB each, in paths that are no trouble to the job.
  for (int i = 0; i < 10; ++i) large.add_sources("/" + std::string(10000, 'a'));
  large.set_target(directory_.path());
  options_.limits.remembered_bytes_max = 250'000;
  const Job first = WaitFor(Submit(large).name(), Job::FAILED);
  const Job second = WaitFor(Submit(large).name(), Job::FAILED);
  EXPECT_EQ(table().Get(first.name()).status().code(), absl::StatusCode::kNotFound);
  v1::JobSpec blocking = large;
  blocking.set_sources(0, directory_.MakeFifo("fifo"));
  // One that runs can't be forgotten.
  Submit(blocking);
  EXPECT_EQ(table().Get(second.name()).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JobTableTest, JobsThatHaveNotEndedAreNeverForgottenForNewOnes) {
  v1::JobSpec large = FifoSpec();
  for (int i = 0; i < 10; ++i) large.add_sources("/" + std::string(10000, 'a'));
  large.set_target(directory_.path());
  options_.limits.remembered_bytes_max = 150'000;
  options_.limits.running_jobs_max = 1;
  const Job blocking = Submit(FifoSpec());
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

TEST_F(JobTableTest, ErrorsAreKeptInOrder) {
  const Job ended = WaitFor(Submit(FailingSpec(5)).name(), Job::FAILED);
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

TEST_F(JobTableTest, ErrorsBeyondTheLimitAreOnlyCounted) {
  options_.limits.errors_per_job_max = 3;
  const Job ended = WaitFor(Submit(ObstructedSpec(5)).name(), Job::FAILED);
  EXPECT_EQ(ended.progress().files_failed(), 5);
  v1::ListJobErrorsRequest request;
  request.set_name(ended.name());
  const auto page = table().ListErrors(request);
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->errors(), SizeIs(3));
  EXPECT_EQ(page->next_page_token(), "");
}

TEST_F(JobTableTest, AnotherJobsErrorTokenIsRefused) {
  const Job first = WaitFor(Submit(FailingSpec(3)).name(), Job::FAILED);
  const Job second = WaitFor(Submit(FailingSpec(3)).name(), Job::FAILED);
  v1::ListJobErrorsRequest request;
  request.set_name(first.name());
  request.set_page_size(1);
  request.set_page_token(table().ListErrors(request)->next_page_token());
  EXPECT_TRUE(table().ListErrors(request).ok());
  request.set_name(second.name());
  EXPECT_EQ(table().ListErrors(request).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(JobTableTest, PagesStayRightWhenJobsCome) {
  std::vector<std::string> newest_first;
  for (int i = 0; i < 5; ++i) {
    newest_first.insert(newest_first.begin(), Submit(FileSpec()).name());
  }
  std::vector<std::string> listed;
  std::string token;
  do {
    const v1::ListJobsResponse page = List(2, "", token);
    for (const std::string& name : Names(page)) listed.push_back(name);
    token = page.next_page_token();
    Submit(FileSpec());
  } while (!token.empty());
  EXPECT_EQ(listed, newest_first);
}

TEST_F(JobTableTest, ALastPageThatIsFullHasNoNextOne) {
  Submit(FileSpec());
  Submit(FileSpec());
  EXPECT_EQ(List(2).next_page_token(), "");
  EXPECT_NE(List(1).next_page_token(), "");
}

TEST_F(JobTableTest, AFilterListsOnlyWhatMatches) {
  options_.limits.running_jobs_max = 1;
  v1::JobSpec labelled = FifoSpec();
  (*labelled.mutable_labels())["team"] = "web";
  const Job running = Submit(labelled);
  const Job queued = Submit(labelled);
  const Job other = Submit(FileSpec());
  EXPECT_THAT(Names(List(0, "state=RUNNING")), ElementsAre(running.name()));
  EXPECT_THAT(Names(List(0, "state=QUEUED AND labels.team=web")),
              ElementsAre(queued.name()));
  EXPECT_THAT(Names(List(0, "labels.team=web")),
              ElementsAre(queued.name(), running.name()));
  // The next match is behind one that doesn't match.
  const v1::ListJobsResponse page = List(1, "labels.team=web");
  EXPECT_THAT(Names(page), ElementsAre(queued.name()));
  EXPECT_THAT(Names(List(1, "labels.team=web", page.next_page_token())),
              ElementsAre(running.name()));
}

TEST_F(JobTableTest, BadListRequestsNameTheField) {
  Submit(FileSpec());
  Submit(FileSpec());
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

TEST_F(JobTableTest, AWatchBeginsAtOnceAndSeesEveryState) {
  options_.limits.running_jobs_max = 1;
  const Job blocking = Submit(FifoSpec());
  const Job job = Submit(FifoSpec());
  const auto watch = OpenWatch(job.name(), job.version());
  auto event = watch->Next(Now());
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->job().state(), Job::QUEUED);
  EXPECT_EQ(event->job().spec().target(), job.spec().target());
  // Nothing has changed, and it doesn't say that anything has.
  EXPECT_FALSE(watch->Next(Now()).has_value());
  Release(blocking);
  event = watch->Next(Now() + kPatience);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->job().state(), Job::RUNNING);
  EXPECT_FALSE(watch->ended());
  Release(job);
  event = watch->Next(Now() + kPatience);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->job().state(), Job::SUCCEEDED);
  EXPECT_TRUE(watch->ended());
}

TEST_F(JobTableTest, VersionsGrowFromEventToEvent) {
  const Job job = Submit(FifoSpec());
  const auto watch = OpenWatch(job.name());
  const int fd = open(job.spec().sources(0).c_str(), O_WRONLY | O_CLOEXEC);
  int64_t version = 0;
  int64_t bytes = 0;
  for (int written = 1; written <= 3; ++written) {
    ASSERT_EQ(write(fd, "x", 1), 1);
    // The counters are looked at when the time is up.
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

TEST_F(JobTableTest, AWatchGetsTheErrorsSinceAVersionInOrderWithoutGaps) {
  const Job ended = WaitFor(Submit(FailingSpec(2500)).name(), Job::FAILED);
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

TEST_F(JobTableTest, ARunningJobsErrorsComeInEventsWithoutGaps) {
  // Missing sources fail at once, then the job waits at its FIFO.
  v1::JobSpec spec = FailingSpec(2500);
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

TEST_F(JobTableTest, AWatchedJobIsSeenToItsEndEvenIfItIsForgotten) {
  options_.limits.finished_jobs_max = 1;
  const Job job = Submit(FileSpec());
  const auto watch = OpenWatch(job.name());
  WaitFor(job.name(), Job::SUCCEEDED);
  WaitFor(Submit(FileSpec()).name(), Job::SUCCEEDED);
  ASSERT_EQ(table().Get(job.name()).status().code(), absl::StatusCode::kNotFound);
  const auto event = watch->Next(Now());
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->job().state(), Job::SUCCEEDED);
  EXPECT_TRUE(watch->ended());
}

TEST_F(JobTableTest, DrainingEndsEveryJobAndRefusesNewOnes) {
  options_.limits.running_jobs_max = 1;
  const v1::JobSpec spec = FifoSpec();
  const Job running = Submit(spec, "id");
  const Job queued = Submit(FileSpec());
  const auto watch = OpenWatch(running.name());
  table().Drain();
  EXPECT_EQ(Get(running.name()).state(), Job::CANCELLED);
  EXPECT_EQ(Get(running.name()).error(), "the agent was shut down");
  EXPECT_EQ(Get(queued.name()).state(), Job::CANCELLED);
  EXPECT_FALSE(Exists(spec.target()));
  const auto last = watch->Next(Now());
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->job().state(), Job::CANCELLED);
  EXPECT_EQ(table().Submit(FileSpec(), "").status().code(),
            absl::StatusCode::kUnavailable);
  // A repeated request still learns what became of it.
  EXPECT_EQ(Submit(spec, "id").name(), running.name());
  table().Drain();
}

TEST_F(JobTableTest, EachJobHasOneLineAtItsStartAndOneAtItsEnd) {
  options_.limits.running_jobs_max = 1;
  const Job failed = WaitFor(Submit(ObstructedSpec(2)).name(), Job::FAILED);
  const Job running = Submit(FifoSpec());
  const Job queued = Submit(FileSpec());
  ASSERT_TRUE(table().Cancel(queued.name()).ok());
  Release(running);
  WaitFor(running.name(), Job::SUCCEEDED);
  table().Drain();
  // The line of an end follows the end.
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

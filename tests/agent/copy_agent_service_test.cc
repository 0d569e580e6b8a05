// Tests the service through a client on an in-process channel. A job that must keep
// running copies a FIFO (see job_specs.h).

#include "agent/copy_agent_service.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/job_table.h"
#include "gmock/gmock.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "proto/ringcp.grpc.pb.h"
#include "tests/job_specs.h"
#include "tests/scratch_directory.h"
#include "third_party/google_rpc/rpc_status.pb.h"

namespace ringcp {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using v1::Job;

// Reads a stream of WatchJob, which the destructor ends.
class Watcher {
 public:
  Watcher(v1::CopyAgent::Stub* stub, const v1::WatchJobRequest& request)
      : reader_(stub->WatchJob(&context_, request)) {}
  ~Watcher() {
    if (reader_ == nullptr) return;
    context_.TryCancel();
    reader_->Finish();
  }

  // The next event; nullopt at the end of the stream.
  std::optional<v1::JobEvent> Read() {
    v1::JobEvent event;
    if (!reader_->Read(&event)) return std::nullopt;
    return event;
  }

  // Reads to the end and returns the stream's status.
  grpc::Status Finish() {
    while (Read().has_value()) {
    }
    grpc::Status status = reader_->Finish();
    reader_.reset();
    return status;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::JobEvent>> reader_;
};

class CopyAgentServiceTest : public testing::Test {
 protected:
  CopyAgentServiceTest() {
    service_options_.engine.engine = "threads";
    service_options_.engine.reason = "the test says so";
  }

  ~CopyAgentServiceTest() override {
    if (server_ == nullptr) return;
    jobs_->Drain();
    server_->Shutdown();
  }

  // A client of the agent under test. The first call makes it, with the options.
  v1::CopyAgent::Stub* stub() {
    if (server_ == nullptr) {
      jobs_.emplace(job_options_);
      service_.emplace(&*jobs_, service_options_);
      grpc::ServerBuilder builder;
      builder.RegisterService(&*service_);
      server_ = builder.BuildAndStart();
      stub_ = v1::CopyAgent::NewStub(server_->InProcessChannel({}));
    }
    return stub_.get();
  }

  // Calls one of the stub's methods; `response` may be null.
  template <typename Request, typename Response>
  grpc::Status Call(grpc::Status (v1::CopyAgent::Stub::*method)(grpc::ClientContext*,
                                                                const Request&,
                                                                Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return (stub()->*method)(&context, request, response);
  }

  grpc::Status SubmitStatus(const v1::JobSpec& spec, const std::string& request_id,
                            Job* job) {
    v1::SubmitJobRequest request;
    *request.mutable_spec() = spec;
    request.set_request_id(request_id);
    return Call(&v1::CopyAgent::Stub::SubmitJob, request, job);
  }

  Job Submit(const v1::JobSpec& spec, const std::string& request_id = "") {
    Job job;
    const grpc::Status status = SubmitStatus(spec, request_id, &job);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return job;
  }

  std::unique_ptr<Watcher> Watch(const std::string& name, int64_t since_version = 0) {
    v1::WatchJobRequest request;
    request.set_name(name);
    request.set_since_version(since_version);
    return std::make_unique<Watcher>(stub(), request);
  }

  // Waits until the job called `name` runs.
  void WaitForStart(const std::string& name) {
    const auto watcher = Watch(name);
    std::optional<v1::JobEvent> event;
    do {
      event = watcher->Read();
      ASSERT_TRUE(event.has_value());
    } while (event->job().state() != Job::RUNNING);
  }

  // Waits until the job called `name` has ended, and returns it.
  Job WaitForEnd(const std::string& name) {
    const auto watcher = Watch(name);
    Job job;
    while (auto event = watcher->Read()) job = event->job();
    EXPECT_TRUE(watcher->Finish().ok());
    return job;
  }

  ScratchDirectory directory_;
  JobSpecs specs_{&directory_};
  JobTable::Options job_options_;
  CopyAgentService::Options service_options_;

  // stub() makes these in this order; they are destroyed in reverse.
  std::optional<JobTable> jobs_;
  std::optional<CopyAgentService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::CopyAgent::Stub> stub_;
};

// The fields that an INVALID_ARGUMENT status names.
std::vector<std::string> RefusedFields(const grpc::Status& status) {
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT)
      << status.error_message();
  google::rpc::Status rich;
  google::rpc::BadRequest refused;
  EXPECT_TRUE(rich.ParseFromString(status.error_details()));
  EXPECT_EQ(rich.code(), status.error_code());
  EXPECT_EQ(rich.message(), status.error_message());
  EXPECT_TRUE(rich.details_size() == 1 && rich.details(0).UnpackTo(&refused));
  std::vector<std::string> fields;
  for (const auto& violation : refused.field_violations()) {
    fields.push_back(violation.field());
  }
  return fields;
}

TEST_F(CopyAgentServiceTest, ASubmittedJobIsWatchedToItsEnd) {
  const v1::JobSpec spec = specs_.File();
  const Job job = Submit(spec);
  const auto watcher = Watch(job.name());
  std::vector<v1::JobEvent> events;
  while (auto event = watcher->Read()) events.push_back(*event);
  EXPECT_TRUE(watcher->Finish().ok());
  ASSERT_FALSE(events.empty());
  const Job& last = events.back().job();
  EXPECT_EQ(last.state(), Job::SUCCEEDED);
  EXPECT_EQ(last.name(), job.name());
  EXPECT_EQ(last.progress().files_done(), 1);
  EXPECT_EQ(ReadFileOrNone(spec.target()), "contents 1");
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    EXPECT_LE(events[i].job().state(), Job::RUNNING) << "only the last event is final";
  }
}

TEST_F(CopyAgentServiceTest, AnEndedJobsWatchIsOneEvent) {
  const Job ended = WaitForEnd(Submit(specs_.File()).name());
  const auto watcher = Watch(ended.name(), ended.version());
  const auto event = watcher->Read();
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->job().SerializeAsString(), ended.SerializeAsString());
  EXPECT_FALSE(watcher->Read().has_value());
  EXPECT_TRUE(watcher->Finish().ok());
}

TEST_F(CopyAgentServiceTest, CountersComeWithinATwentiethOfASecond) {
  job_options_.limits.running_jobs_max = kRunningJobsMax;
  stub();
  auto best = std::chrono::steady_clock::duration::max();
  // Takes the best of several attempts, because the machine may be busy.
  for (int attempt = 0; attempt < 20 && best > std::chrono::milliseconds(50); ++attempt) {
    const v1::JobSpec spec = specs_.Fifo();
    const auto start = std::chrono::steady_clock::now();
    const auto watcher = Watch(Submit(spec).name());
    ASSERT_TRUE(watcher->Read().has_value());
    // These bytes come after the first event. Counters that wait for the next tenth of a
    // second come too late.
    const int fd = open(spec.sources(0).c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(write(fd, "x", 1), 1);
    std::optional<v1::JobEvent> event;
    do {
      event = watcher->Read();
      ASSERT_TRUE(event.has_value());
    } while (event->job().progress().bytes_done() < 1);
    best = std::min(best, std::chrono::steady_clock::now() - start);
    close(fd);
  }
  EXPECT_LE(best, std::chrono::milliseconds(50));
}

TEST_F(CopyAgentServiceTest, ABadSpecificationNamesItsFields) {
  Job job;
  EXPECT_THAT(
      RefusedFields(Call(&v1::CopyAgent::Stub::SubmitJob, v1::SubmitJobRequest(), &job)),
      ElementsAre("spec"));
  v1::JobSpec spec;
  spec.add_sources("relative");
  EXPECT_THAT(RefusedFields(SubmitStatus(spec, "", &job)),
              ElementsAre("spec.sources[0]", "spec.target"));
  spec = specs_.File();
  spec.mutable_options()->set_engine(static_cast<v1::CopyOptions::Engine>(7));
  EXPECT_THAT(RefusedFields(SubmitStatus(spec, "", &job)),
              ElementsAre("spec.options.engine"));
  EXPECT_THAT(RefusedFields(SubmitStatus(specs_.File(), std::string(200, 'i'), &job)),
              ElementsAre("request_id"));
}

// A newer client's dry run, for example, must not copy.
TEST_F(CopyAgentServiceTest, AFieldFromTheFutureChangesNothing) {
  const auto add_field = [](google::protobuf::Message* message) {
    message->GetReflection()->MutableUnknownFields(message)->AddVarint(500, 1);
  };
  v1::SubmitJobRequest submit;
  *submit.mutable_spec() = specs_.File();
  add_field(&submit);
  Job job;
  EXPECT_THAT(RefusedFields(Call(&v1::CopyAgent::Stub::SubmitJob, submit, &job)),
              ElementsAre("request"));
  submit.DiscardUnknownFields();
  add_field(submit.mutable_spec()->mutable_options()->mutable_preserve());
  EXPECT_THAT(RefusedFields(Call(&v1::CopyAgent::Stub::SubmitJob, submit, &job)),
              ElementsAre("spec.options.preserve"));
  EXPECT_FALSE(Exists(submit.spec().target()));

  v1::CancelJobRequest cancel;
  cancel.set_name(Submit(specs_.Fifo()).name());
  add_field(&cancel);
  EXPECT_THAT(RefusedFields(Call(&v1::CopyAgent::Stub::CancelJob, cancel, &job)),
              ElementsAre("request"));
  v1::GetJobRequest get;
  get.set_name(cancel.name());
  ASSERT_TRUE(Call(&v1::CopyAgent::Stub::GetJob, get, &job).ok());
  EXPECT_LE(job.state(), Job::RUNNING);
}

TEST_F(CopyAgentServiceTest, AsManyViolationsAsThereCanBeStillReachTheClient) {
  v1::JobSpec spec;
  for (int i = 0; i < 10000; ++i) spec.add_sources("relative");
  for (int i = 0; i < 64; ++i) {
    (*spec.mutable_labels())[absl::StrCat(i, std::string(1000, '\x01'))] = "v";
  }
  Job job;
  EXPECT_THAT(RefusedFields(SubmitStatus(spec, "", &job)), SizeIs(8));
  spec.clear_sources();
  EXPECT_THAT(RefusedFields(SubmitStatus(spec, "", &job)), SizeIs(8));
}

TEST_F(CopyAgentServiceTest, ARepeatedRequestIdGetsTheSameJob) {
  const v1::JobSpec spec = specs_.File();
  const Job job = Submit(spec, "id");
  EXPECT_EQ(Submit(spec, "id").name(), job.name());
  EXPECT_THAT(RefusedFields(SubmitStatus(specs_.File(), "id", nullptr)),
              ElementsAre("request_id"));
}

TEST_F(CopyAgentServiceTest, ARunningJobIsCancelled) {
  const v1::JobSpec spec = specs_.Fifo();
  const Job job = Submit(spec);
  v1::CancelJobRequest request;
  request.set_name(job.name());
  Job cancelled;
  ASSERT_TRUE(Call(&v1::CopyAgent::Stub::CancelJob, request, &cancelled).ok());
  EXPECT_EQ(cancelled.name(), job.name());
  EXPECT_EQ(WaitForEnd(job.name()).state(), Job::CANCELLED);
  EXPECT_FALSE(Exists(spec.target()));
}

TEST_F(CopyAgentServiceTest, AnUnknownJobIsNotFound) {
  v1::GetJobRequest get;
  get.set_name("jobs/none");
  Job job;
  EXPECT_EQ(Call(&v1::CopyAgent::Stub::GetJob, get, &job).error_code(),
            grpc::StatusCode::NOT_FOUND);
  v1::ListJobErrorsRequest errors;
  errors.set_name("jobs/none");
  v1::ListJobErrorsResponse response;
  EXPECT_EQ(Call(&v1::CopyAgent::Stub::ListJobErrors, errors, &response).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Watch("jobs/none")->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
  get.set_name("none");
  EXPECT_THAT(RefusedFields(Call(&v1::CopyAgent::Stub::GetJob, get, &job)),
              ElementsAre("name"));
}

TEST_F(CopyAgentServiceTest, JobsAreListedByPagesAndFilter) {
  v1::JobSpec labelled = specs_.File();
  (*labelled.mutable_labels())["team"] = "web";
  const Job first = Submit(labelled);
  const Job second = Submit(specs_.File());
  const Job third = Submit(specs_.File());
  v1::ListJobsRequest request;
  request.set_page_size(2);
  v1::ListJobsResponse page;
  ASSERT_TRUE(Call(&v1::CopyAgent::Stub::ListJobs, request, &page).ok());
  ASSERT_THAT(page.jobs(), SizeIs(2));
  EXPECT_EQ(page.jobs(0).name(), third.name());
  EXPECT_EQ(page.jobs(1).name(), second.name());
  request.set_page_token(page.next_page_token());
  ASSERT_TRUE(Call(&v1::CopyAgent::Stub::ListJobs, request, &page).ok());
  ASSERT_THAT(page.jobs(), SizeIs(1));
  EXPECT_EQ(page.jobs(0).name(), first.name());
  EXPECT_EQ(page.next_page_token(), "");
  request.clear_page_token();
  request.set_filter("labels.team=web");
  ASSERT_TRUE(Call(&v1::CopyAgent::Stub::ListJobs, request, &page).ok());
  ASSERT_THAT(page.jobs(), SizeIs(1));
  EXPECT_EQ(page.jobs(0).name(), first.name());
}

TEST_F(CopyAgentServiceTest, FileErrorsAreWatchedAndListed) {
  v1::JobSpec spec;
  spec.add_sources(directory_.Path("missing\xFF"));
  spec.set_sources(0, absl::StrCat("file://", directory_.path(), "/missing%FF"));
  spec.set_target(directory_.Path("target"));
  const Job job = Submit(spec);
  const auto watcher = Watch(job.name());
  std::vector<v1::FileError> watched;
  while (auto event = watcher->Read()) {
    for (const v1::FileError& error : event->errors()) watched.push_back(error);
  }
  ASSERT_THAT(watched, SizeIs(1));
  EXPECT_EQ(watched[0].path(), spec.sources(0));
  EXPECT_EQ(watched[0].operation(), "stat");
  EXPECT_EQ(watched[0].errno_name(), "ENOENT");
  v1::ListJobErrorsRequest request;
  request.set_name(job.name());
  v1::ListJobErrorsResponse listed;
  ASSERT_TRUE(Call(&v1::CopyAgent::Stub::ListJobErrors, request, &listed).ok());
  ASSERT_THAT(listed.errors(), SizeIs(1));
  EXPECT_EQ(listed.errors(0).SerializeAsString(), watched[0].SerializeAsString());
  EXPECT_EQ(listed.next_page_token(), "");
}

TEST_F(CopyAgentServiceTest, TheAgentTellsWhatItIs) {
  job_options_.limits.running_jobs_max = 1;
  WaitForStart(Submit(specs_.Fifo()).name());
  Submit(specs_.File());
  Submit(specs_.File());
  v1::AgentInfo info;
  ASSERT_TRUE(
      Call(&v1::CopyAgent::Stub::GetAgentInfo, v1::GetAgentInfoRequest(), &info).ok());
  EXPECT_THAT(info.version(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
  EXPECT_FALSE(info.kernel().empty());
  EXPECT_EQ(info.engine(), "threads");
  EXPECT_EQ(info.engine_reason(), "the test says so");
  EXPECT_TRUE(info.has_engine_totals());
  EXPECT_EQ(info.limits().max_running_jobs(), 1);
  EXPECT_EQ(info.limits().max_queued_jobs(), kQueuedJobsMax);
  EXPECT_EQ(info.limits().max_finished_jobs(), kFinishedJobsMax);
  EXPECT_EQ(info.limits().max_errors_per_job(), kErrorsPerJobMax);
  EXPECT_EQ(info.limits().max_watchers(), kWatchersMax);
  EXPECT_EQ(info.jobs_running(), 1);
  EXPECT_EQ(info.jobs_queued(), 2);
}

TEST_F(CopyAgentServiceTest, TwoWatchersSeeTheSameEnd) {
  const v1::JobSpec spec = specs_.Fifo();
  const Job job = Submit(spec);
  const auto first = Watch(job.name());
  const auto second = Watch(job.name());
  ASSERT_TRUE(first->Read().has_value());
  ASSERT_TRUE(second->Read().has_value());
  close(open(spec.sources(0).c_str(), O_WRONLY | O_CLOEXEC));
  for (const auto& watcher : {first.get(), second.get()}) {
    Job last;
    while (auto event = watcher->Read()) last = event->job();
    EXPECT_EQ(last.state(), Job::SUCCEEDED);
  }
}

TEST_F(CopyAgentServiceTest, WatchersAreLimitedAndALeavingOneMakesRoom) {
  service_options_.watchers_max = 2;
  // A queued job doesn't change, so no event tells the service who has left.
  job_options_.limits.running_jobs_max = 1;
  Submit(specs_.Fifo());
  const Job job = Submit(specs_.File());
  const auto first = Watch(job.name());
  auto second = Watch(job.name());
  ASSERT_TRUE(first->Read().has_value());
  ASSERT_TRUE(second->Read().has_value());
  EXPECT_EQ(Watch(job.name())->Finish().error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  const auto left = std::chrono::steady_clock::now();
  second.reset();
  while (!Watch(job.name())->Read().has_value()) {
    ASSERT_LT(std::chrono::steady_clock::now() - left, std::chrono::seconds(30));
  }
}

TEST_F(CopyAgentServiceTest, ASlowReaderSkipsVersionsAndIsRightAfterwards) {
  const v1::JobSpec spec = specs_.Fifo();
  const Job job = Submit(spec);
  const auto watcher = Watch(job.name());
  ASSERT_TRUE(watcher->Read().has_value());
  const int fd = open(spec.sources(0).c_str(), O_WRONLY | O_CLOEXEC);
  v1::GetJobRequest request;
  request.set_name(job.name());
  Job latest;
  constexpr int kSteps = 50;
  // Waits until GetJob shows the byte, so that each step is a new version.
  for (int written = 1; written <= kSteps; ++written) {
    ASSERT_EQ(write(fd, "x", 1), 1);
    do {
      ASSERT_TRUE(Call(&v1::CopyAgent::Stub::GetJob, request, &latest).ok());
    } while (latest.progress().bytes_done() < written);
  }
  close(fd);
  int events = 0;
  int64_t version = 0;
  Job last;
  while (auto event = watcher->Read()) {
    ++events;
    last = event->job();
    EXPECT_GT(last.version(), version);
    version = last.version();
  }
  EXPECT_LT(events, kSteps / 2);
  EXPECT_GT(version, kSteps);
  EXPECT_EQ(last.state(), Job::SUCCEEDED);
  EXPECT_EQ(last.progress().bytes_done(), kSteps);
}

TEST_F(CopyAgentServiceTest, DrainingGivesWatchersALastEvent) {
  const Job job = Submit(specs_.Fifo());
  const auto watcher = Watch(job.name());
  ASSERT_TRUE(watcher->Read().has_value());
  jobs_->Drain();
  Job last;
  while (auto event = watcher->Read()) last = event->job();
  EXPECT_EQ(last.state(), Job::CANCELLED);
  EXPECT_EQ(last.error(), "the agent was shut down");
  EXPECT_TRUE(watcher->Finish().ok());
  EXPECT_EQ(SubmitStatus(specs_.File(), "", nullptr).error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(CopyAgentServiceTest, TheServersEndEndsWatchesOfJobsThatGoOn) {
  job_options_.limits.running_jobs_max = 1;
  Submit(specs_.Fifo());
  const Job job = Submit(specs_.File());
  const auto watcher = Watch(job.name());
  ASSERT_TRUE(watcher->Read().has_value());
  // Returns only when all calls have.
  server_->Shutdown(std::chrono::system_clock::now());
  EXPECT_FALSE(watcher->Finish().ok());
  EXPECT_EQ(jobs_->Get(job.name())->state(), Job::QUEUED);
}

}  // namespace
}  // namespace ringcp

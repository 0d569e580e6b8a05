// Tests how `ringcp --agent` handles an agent's answers, including those that a real
// agent gives too seldom for a test.

#include "cli/agent_job.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/copy_command_line.h"
#include "proto/ringcp.grpc.pb.h"
#include "proto/ringcp.pb.h"
#include "tests/scratch_directory.h"

namespace ringcp {
namespace {

v1::FileError ErrorNumber(int number) {
  v1::FileError error;
  error.set_message(absl::StrCat("error ", number));
  return error;
}

// An agent that answers what a test tells it to.
//
// Thread-safety: to be set up before it is called; what was submitted may be read at any
// time.
class FakeAgent : public v1::CopyAgent::Service {
 public:
  grpc::Status GetAgentInfo(grpc::ServerContext* /*context*/,
                            const v1::GetAgentInfoRequest* /*request*/,
                            v1::AgentInfo* response) override {
    response->set_version("fake");
    return grpc::Status::OK;
  }

  grpc::Status SubmitJob(grpc::ServerContext* /*context*/,
                         const v1::SubmitJobRequest* request,
                         v1::Job* response) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    submitted_.push_back(*request);
    response->set_name("jobs/1");
    return submit_status;
  }

  // What `streams` say, in their order; then, again and again, `events`.
  grpc::Status WatchJob(grpc::ServerContext* /*context*/,
                        const v1::WatchJobRequest* /*request*/,
                        grpc::ServerWriter<v1::JobEvent>* writer) override {
    std::vector<v1::JobEvent> to_write = events;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!streams.empty()) {
        to_write = streams.front();
        streams.pop_front();
      }
    }
    for (const v1::JobEvent& event : to_write) writer->Write(event);
    return watch_status;
  }

  // One of `states` after the other, and the last one from then on.
  grpc::Status GetJob(grpc::ServerContext* /*context*/,
                      const v1::GetJobRequest* /*request*/, v1::Job* response) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    response->set_name("jobs/1");
    response->set_state(states.front());
    response->set_errors_count(listed_errors);
    if (states.size() > 1) states.pop_front();
    return grpc::Status::OK;
  }

  // Each page has two errors; a page's token is the index of its first error.
  grpc::Status ListJobErrors(grpc::ServerContext* /*context*/,
                             const v1::ListJobErrorsRequest* request,
                             v1::ListJobErrorsResponse* response) override {
    const int first =
        request->page_token().empty() ? 0 : std::stoi(request->page_token());
    for (int i = first; i < listed_errors && i < first + 2; ++i) {
      *response->add_errors() = ErrorNumber(i);
    }
    if (first + 2 < listed_errors) {
      response->set_next_page_token(absl::StrCat(first + 2));
    }
    return grpc::Status::OK;
  }

  std::vector<v1::SubmitJobRequest> submitted() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return submitted_;
  }

  grpc::Status submit_status;
  std::vector<v1::JobEvent> events;
  std::deque<std::vector<v1::JobEvent>> streams;
  std::deque<v1::Job::State> states = {v1::Job::RUNNING};
  grpc::Status watch_status;
  int listed_errors = 0;

 private:
  std::mutex mutex_;
  std::vector<v1::SubmitJobRequest> submitted_;
};

v1::JobEvent Event(v1::Job::State state, const std::vector<int>& errors = {},
                   int64_t files_failed = 0, int errors_count = 0) {
  v1::JobEvent event;
  event.mutable_job()->set_name("jobs/1");
  event.mutable_job()->set_state(state);
  event.mutable_job()->mutable_progress()->set_files_failed(files_failed);
  event.mutable_job()->set_errors_count(errors_count);
  for (const int number : errors) *event.add_errors() = ErrorNumber(number);
  return event;
}

class AgentJobTest : public testing::Test {
 protected:
  struct Outcome {
    int exit_code = -1;
    std::string error;
  };

  std::string Address() const { return "unix:" + scratch_.Path("s"); }

  Outcome Run(std::string address) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(Address(), grpc::InsecureServerCredentials());
    builder.RegisterService(&agent_);
    const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    Outcome outcome = RunAgainst(std::move(address));
    server->Shutdown();
    return outcome;
  }

  Outcome Run() { return Run(Address()); }

  // Runs ringcp without the server.
  static Outcome RunAgainst(std::string address) {
    CopyCommandLine command_line;
    command_line.request.sources = {"/a"};
    command_line.request.target = "/b";
    command_line.agent_address = std::move(address);
    testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.exit_code = RunAgentJob(command_line, "ringcp");
    outcome.error = testing::internal::GetCapturedStderr();
    return outcome;
  }

  ScratchDirectory scratch_;
  FakeAgent agent_;
};

TEST_F(AgentJobTest, SucceedsWithTheJob) {
  agent_.events = {Event(v1::Job::RUNNING), Event(v1::Job::SUCCEEDED)};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.error, "");
  ASSERT_EQ(agent_.submitted().size(), 1u);
  EXPECT_EQ(agent_.submitted()[0].spec().target(), "/b");
}

TEST_F(AgentJobTest, GivesEverySubmissionAnIdOfItsOwn) {
  agent_.events = {Event(v1::Job::SUCCEEDED)};
  Run();
  Run();
  ASSERT_EQ(agent_.submitted().size(), 2u);
  EXPECT_EQ(agent_.submitted()[0].request_id().size(), 32u);
  EXPECT_NE(agent_.submitted()[0].request_id(), agent_.submitted()[1].request_id());
}

TEST_F(AgentJobTest, AsksToTryAgainLaterWhenTheAgentIsFull) {
  agent_.submit_status = {grpc::StatusCode::RESOURCE_EXHAUSTED, "the queue is full"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 75);
  EXPECT_EQ(outcome.error,
            "ringcp: the agent refused the job for now: the queue is full\n");
}

TEST_F(AgentJobTest, TriesOnceMoreWithTheSameIdWhenTheConnectionBreaks) {
  agent_.submit_status = {grpc::StatusCode::UNAVAILABLE, "Socket closed"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 69);
  EXPECT_TRUE(absl::StrContains(outcome.error, "which may have taken the job"))
      << outcome.error;
  ASSERT_EQ(agent_.submitted().size(), 2u);
  EXPECT_EQ(agent_.submitted()[0].request_id(), agent_.submitted()[1].request_id());
}

TEST_F(AgentJobTest, AnAgentThatIsShuttingDownHasRefusedTheJob) {
  agent_.submit_status = {grpc::StatusCode::UNAVAILABLE, "shutting down", "details"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 75);
  EXPECT_EQ(outcome.error, "ringcp: the agent refused the job for now: shutting down\n");
  EXPECT_EQ(agent_.submitted().size(), 1u);
}

TEST_F(AgentJobTest, FailsWhenTheAgentRefusesTheSpecification) {
  agent_.submit_status = {grpc::StatusCode::INVALID_ARGUMENT, "spec.target: must be"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.error, "ringcp: the agent refused the job: spec.target: must be\n");
}

TEST_F(AgentJobTest, TellsThatTheStreamEndedBeforeTheJob) {
  agent_.events = {Event(v1::Job::RUNNING)};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 69);
  EXPECT_EQ(outcome.error,
            absl::StrCat("ringcp: lost the connection to the agent at ", Address(),
                         "; jobs/1 may have stopped with it\n"));
}

TEST_F(AgentJobTest, TellsWhyItMayNotWatch) {
  agent_.watch_status = {grpc::StatusCode::PERMISSION_DENIED, "not yours"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.error, "ringcp: cannot watch jobs/1: not yours\n");
}

// The job has not failed because its watcher is one too many.
TEST_F(AgentJobTest, AsksNowAndThenIfThereAreTooManyWatchers) {
  agent_.watch_status = {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watchers"};
  agent_.states = {v1::Job::QUEUED, v1::Job::RUNNING, v1::Job::SUCCEEDED};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.error, "");
}

// The warnings come neither with the streams nor as failures.
TEST_F(AgentJobTest, PrintsTheWarningsOfAJobThatItMayNotWatch) {
  agent_.watch_status = {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many watchers"};
  agent_.states = {v1::Job::SUCCEEDED};
  agent_.listed_errors = 3;
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.error, "ringcp: error 0\nringcp: error 1\nringcp: error 2\n");
}

TEST_F(AgentJobTest, AnAgentThatWasStartedAnewMayHaveStoppedTheJob) {
  agent_.watch_status = {grpc::StatusCode::NOT_FOUND, "there is no job jobs/1"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 69);
  EXPECT_TRUE(absl::StrContains(outcome.error, "may have stopped with it"))
      << outcome.error;
}

TEST_F(AgentJobTest, GoesOnWhereAStreamBrokeAndTellsEachErrorOnce) {
  agent_.streams = {{Event(v1::Job::RUNNING, {0, 1})},
                    {Event(v1::Job::RUNNING)},
                    {Event(v1::Job::RUNNING, {0}), Event(v1::Job::RUNNING, {1, 2})}};
  agent_.events = {Event(v1::Job::FAILED, {0, 1, 2, 3}, 4, 4)};
  agent_.listed_errors = 4;
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.error,
            "ringcp: error 0\nringcp: error 1\nringcp: error 2\nringcp: error 3\n");
}

TEST_F(AgentJobTest, DoesNotCallRefusedWhatTheAgentMayHaveTaken) {
  agent_.submit_status = {grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded"};
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 69);
  EXPECT_EQ(outcome.error,
            absl::StrCat("ringcp: no answer from the agent at ", Address(),
                         ", which may have taken the job; 'ringcpctl jobs' tells once it "
                         "answers again\n"));
  ASSERT_EQ(agent_.submitted().size(), 2u);
  EXPECT_EQ(agent_.submitted()[0].request_id(), agent_.submitted()[1].request_id());
}

TEST_F(AgentJobTest, PrintsTheErrorsThatTheLastEventHadNoRoomFor) {
  agent_.events = {Event(v1::Job::RUNNING, {0}), Event(v1::Job::FAILED, {1, 2}, 7, 7)};
  agent_.listed_errors = 7;
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.error,
            "ringcp: error 0\nringcp: error 1\nringcp: error 2\nringcp: error 3\n"
            "ringcp: error 4\nringcp: error 5\nringcp: error 6\n");
}

TEST_F(AgentJobTest, CountsTheFailuresThatTheAgentDidNotKeep) {
  agent_.events = {Event(v1::Job::FAILED, {0}, 12, 2)};
  agent_.listed_errors = 2;
  const Outcome outcome = Run();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.error,
            "ringcp: error 0\nringcp: error 1\nringcp: warning: 10 more files were not "
            "copied, for which the agent kept no message\n");
}

TEST_F(AgentJobTest, ReachesASocketWithAnyName) {
  agent_.events = {Event(v1::Job::SUCCEEDED)};
  // A name for the same directory, which gRPC would misread if it were not escaped.
  const std::string odd = scratch_.Path("100% odd");
  ASSERT_EQ(symlink(".", odd.c_str()), 0);
  EXPECT_EQ(Run(absl::StrCat("unix:", odd, "/s")).exit_code, 0);
}

TEST_F(AgentJobTest, GivesUpOnASocketThatNeverAnswers) {
  const int silent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  scratch_.Path("s").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(silent, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
            0);
  ASSERT_EQ(listen(silent, 1), 0);
  const Outcome outcome = RunAgainst(Address());
  EXPECT_EQ(outcome.exit_code, 69);
  EXPECT_EQ(outcome.error, absl::StrCat("ringcp: cannot reach the agent at ", Address(),
                                        ": no answer within 5s; is it ringcpd that "
                                        "listens there?\n"));
  close(silent);
}

}  // namespace
}  // namespace ringcp

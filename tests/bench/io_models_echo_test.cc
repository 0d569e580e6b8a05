// Tests that every model of a server echoes correctly over TCP and passes a stream on
// from pipe to pipe. Also checks what io_models says about the kernel's answers for
// regular files.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/io_models/descriptor.h"
#include "bench/io_models/echo_models.h"
#include "bench/io_models/errors.h"
#include "bench/io_models/measurement.h"
#include "bench/io_models/part_process.h"
#include "bench/io_models/pipe_models.h"
#include "bench/io_models/readiness.h"
#include "bench/io_models/regular_file_answers.h"
#include "bench/io_models/relay.h"
#include "bench/io_models/scratch_file.h"
#include "gtest/gtest.h"
#include "tests/io_models_under_test.h"
#include "tests/scratch_directory.h"

namespace ringcp::io_models {
namespace {

constexpr uint64_t kSeed = 3;

class EchoModelTest : public testing::TestWithParam<EchoModel> {};

TEST_P(EchoModelTest, EchoesEveryMessage) {
  for (const int connections : {1, 3, 64}) {
    const absl::StatusOr<Measurement> measurement =
        RunEcho(GetParam(), {.connections = connections, .messages = 20, .seed = kSeed});
    ASSERT_TRUE(measurement.ok()) << connections << ": " << measurement.status();
    EXPECT_EQ(measurement->operations, 20 * connections);
    EXPECT_EQ(measurement->bytes, 20 * connections * kMessageBytes);
    EXPECT_GT(measurement->latency.p50_seconds, 0);
  }
}

TEST_P(EchoModelTest, ConnectionsWithoutAMessageEnd) {
  const absl::StatusOr<Measurement> measurement =
      RunEcho(GetParam(), {.connections = 4, .messages = 0, .seed = kSeed});
  EXPECT_TRUE(measurement.ok()) << measurement.status();
}

INSTANTIATE_TEST_SUITE_P(Models, EchoModelTest,
                         testing::ValuesIn(EchoModels().begin(), EchoModels().end()),
                         [](const auto& info) { return TestName(info.param.name); });

TEST(EchoTest, AWrongEchoIsFound) {
  const EchoModel wrong = {
      .name = "wrong", .description = "", .serve = [](EchoSession* session) {
        absl::StatusOr<std::vector<Descriptor>> connections = session->AcceptAll(0);
        if (!connections.ok()) return connections.status();
        session->Begin();
        const int connection = (*connections)[0].get();
        std::string message(kMessageBytes, '\0');
        EXPECT_EQ(recv(connection, message.data(), message.size(), MSG_WAITALL),
                  kMessageBytes);
        message[500] ^= 1;
        EXPECT_EQ(send(connection, message.data(), message.size(), MSG_NOSIGNAL),
                  kMessageBytes);
        session->End();
        return absl::OkStatus();
      }};
  EXPECT_EQ(RunEcho(wrong, {.connections = 1, .messages = 2, .seed = kSeed}).status(),
            absl::DataLossError("client: wrong echo of message 0"));
}

TEST(EchoTest, AServerThatDoesNotBeginLeavesNoClientBehind) {
  const EchoModel refused = {
      .name = "refused", .description = "", .serve = [](EchoSession*) {
        return absl::UnavailableError("not here");
      }};
  EXPECT_EQ(RunEcho(refused, {.connections = 2, .messages = 2, .seed = kSeed}).status(),
            absl::UnavailableError("not here"));
}

EchoModel EchoModelNamed(const std::string& name) {
  return *std::find_if(EchoModels().begin(), EchoModels().end(),
                       [&](const EchoModel& model) { return model.name == name; });
}

TEST(EchoTest, SignalsBeyondTheirQueuesLimitAreMadeUpFor) {
  // In a process of its own, because the limit counts all signals pending for this user.
  const absl::StatusOr<Measurement> measurement =
      RunInProcess([]() -> absl::StatusOr<Measurement> {
        const rlimit none = {.rlim_cur = 0, .rlim_max = 0};
        if (setrlimit(RLIMIT_SIGPENDING, &none) != 0) return Failure("setrlimit", errno);
        return RunEcho(EchoModelNamed("sigio"),
                       {.connections = 64, .messages = 20, .seed = kSeed});
      });
  EXPECT_TRUE(measurement.ok()) << measurement.status();
}

TEST(EchoTest, MoreDescriptorsThanSelectCanTakeAreRefused) {
  const absl::StatusOr<Measurement> measurement =
      RunInProcess([]() -> absl::StatusOr<Measurement> {
        rlimit files = {};
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0) return Failure("setrlimit", errno);
        // Uses up descriptors until any further one is beyond FD_SETSIZE.
        while (true) {
          const int number = dup(STDIN_FILENO);
          if (number < 0) return Failure("dup", errno);
          if (number >= FD_SETSIZE) break;
        }
        return RunEcho(EchoModelNamed("select"),
                       {.connections = 1, .messages = 1, .seed = kSeed});
      });
  EXPECT_TRUE(IsRefusal(measurement.status())) << measurement.status();
}

class PipeModelTest : public testing::TestWithParam<PipeModel> {};

TEST_P(PipeModelTest, PassesTheStreamOnUnchanged) {
  // The last size is more than both pipes hold, so each side has to wait for the other.
  for (const int64_t size : {0, 1, 4096, 4097, 1000003}) {
    const absl::StatusOr<Measurement> measurement = RunPipe(GetParam(), size, kSeed);
    ASSERT_TRUE(measurement.ok()) << size << ": " << measurement.status();
    EXPECT_EQ(measurement->bytes, size);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, PipeModelTest,
                         testing::ValuesIn(PipeModels().begin(), PipeModels().end()),
                         [](const auto& info) { return TestName(info.param.name); });

TEST(RelayTest, AMessageIsWrittenWholeBeforeTheNextIsRead) {
  Relay relay(10, 11);
  EXPECT_EQ(relay.step(), Relay::Step::kRead);
  EXPECT_EQ(relay.descriptor(), 10);
  EXPECT_EQ(relay.bytes(), Relay::kBufferBytes);
  ASSERT_TRUE(relay.Settle(-EINTR).ok());
  ASSERT_TRUE(relay.Settle(-EAGAIN).ok());
  EXPECT_EQ(relay.step(), Relay::Step::kRead);
  ASSERT_TRUE(relay.Settle(100).ok());
  EXPECT_EQ(relay.step(), Relay::Step::kWrite);
  EXPECT_EQ(relay.descriptor(), 11);
  EXPECT_EQ(relay.bytes(), 100u);
  const char* const begin = relay.data();
  ASSERT_TRUE(relay.Settle(30).ok());
  EXPECT_EQ(relay.step(), Relay::Step::kWrite);
  EXPECT_EQ(relay.data(), begin + 30);
  EXPECT_EQ(relay.bytes(), 70u);
  ASSERT_TRUE(relay.Settle(-EAGAIN).ok());
  EXPECT_EQ(relay.bytes(), 70u);
  ASSERT_TRUE(relay.Settle(70).ok());
  EXPECT_EQ(relay.step(), Relay::Step::kRead);
  EXPECT_EQ(relay.bytes(), Relay::kBufferBytes);
  ASSERT_TRUE(relay.Settle(0).ok());
  EXPECT_EQ(relay.step(), Relay::Step::kEnded);
}

TEST(RelayTest, AResetEndsTheRelayAndAnotherErrorIsReported) {
  Relay reset(10, 10);
  EXPECT_TRUE(reset.Settle(-ECONNRESET).ok());
  EXPECT_EQ(reset.step(), Relay::Step::kEnded);
  Relay failing(10, 10);
  EXPECT_EQ(failing.Settle(-EIO), Failure("read of a stream", EIO));
  ASSERT_TRUE(failing.Settle(5).ok());
  EXPECT_EQ(failing.Settle(-EPIPE), Failure("write to a stream", EPIPE));
}

class RegularFileTest : public testing::Test {
 protected:
  RegularFileTest() {
    absl::StatusOr<Descriptor> file = MakeScratchFile(scratch_.path());
    EXPECT_TRUE(file.ok()) << file.status();
    file_ = *std::move(file);
    EXPECT_TRUE(WritePattern(file_.get(), kSeed, 100000).ok());
  }

  ScratchDirectory scratch_;
  Descriptor file_;
};

TEST_F(RegularFileTest, EpollRefusesIt) {
  absl::StatusOr<std::unique_ptr<Readiness>> epoll = MakeEpollReadiness();
  ASSERT_TRUE(epoll.ok()) << epoll.status();
  EXPECT_EQ((*epoll)->Watch(file_.get(), Interest::kRead), Refusal("epoll_ctl", EPERM));
}

TEST_F(RegularFileTest, SelectAndPollTakeItForReady) {
  for (const auto make : {MakeSelectReadiness, MakePollReadiness}) {
    absl::StatusOr<std::unique_ptr<Readiness>> readiness = make();
    ASSERT_TRUE(readiness.ok()) << readiness.status();
    for (const Interest interest : {Interest::kRead, Interest::kWrite}) {
      ASSERT_TRUE((*readiness)->Watch(file_.get(), interest).ok());
      std::vector<int> ready;
      ASSERT_TRUE((*readiness)->Wait(&ready).ok());
      EXPECT_EQ(ready, std::vector<int>{file_.get()});
    }
  }
}

TEST_F(RegularFileTest, EveryQuestionIsAnswered) {
  const int flags = fcntl(file_.get(), F_GETFL);
  const std::vector<Answer> answers = AskRegularFile(file_.get());
  const auto answer_to = [&](const std::string& beginning) -> std::string {
    for (const Answer& answer : answers) {
      if (answer.question.starts_with(beginning)) return answer.answer;
    }
    return "never asked";
  };
  EXPECT_EQ(answer_to("select"), "readable, writable");
  EXPECT_EQ(answer_to("poll"), "POLLIN POLLOUT at once");
  EXPECT_EQ(answer_to("epoll_ctl"), "EPERM (Operation not permitted)");
  EXPECT_EQ(answer_to("io_uring"), "POLLIN POLLOUT at once");
  EXPECT_EQ(answer_to("fcntl, F_SETSIG"), "returns 0");
  EXPECT_EQ(answer_to("fcntl, F_SETFL"),
            "returns 0, but the flag is not set, no signal ever comes");
  EXPECT_EQ(answer_to("read with O_NONBLOCK"), "returns 4096: it waited for the device");
  // File systems differ here. The answer is EAGAIN if it would have to wait, EOPNOTSUPP
  // if it can't know that, and the data if these are still in the page cache.
  EXPECT_NE(answer_to("preadv2"), "never asked");
  EXPECT_EQ(fcntl(file_.get(), F_GETFL), flags);
}

// Watches pipes in every way: an empty one is not reported, one with data is.
TEST(ReadinessTest, APipeIsReadyWhenThereIsSomethingInIt) {
  for (const auto make : {MakeSelectReadiness, MakePollReadiness, MakeEpollReadiness,
                          MakeSignalReadiness}) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    const Descriptor reading(ends[0]);
    const Descriptor writing(ends[1]);
    absl::StatusOr<std::unique_ptr<Readiness>> readiness = make();
    ASSERT_TRUE(readiness.ok()) << readiness.status();
    // The writing end is ready from the beginning, the reading end is not.
    ASSERT_TRUE((*readiness)->Watch(reading.get(), Interest::kRead).ok());
    ASSERT_TRUE((*readiness)->Watch(writing.get(), Interest::kWrite).ok());
    std::vector<int> ready;
    ASSERT_TRUE((*readiness)->Wait(&ready).ok());
    EXPECT_EQ(ready, std::vector<int>{writing.get()});
    ASSERT_TRUE((*readiness)->Watch(writing.get(), Interest::kNone).ok());
    ASSERT_EQ(write(writing.get(), "x", 1), 1);
    // A signal may first report the writing end, which is no longer watched.
    do {
      ASSERT_TRUE((*readiness)->Wait(&ready).ok());
    } while (ready.empty());
    EXPECT_EQ(ready, std::vector<int>{reading.get()});
  }
}

}  // namespace
}  // namespace ringcp::io_models

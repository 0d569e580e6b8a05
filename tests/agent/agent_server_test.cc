// Tests the whole agent, within this process, through its socket like any client.

#include "agent/agent_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/byte_buffer.h"
#include "gtest/gtest.h"
#include "proto/ringcp.grpc.pb.h"
#include "tests/scratch_directory.h"
#include "third_party/grpc_reflection/reflection_v1.grpc.pb.h"
#include "third_party/grpc_reflection/reflection_v1alpha.grpc.pb.h"

namespace ringcp {
namespace {

using ::testing::HasSubstr;

// The target that gRPC's clients connect to for the socket at `socket_path`: they expect
// it to be percent-encoded.
std::string GrpcTarget(std::string_view socket_path) {
  std::string target = "unix:";
  for (const char byte : socket_path) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(byte)) ||
        std::string_view("-._~/").find(byte) != std::string_view::npos) {
      target.push_back(byte);
    } else {
      absl::StrAppend(&target, "%",
                      absl::Hex(static_cast<unsigned char>(byte), absl::kZeroPad2));
    }
  }
  return target;
}

class AgentServerTest : public testing::Test {
 protected:
  std::unique_ptr<AgentServer> Start(const std::string& path) {
    AgentServer::Options options;
    options.socket_paths = {path};
    auto agent = AgentServer::Start(std::move(options));
    EXPECT_TRUE(agent.ok()) << agent.status();
    return agent.ok() ? *std::move(agent) : nullptr;
  }

  // A new connection. Without the argument gRPC would share one between channels.
  std::shared_ptr<grpc::Channel> Connect(const std::string& path) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(GrpcTarget(path), grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  grpc::Status GetInfo(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    v1::AgentInfo info;
    return v1::CopyAgent::NewStub(channel)->GetAgentInfo(&context, {}, &info);
  }

  // Submits a job. Returns the request that watches it.
  v1::WatchJobRequest Submit(v1::CopyAgent::Stub* stub, const v1::JobSpec& spec) {
    grpc::ClientContext context;
    v1::SubmitJobRequest submission;
    *submission.mutable_spec() = spec;
    v1::Job job;
    EXPECT_TRUE(stub->SubmitJob(&context, submission, &job).ok());
    v1::WatchJobRequest request;
    request.set_name(job.name());
    return request;
  }

  ScratchDirectory directory_;
};

// Sends `request`, the bytes of a message, to `method` and returns the bytes of the
// answer. For services whose generated code is not available here. A streaming method
// looks the same on the wire if one message goes each way.
std::string CallRaw(const std::shared_ptr<grpc::Channel>& channel,
                    const std::string& method, const std::string& request) {
  const grpc::Slice slice(request);
  const grpc::ByteBuffer sent(&slice, 1);
  grpc::ByteBuffer received;
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  auto call = stub.PrepareUnaryCall(&context, method, sent, &queue);
  call->StartCall();
  grpc::Status status;
  call->Finish(&received, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  EXPECT_TRUE(queue.Next(&tag, &ok));
  if (!status.ok()) return status.error_message();
  grpc::Slice answer;
  EXPECT_TRUE(received.DumpToSingleSlice(&answer).ok());
  return std::string(reinterpret_cast<const char*>(answer.begin()), answer.size());
}

// What the health service reports for `service`.
std::string Health(const std::shared_ptr<grpc::Channel>& channel,
                   const std::string& service) {
  // Both messages have only field 1: the service's name, and the status.
  std::string request = "\x0A";
  request.push_back(static_cast<char>(service.size()));
  request += service;
  std::string answer = CallRaw(channel, "/grpc.health.v1.Health/Check", request);
  if (answer == "\x08\x01") return "SERVING";
  if (answer == "\x08\x02") return "NOT_SERVING";
  return answer;
}

TEST_F(AgentServerTest, ClientsReachItThroughItsSocketAlone) {
  const std::string path = directory_.Path("a.sock");
  const auto agent = Start(path);
  struct stat status = {};
  ASSERT_EQ(lstat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_TRUE(GetInfo(Connect(path)).ok());
  EXPECT_TRUE(GetInfo(Connect(path)).ok());
}

TEST_F(AgentServerTest, ASocketsNameMayHaveAnyBytes) {
  const std::string path = directory_.Path("a %41\xE9");
  const auto agent = Start(path);
  const grpc::Status status = GetInfo(Connect(path));
  EXPECT_TRUE(status.ok()) << status.error_message();
}

// Otherwise those that nobody uses would keep others out.
TEST_F(AgentServerTest, AConnectionWithoutACallIsClosed) {
  const std::string path = directory_.Path("a.sock");
  AgentServer::Options options;
  options.socket_paths = {path};
  options.idle_max = std::chrono::milliseconds(100);
  const auto agent = AgentServer::Start(std::move(options));
  ASSERT_TRUE(agent.ok()) << agent.status();
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  // HTTP/2's greeting, and settings that set nothing: length, type 4, flags, stream.
  const std::string greeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
  ASSERT_EQ(write(fd, (greeting + settings).data(), greeting.size() + settings.size()),
            static_cast<ssize_t>(greeting.size() + settings.size()));
  char bytes[1024];
  while (read(fd, bytes, sizeof(bytes)) > 0) {
  }
  close(fd);
}

TEST_F(AgentServerTest, ASecondAgentIsRefused) {
  const std::string path = directory_.Path("a.sock");
  const auto agent = Start(path);
  AgentServer::Options options;
  options.socket_paths = {path};
  const auto second = AgentServer::Start(std::move(options));
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(GetInfo(Connect(path)).ok());
}

TEST_F(AgentServerTest, TheHealthServiceSaysServing) {
  const std::string path = directory_.Path("a.sock");
  const auto agent = Start(path);
  EXPECT_EQ(Health(Connect(path), ""), "SERVING");
  EXPECT_EQ(Health(Connect(path), "ringcp.v1.CopyAgent"), "SERVING");
}

TEST_F(AgentServerTest, ReflectionKnowsTheService) {
  const std::string path = directory_.Path("a.sock");
  const auto agent = Start(path);
  // list_services (field 7), and file_containing_symbol (field 4) of the service.
  const std::string method =
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  EXPECT_THAT(CallRaw(Connect(path), method, std::string("\x3A\0", 2)),
              HasSubstr("ringcp.v1.CopyAgent"));
  EXPECT_THAT(CallRaw(Connect(path), method, "\x22\x13ringcp.v1.CopyAgent"),
              HasSubstr("SubmitJob"));
}

TEST_F(AgentServerTest, ReflectionAnswersEachRequestOfAStream) {
  namespace reflection = grpc::reflection::v1;
  const std::string path = directory_.Path("a.sock");
  const auto agent = Start(path);
  const auto stub = reflection::ServerReflection::NewStub(Connect(path));
  grpc::ClientContext context;
  const auto stream = stub->ServerReflectionInfo(&context);
  reflection::ServerReflectionRequest request;
  reflection::ServerReflectionResponse response;
  const auto ask = [&] { return stream->Write(request) && stream->Read(&response); };
  request.set_list_services("");
  ASSERT_TRUE(ask());
  EXPECT_EQ(response.list_services_response().service(0).name(), "ringcp.v1.CopyAgent");
  request.set_file_by_filename("proto/ringcp.proto");
  ASSERT_TRUE(ask());
  // Before the file, those that it imports.
  EXPECT_EQ(response.file_descriptor_response().file_descriptor_proto_size(), 3);
  request.set_file_containing_symbol("ringcp.v1.NoSuchMessage");
  ASSERT_TRUE(ask());
  EXPECT_EQ(response.error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  request.set_all_extension_numbers_of_type("google.protobuf.FieldOptions");
  ASSERT_TRUE(ask());
  EXPECT_EQ(response.all_extension_numbers_response().base_type_name(),
            "google.protobuf.FieldOptions");
  request.clear_all_extension_numbers_of_type();
  ASSERT_TRUE(ask());
  EXPECT_EQ(response.error_response().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

// Threads of this process, which has the agent and its clients.
size_t ThreadsOfProcess() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

TEST_F(AgentServerTest, HundredsOfQuietStreamsTakeNoThreads) {
  const std::string path = directory_.Path("a.sock");
  const auto agent = Start(path);
  const auto stub = v1::CopyAgent::NewStub(Connect(path));
  v1::JobSpec spec;
  spec.add_sources(directory_.MakeFifo("fifo"));
  spec.set_target(directory_.Path("target"));
  const v1::WatchJobRequest request = Submit(stub.get(), spec);
  namespace reflection = grpc::reflection::v1alpha;
  const auto reflection_stub = reflection::ServerReflection::NewStub(Connect(path));

  constexpr size_t kStreams = 300;
  std::vector<grpc::ClientContext> contexts(2 * kStreams);
  std::vector<std::unique_ptr<grpc::ClientReader<v1::JobEvent>>> watches;
  std::vector<decltype(reflection_stub->ServerReflectionInfo(nullptr))> reflections;
  size_t threads_at_first = 0;
  for (size_t i = 0; i < kStreams; ++i) {
    watches.push_back(stub->WatchJob(&contexts[2 * i], request));
    v1::JobEvent event;
    ASSERT_TRUE(watches.back()->Read(&event));
    reflections.push_back(reflection_stub->ServerReflectionInfo(&contexts[2 * i + 1]));
    reflection::ServerReflectionRequest question;
    question.set_list_services("");
    reflection::ServerReflectionResponse answer;
    ASSERT_TRUE(reflections.back()->Write(question) && reflections.back()->Read(&answer));
    if (i == kStreams / 10) threads_at_first = ThreadsOfProcess();
  }
  // gRPC's own pool has a few more threads or less from one moment to the next.
  EXPECT_LT(ThreadsOfProcess(), threads_at_first + 16);
  EXPECT_TRUE(GetInfo(Connect(path)).ok());
  for (grpc::ClientContext& context : contexts) context.TryCancel();
  for (const auto& watch : watches) watch->Finish();
  for (const auto& stream : reflections) stream->Finish();
}

TEST_F(AgentServerTest, DrainingEndsJobsThenWatchersThenTheSocket) {
  const std::string path = directory_.Path("a.sock");
  const auto agent = Start(path);
  const auto stub = v1::CopyAgent::NewStub(Connect(path));
  v1::JobSpec spec;
  spec.add_sources(directory_.MakeFifo("fifo"));
  spec.set_target(directory_.Path("target"));
  grpc::ClientContext context;
  const auto watch = stub->WatchJob(&context, Submit(stub.get(), spec));
  v1::JobEvent event;
  while (event.job().state() != v1::Job::RUNNING) ASSERT_TRUE(watch->Read(&event));

  std::thread drain([&agent] { agent->Drain(); });
  while (watch->Read(&event)) {
  }
  EXPECT_TRUE(watch->Finish().ok());
  EXPECT_EQ(event.job().state(), v1::Job::CANCELLED);
  drain.join();
  EXPECT_FALSE(Exists(path));
  EXPECT_FALSE(Exists(directory_.Path("target")));
  EXPECT_EQ(GetInfo(Connect(path)).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AgentServerTest, AWatcherThatDoesNotReadDoesNotHoldUpTheEnd) {
  const std::string path = directory_.Path("a.sock");
  auto agent = Start(path);
  const auto stub = v1::CopyAgent::NewStub(Connect(path));
  v1::JobSpec spec;
  // Makes events larger than what a connection buffers while nobody reads.
  for (int i = 0; i < 9000; ++i) {
    spec.add_sources("/" + std::string(200, 'a'));
  }
  spec.add_sources(directory_.MakeFifo("fifo"));
  spec.set_target(directory_.path());
  grpc::ClientContext context;
  v1::WatchJobRequest request = Submit(stub.get(), spec);
  request.set_view(v1::JOB_VIEW_FULL);
  const auto watch = stub->WatchJob(&context, request);
  v1::JobEvent event;
  ASSERT_TRUE(watch->Read(&event));
  const auto start = std::chrono::steady_clock::now();
  agent.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  while (watch->Read(&event)) {
  }
  watch->Finish();
}

}  // namespace
}  // namespace ringcp

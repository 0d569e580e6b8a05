#include "cli/agent_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel_posix.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/trusted_connection.h"
#include "core/base/mutex.h"
#include "proto/address.h"
#include "proto/ringcp.grpc.pb.h"

namespace ringcp {
namespace {

// A channel over the connection `fd`, which it owns.
std::shared_ptr<grpc::Channel> MakeChannel(int fd) {
  grpc::ChannelArguments arguments;
  // No limit, because a page of file errors with long paths exceeds gRPC's default.
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomInsecureChannelFromFd("agent", fd, arguments);
}

// How long to wait before the agent is tried again that has too many clients waiting.
constexpr absl::Duration kConnectPause = absl::Milliseconds(50);

// The agent's details of an error are the payload; without them the error may be gRPC's.
absl::Status FromGrpcStatus(const grpc::Status& status) {
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
  if (!status.error_details().empty()) {
    result.SetPayload(AgentClient::kDetails, absl::Cord(status.error_details()));
  }
  return result;
}

void SetTimeout(absl::Duration timeout, grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() +
                        absl::ToChronoMilliseconds(timeout));
}

}  // namespace

struct AgentClient::Connection {
  Connection(std::string socket_path, std::optional<uid_t> named_user)
      : path(std::move(socket_path)), user(named_user) {}

  using Stub = std::shared_ptr<v1::CopyAgent::Stub>;

  // The stub of the present connection, or of a new one.
  absl::StatusOr<Stub> Connected() {
    {
      MutexLock lock(&mutex);
      if (stub != nullptr) return stub;
    }
    const SteadyTime give_up =
        std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(kConnectTimeout);
    absl::StatusOr<int> fd = ConnectToTrusted(path, user);
    // Others are waiting to be accepted as well.
    while (absl::IsResourceExhausted(fd.status()) &&
           std::chrono::steady_clock::now() < give_up && Wait(kConnectPause)) {
      fd = ConnectToTrusted(path, user);
    }
    if (!fd.ok()) return fd.status();
    const Stub made = v1::CopyAgent::NewStub(MakeChannel(*fd));
    MutexLock lock(&mutex);
    // Another thread may have been faster.
    if (stub == nullptr) stub = made;
    return stub;
  }

  // As AgentClient::Wait().
  bool Wait(absl::Duration time) {
    const SteadyTime until =
        std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(time);
    MutexLock lock(&mutex);
    while (!given_up && gave_up.WaitUntil(&mutex, until)) {
    }
    return !given_up;
  }

  // A call by `used` has ended with `status`. Such a channel does not connect anew.
  absl::Status NoteEnd(const Stub& used, const grpc::Status& status) {
    if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
      MutexLock lock(&mutex);
      if (stub == used) stub = nullptr;
    }
    return FromGrpcStatus(status);
  }

  // Calls `method` of the stub and returns its response.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::CopyAgent::Stub::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request, absl::Duration timeout) {
    grpc::ClientContext context;
    SetTimeout(timeout, &context);
    if (!Begin(&context)) return absl::CancelledError("given up");
    const absl::Cleanup end = [this, &context] { End(&context); };
    const absl::StatusOr<Stub> connected = Connected();
    if (!connected.ok()) return connected.status();
    Response response;
    const absl::Status status =
        NoteEnd(*connected, ((**connected).*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  // A call is about to begin; false: it must not.
  bool Begin(grpc::ClientContext* context) {
    MutexLock lock(&mutex);
    if (given_up) return false;
    calls.insert(context);
    return true;
  }
  void End(grpc::ClientContext* context) {
    MutexLock lock(&mutex);
    calls.erase(context);
  }

  const std::string path;
  const std::optional<uid_t> user;

  Mutex mutex;
  CondVar gave_up;
  Stub stub ABSL_GUARDED_BY(mutex);  // Null if there is no connection.
  std::set<grpc::ClientContext*> calls ABSL_GUARDED_BY(mutex);  // Under way.
  bool given_up ABSL_GUARDED_BY(mutex) = false;
};

absl::StatusOr<std::unique_ptr<AgentClient>> AgentClient::Create(
    std::string address, const std::string& user) {
  if (address.empty()) {
    absl::StatusOr<std::string> default_address = DefaultAgentAddress();
    if (!default_address.ok()) {
      return absl::FailedPreconditionError(
          absl::StrCat(default_address.status().message(), "; give --agent=ADDRESS"));
    }
    address = *std::move(default_address);
  }
  const absl::StatusOr<std::string> socket_path = SocketPath(address);
  if (!socket_path.ok()) return socket_path.status();
  std::optional<uid_t> named;
  if (!user.empty()) {
    const absl::StatusOr<uid_t> found = FindUser(user);
    if (!found.ok()) return found.status();
    named = *found;
  }
  return absl::WrapUnique(new AgentClient(
      std::move(address), std::make_unique<Connection>(*socket_path, named)));
}

AgentClient::AgentClient(std::string address, std::unique_ptr<Connection> connection)
    : address_(std::move(address)), connection_(std::move(connection)) {}

AgentClient::~AgentClient() = default;

absl::StatusOr<v1::AgentInfo> AgentClient::Connect() {
  const auto unreachable = [this](const std::string& why) {
    return absl::StrCat("cannot reach the agent at ", address_, ": ", why);
  };
  const absl::Status connected = connection_->Connected().status();
  if (!connected.ok()) {
    return absl::UnavailableError(
        absl::StrCat(unreachable(std::string(connected.message())),
                     absl::IsNotFound(connected) ? "; is ringcpd running?" : ""));
  }
  absl::StatusOr<v1::AgentInfo> info = connection_->Call(
      &v1::CopyAgent::Stub::GetAgentInfo, v1::GetAgentInfoRequest(), kConnectTimeout);
  const absl::Status status = info.status();
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) {
    return absl::UnavailableError(absl::StrCat(
        unreachable(absl::IsUnavailable(status)
                        ? std::string("the connection broke")
                        : absl::StrCat("no answer within ",
                                       absl::FormatDuration(kConnectTimeout))),
        "; is it ringcpd that listens there?"));
  }
  return info;
}

absl::StatusOr<v1::Job> AgentClient::SubmitJob(const v1::SubmitJobRequest& request) {
  return connection_->Call(&v1::CopyAgent::Stub::SubmitJob, request, kCallTimeout);
}

absl::StatusOr<v1::Job> AgentClient::GetJob(const std::string& name) {
  v1::GetJobRequest request;
  request.set_name(name);
  return connection_->Call(&v1::CopyAgent::Stub::GetJob, request, kCallTimeout);
}

absl::StatusOr<v1::ListJobsResponse> AgentClient::ListJobs(
    const v1::ListJobsRequest& request) {
  return connection_->Call(&v1::CopyAgent::Stub::ListJobs, request, kCallTimeout);
}

absl::StatusOr<v1::ListJobErrorsResponse> AgentClient::ListJobErrors(
    const v1::ListJobErrorsRequest& request) {
  return connection_->Call(&v1::CopyAgent::Stub::ListJobErrors, request, kCallTimeout);
}

absl::StatusOr<v1::Job> AgentClient::CancelJob(const std::string& name,
                                               absl::Duration timeout) {
  v1::CancelJobRequest request;
  request.set_name(name);
  return connection_->Call(&v1::CopyAgent::Stub::CancelJob, request, timeout);
}

absl::Status AgentClient::WatchJob(
    const std::string& name, const std::function<void(const v1::JobEvent&)>& on_event) {
  grpc::ClientContext context;
  if (!connection_->Begin(&context)) return absl::CancelledError("given up");
  const absl::Cleanup end = [this, &context] { connection_->End(&context); };
  const absl::StatusOr<Connection::Stub> connected = connection_->Connected();
  if (!connected.ok()) return connected.status();
  v1::WatchJobRequest request;
  request.set_name(name);
  const std::unique_ptr<grpc::ClientReader<v1::JobEvent>> reader =
      (*connected)->WatchJob(&context, request);
  v1::JobEvent event;
  while (reader->Read(&event)) on_event(event);
  return connection_->NoteEnd(*connected, reader->Finish());
}

void AgentClient::GiveUp() {
  MutexLock lock(&connection_->mutex);
  connection_->given_up = true;
  for (grpc::ClientContext* const call : connection_->calls) call->TryCancel();
  connection_->gave_up.NotifyAll();
}

bool AgentClient::Wait(absl::Duration time) { return connection_->Wait(time); }

}  // namespace ringcp

#include "cli/agent_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/mutex.h"
#include "proto/address.h"
#include "proto/ringcp.grpc.pb.h"

namespace ringcp {
namespace {

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target) {
  grpc::ChannelArguments arguments;
  // No limit, because a page of file errors with long paths exceeds gRPC's default.
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
}

void SetTimeout(absl::Duration timeout, grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() +
                        absl::ToChronoMilliseconds(timeout));
}

// The reason within gRPC's message for a failed connection, which looks like "failed to
// connect to all addresses; last error: UNKNOWN: unix:/x: No such file ...".
std::string ConnectFailure(std::string message, const std::string& address) {
  for (const std::string& before : {std::string("last error: "), address}) {
    const size_t found = message.find(before);
    if (found != std::string::npos) message.erase(0, found + before.size());
  }
  return message.substr(std::min(message.find_first_not_of(": "), message.size()));
}

}  // namespace

struct AgentClient::Connection {
  explicit Connection(const std::string& socket_path)
      : stub(v1::CopyAgent::NewStub(MakeChannel(GrpcTarget(socket_path)))) {}

  // Calls `method` of the stub and returns its response.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (v1::CopyAgent::Stub::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request, absl::Duration timeout) {
    grpc::ClientContext context;
    SetTimeout(timeout, &context);
    if (!Begin(&context)) return absl::CancelledError("given up");
    Response response;
    const grpc::Status status = ((*stub).*method)(&context, request, &response);
    End(&context);
    if (!status.ok()) return FromGrpcStatus(status);
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

  const std::unique_ptr<v1::CopyAgent::Stub> stub;

  Mutex mutex;
  CondVar gave_up;
  std::set<grpc::ClientContext*> calls ABSL_GUARDED_BY(mutex);  // Under way.
  bool given_up ABSL_GUARDED_BY(mutex) = false;
};

absl::StatusOr<std::unique_ptr<AgentClient>> AgentClient::Create(std::string address) {
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
  return absl::WrapUnique(
      new AgentClient(std::move(address), std::make_unique<Connection>(*socket_path)));
}

AgentClient::AgentClient(std::string address, std::unique_ptr<Connection> connection)
    : address_(std::move(address)), connection_(std::move(connection)) {}

AgentClient::~AgentClient() = default;

absl::StatusOr<v1::AgentInfo> AgentClient::Connect() {
  absl::StatusOr<v1::AgentInfo> info = connection_->Call(
      &v1::CopyAgent::Stub::GetAgentInfo, v1::GetAgentInfoRequest(), kConnectTimeout);
  if (absl::IsUnavailable(info.status())) {
    return absl::UnavailableError(
        absl::StrCat("cannot reach the agent at ", address_, ": ",
                     ConnectFailure(std::string(info.status().message()), address_),
                     "; is ringcpd running?"));
  }
  if (absl::IsDeadlineExceeded(info.status())) {
    return absl::UnavailableError(absl::StrCat(
        "cannot reach the agent at ", address_, ": no answer within ",
        absl::FormatDuration(kConnectTimeout), "; is it ringcpd that listens there?"));
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
  v1::WatchJobRequest request;
  request.set_name(name);
  const std::unique_ptr<grpc::ClientReader<v1::JobEvent>> reader =
      connection_->stub->WatchJob(&context, request);
  v1::JobEvent event;
  while (reader->Read(&event)) on_event(event);
  const grpc::Status status = reader->Finish();
  connection_->End(&context);
  return FromGrpcStatus(status);
}

void AgentClient::GiveUp() {
  MutexLock lock(&connection_->mutex);
  connection_->given_up = true;
  for (grpc::ClientContext* const call : connection_->calls) call->TryCancel();
  connection_->gave_up.NotifyAll();
}

bool AgentClient::Wait(absl::Duration time) {
  const SteadyTime until =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(time);
  MutexLock lock(&connection_->mutex);
  while (!connection_->given_up &&
         connection_->gave_up.WaitUntil(&connection_->mutex, until)) {
  }
  return !connection_->given_up;
}

}  // namespace ringcp

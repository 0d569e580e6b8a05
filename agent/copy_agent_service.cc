#include "agent/copy_agent_service.h"

#include <sys/utsname.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "agent/status_conversion.h"
#include "agent/watch_call.h"
#include "core/base/version.h"
#include "proto/field_violations.h"
#include "proto/unknown_fields.h"

namespace ringcp {
namespace {

std::string KernelRelease() {
  utsname names;
  return uname(&names) == 0 ? names.release : "";
}

// Ends a call: fills in `response`, or tells the status that `result` failed with.
template <typename Message>
grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context,
                                 absl::StatusOr<Message> result, Message* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const absl::Status status = result.status();
  if (status.ok()) *response = *std::move(result);
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

// A stream that is refused.
class RefusedWatch final : public grpc::ServerWriteReactor<v1::JobEvent> {
 public:
  explicit RefusedWatch(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

absl::StatusOr<v1::Job> Submit(const v1::SubmitJobRequest& request, JobTable* jobs) {
  const absl::Status known = RefuseUnknownFields(request);
  if (!known.ok()) return known;
  if (!request.has_spec()) return FieldViolation("spec", "must be given");
  return jobs->Submit(request.spec(), request.request_id());
}

absl::StatusOr<v1::Job> Cancel(const v1::CancelJobRequest& request, JobTable* jobs) {
  const absl::Status known = RefuseUnknownFields(request);
  return known.ok() ? jobs->Cancel(request.name()) : known;
}

}  // namespace

CopyAgentService::CopyAgentService(JobTable* jobs, Options options)
    : jobs_(jobs), options_(std::move(options)), kernel_(KernelRelease()) {}

grpc::ServerUnaryReactor* CopyAgentService::SubmitJob(
    grpc::CallbackServerContext* context, const v1::SubmitJobRequest* request,
    v1::Job* response) {
  return Answer(context, Submit(*request, jobs_), response);
}

grpc::ServerUnaryReactor* CopyAgentService::GetJob(grpc::CallbackServerContext* context,
                                                   const v1::GetJobRequest* request,
                                                   v1::Job* response) {
  return Answer(context, jobs_->Get(request->name(), request->view()), response);
}

grpc::ServerUnaryReactor* CopyAgentService::ListJobs(grpc::CallbackServerContext* context,
                                                     const v1::ListJobsRequest* request,
                                                     v1::ListJobsResponse* response) {
  return Answer(context, jobs_->List(*request), response);
}

grpc::ServerWriteReactor<v1::JobEvent>* CopyAgentService::WatchJob(
    grpc::CallbackServerContext* /*context*/, const v1::WatchJobRequest* request) {
  absl::StatusOr<std::unique_ptr<JobTable::Watch>> watch =
      jobs_->OpenWatch(request->name(), request->since_version(), request->view());
  if (!watch.ok()) return new RefusedWatch(watch.status());
  const auto bytes = static_cast<int64_t>((*watch)->event_bytes_max());
  const auto leave = [this, bytes] {
    --watchers_;
    watched_bytes_ -= bytes;
  };
  const int64_t watched_bytes = watched_bytes_ += bytes;
  if (++watchers_ > options_.watchers_max || watched_bytes > kWatchedBytesMax) {
    leave();
    return new RefusedWatch(absl::ResourceExhaustedError(
        absl::StrCat("there are ", options_.watchers_max, " watchers already, or their ",
                     "events take more than ", kWatchedBytesMax, " bytes")));
  }
  return WatchCall::Start(*std::move(watch), leave);
}

grpc::ServerUnaryReactor* CopyAgentService::ListJobErrors(
    grpc::CallbackServerContext* context, const v1::ListJobErrorsRequest* request,
    v1::ListJobErrorsResponse* response) {
  return Answer(context, jobs_->ListErrors(*request), response);
}

grpc::ServerUnaryReactor* CopyAgentService::CancelJob(
    grpc::CallbackServerContext* context, const v1::CancelJobRequest* request,
    v1::Job* response) {
  return Answer(context, Cancel(*request, jobs_), response);
}

grpc::ServerUnaryReactor* CopyAgentService::GetAgentInfo(
    grpc::CallbackServerContext* context, const v1::GetAgentInfoRequest* /*request*/,
    v1::AgentInfo* response) {
  response->set_version(kVersion);
  response->set_kernel(kernel_);
  response->set_engine(options_.engine.engine);
  response->set_engine_reason(options_.engine.reason);
  const JobLimits& limits = jobs_->limits();
  v1::AgentInfo::Limits* told = response->mutable_limits();
  told->set_max_running_jobs(limits.running_jobs_max);
  told->set_max_queued_jobs(limits.queued_jobs_max);
  told->set_max_finished_jobs(limits.finished_jobs_max);
  told->set_max_errors_per_job(limits.errors_per_job_max);
  told->set_max_watchers(options_.watchers_max);
  const JobTable::Counts counts = jobs_->counts();
  response->set_jobs_running(counts.running);
  response->set_jobs_queued(counts.queued);
  *response->mutable_engine_totals() = jobs_->EngineTotals();
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace ringcp

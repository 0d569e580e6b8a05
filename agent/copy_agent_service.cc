#include "agent/copy_agent_service.h"

#include <sys/utsname.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "agent/event_pacer.h"
#include "agent/status_conversion.h"
#include "core/base/version.h"
#include "proto/field_violations.h"
#include "proto/unknown_fields.h"

namespace ringcp {
namespace {

std::string KernelRelease() {
  utsname names;
  return uname(&names) == 0 ? names.release : "";
}

// Ends a call: fills in `response`, or returns the status that `result` failed with.
template <typename Message>
grpc::Status Answer(absl::StatusOr<Message> result, Message* response) {
  if (!result.ok()) return ToGrpcStatus(result.status());
  *response = *std::move(result);
  return grpc::Status::OK;
}

}  // namespace

CopyAgentService::CopyAgentService(JobTable* jobs, Options options)
    : jobs_(jobs), options_(std::move(options)), kernel_(KernelRelease()) {}

grpc::Status CopyAgentService::SubmitJob(grpc::ServerContext* /*context*/,
                                         const v1::SubmitJobRequest* request,
                                         v1::Job* response) {
  const absl::Status known = RefuseUnknownFields(*request);
  if (!known.ok()) return ToGrpcStatus(known);
  if (!request->has_spec()) return ToGrpcStatus(FieldViolation("spec", "must be given"));
  return Answer(jobs_->Submit(request->spec(), request->request_id()), response);
}

grpc::Status CopyAgentService::GetJob(grpc::ServerContext* /*context*/,
                                      const v1::GetJobRequest* request,
                                      v1::Job* response) {
  return Answer(jobs_->Get(request->name()), response);
}

grpc::Status CopyAgentService::ListJobs(grpc::ServerContext* /*context*/,
                                        const v1::ListJobsRequest* request,
                                        v1::ListJobsResponse* response) {
  return Answer(jobs_->List(*request), response);
}

grpc::Status CopyAgentService::WatchJob(grpc::ServerContext* context,
                                        const v1::WatchJobRequest* request,
                                        grpc::ServerWriter<v1::JobEvent>* writer) {
  const absl::Cleanup leave = [this] { --watchers_; };
  if (++watchers_ > options_.watchers_max) {
    return ToGrpcStatus(absl::ResourceExhaustedError(
        absl::StrCat("there are ", options_.watchers_max, " watchers already")));
  }
  absl::StatusOr<std::unique_ptr<JobTable::Watch>> watch =
      jobs_->OpenWatch(request->name(), request->since_version());
  if (!watch.ok()) return ToGrpcStatus(watch.status());

  const SteadyTime start = std::chrono::steady_clock::now();
  EventPacer pacer(start);
  // The first event is available immediately.
  SteadyTime until = start;
  while (!context->IsCancelled()) {
    const std::optional<v1::JobEvent> event = (*watch)->Next(until);
    // A slow reader blocks Write(); the versions that pass in the meantime are skipped.
    // Write() returns false once the reader is gone.
    if (event.has_value() && !writer->Write(*event)) break;
    if ((*watch)->ended()) return grpc::Status::OK;
    const SteadyTime now = std::chrono::steady_clock::now();
    if (now >= pacer.due()) pacer.Advance(now);
    until = pacer.due();
  }
  return grpc::Status(grpc::StatusCode::CANCELLED, "the watcher went away");
}

grpc::Status CopyAgentService::ListJobErrors(grpc::ServerContext* /*context*/,
                                             const v1::ListJobErrorsRequest* request,
                                             v1::ListJobErrorsResponse* response) {
  return Answer(jobs_->ListErrors(*request), response);
}

grpc::Status CopyAgentService::CancelJob(grpc::ServerContext* /*context*/,
                                         const v1::CancelJobRequest* request,
                                         v1::Job* response) {
  const absl::Status known = RefuseUnknownFields(*request);
  if (!known.ok()) return ToGrpcStatus(known);
  return Answer(jobs_->Cancel(request->name()), response);
}

grpc::Status CopyAgentService::GetAgentInfo(grpc::ServerContext* /*context*/,
                                            const v1::GetAgentInfoRequest* /*request*/,
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
  return grpc::Status::OK;
}

}  // namespace ringcp

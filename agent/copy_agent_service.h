// The gRPC service: takes requests apart, calls the JobTable, and puts the answers
// together. proto/ringcp.proto has the API's contract.
//
// Thread-safety: gRPC calls it from many threads at the same time. A watcher occupies one
// of these threads for as long as it watches, which is why watchers are limited.

#ifndef RINGCP_AGENT_COPY_AGENT_SERVICE_H_
#define RINGCP_AGENT_COPY_AGENT_SERVICE_H_

#include <atomic>
#include <string>

#include "agent/job_table.h"
#include "core/job/copy_job.h"
#include "proto/ringcp.grpc.pb.h"

namespace ringcp {

// The most watchers at the same time, over all jobs. Each occupies a thread of the server
// and reads its job's state ten times a second. More than 64 terminals and scripts are
// not expected to watch one machine.
inline constexpr int kWatchersMax = 64;

class CopyAgentService final : public v1::CopyAgent::Service {
 public:
  struct Options {
    int watchers_max = kWatchersMax;
    // What ProbeEngine() found when the agent started.
    EngineReport engine;
  };

  // REQUIRES: `jobs` outlives the service.
  CopyAgentService(JobTable* jobs, Options options);

  grpc::Status SubmitJob(grpc::ServerContext* context,
                         const v1::SubmitJobRequest* request, v1::Job* response) override;
  grpc::Status GetJob(grpc::ServerContext* context, const v1::GetJobRequest* request,
                      v1::Job* response) override;
  grpc::Status ListJobs(grpc::ServerContext* context, const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override;
  // A client that goes away is noticed within a tenth of a second, and a job that ends
  // (also because the agent shuts down) immediately.
  grpc::Status WatchJob(grpc::ServerContext* context, const v1::WatchJobRequest* request,
                        grpc::ServerWriter<v1::JobEvent>* writer) override;
  grpc::Status ListJobErrors(grpc::ServerContext* context,
                             const v1::ListJobErrorsRequest* request,
                             v1::ListJobErrorsResponse* response) override;
  grpc::Status CancelJob(grpc::ServerContext* context,
                         const v1::CancelJobRequest* request, v1::Job* response) override;
  grpc::Status GetAgentInfo(grpc::ServerContext* context,
                            const v1::GetAgentInfoRequest* request,
                            v1::AgentInfo* response) override;

 private:
  JobTable* const jobs_;
  const Options options_;
  const std::string kernel_;
  std::atomic<int> watchers_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_COPY_AGENT_SERVICE_H_

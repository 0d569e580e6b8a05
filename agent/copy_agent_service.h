// The gRPC service: takes requests apart, calls the JobTable, and puts the answers
// together. proto/ringcp.proto has the API's contract.
//
// Thread-safety: gRPC calls it from many threads at the same time. No call waits for
// anything on such a thread, of which there are few.

#ifndef RINGCP_AGENT_COPY_AGENT_SERVICE_H_
#define RINGCP_AGENT_COPY_AGENT_SERVICE_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "agent/job_table.h"
#include "core/job/copy_job.h"
#include "grpcpp/support/server_callback.h"
#include "proto/ringcp.grpc.pb.h"

namespace ringcp {

// The most watchers at the same time, over all jobs. Each makes the events of the others
// come less often (watch_ticks.h).
inline constexpr int kWatchersMax = 1000;

// The most bytes of one event for each of them: an event waits in memory for as long as
// its reader does not read. Enough for as many watchers as there may be, unless their
// events hold large specifications.
inline constexpr int64_t kWatchedBytesMax = 384 * 1024 * 1024;

class CopyAgentService final : public v1::CopyAgent::CallbackService {
 public:
  struct Options {
    int watchers_max = kWatchersMax;
    // What ProbeEngine() found when the agent started.
    EngineReport engine;
  };

  // REQUIRES: `jobs` outlives the service.
  CopyAgentService(JobTable* jobs, Options options);

  grpc::ServerUnaryReactor* SubmitJob(grpc::CallbackServerContext* context,
                                      const v1::SubmitJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const v1::GetJobRequest* request,
                                   v1::Job* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;
  grpc::ServerWriteReactor<v1::JobEvent>* WatchJob(
      grpc::CallbackServerContext* context, const v1::WatchJobRequest* request) override;
  grpc::ServerUnaryReactor* ListJobErrors(grpc::CallbackServerContext* context,
                                          const v1::ListJobErrorsRequest* request,
                                          v1::ListJobErrorsResponse* response) override;
  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context,
                                      const v1::CancelJobRequest* request,
                                      v1::Job* response) override;
  grpc::ServerUnaryReactor* GetAgentInfo(grpc::CallbackServerContext* context,
                                         const v1::GetAgentInfoRequest* request,
                                         v1::AgentInfo* response) override;

 private:
  JobTable* const jobs_;
  const Options options_;
  const std::string kernel_;
  std::atomic<int> watchers_ = 0;
  std::atomic<int64_t> watched_bytes_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_COPY_AGENT_SERVICE_H_

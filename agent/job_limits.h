// What the agent can hold at a time. The constants are the defaults; a JobLimits is what
// one agent (or one test) goes by.
//
// Thread-safety: plain values.

#ifndef RINGCP_AGENT_JOB_LIMITS_H_
#define RINGCP_AGENT_JOB_LIMITS_H_

#include <cstdint>

namespace ringcp {

// Jobs that run at the same time. Each uses every CPU and up to 96 MiB, so more of them
// pay only where they work on different devices; four leaves room for that.
inline constexpr int kRunningJobsDefault = 4;

// The most that --max-running-jobs takes: a thread and a set of rings each.
inline constexpr int kRunningJobsMax = 64;

// Jobs that wait. A thousand are hours of work; a client that submits more in one go
// has lost control of them.
inline constexpr int kQueuedJobsMax = 1000;

// Ended jobs that are remembered, so that whoever comes later sees how they ended.
inline constexpr int kFinishedJobsMax = 1000;

// Errors kept per job; further ones are only counted. Nobody reads more than this, and
// they all have the same few reasons.
inline constexpr int kErrorsPerJobMax = 10000;

// Bytes of specifications and errors of all jobs together; the oldest ended jobs are
// forgotten when it is reached. With the other limits alone it could be gigabytes.
inline constexpr int64_t kRememberedBytesMax = 64 * 1024 * 1024;

struct JobLimits {
  int running_jobs_max = kRunningJobsDefault;
  int queued_jobs_max = kQueuedJobsMax;
  int finished_jobs_max = kFinishedJobsMax;
  int errors_per_job_max = kErrorsPerJobMax;
  int64_t remembered_bytes_max = kRememberedBytesMax;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_JOB_LIMITS_H_

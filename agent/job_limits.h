// How much the agent can hold at the same time. The constants are the defaults; a
// JobLimits holds the values of one agent (or one test).
//
// Thread-safety: plain values.

#ifndef RINGCP_AGENT_JOB_LIMITS_H_
#define RINGCP_AGENT_JOB_LIMITS_H_

#include <cstdint>

namespace ringcp {

// Jobs that run at the same time. Each uses every CPU and up to 96 MiB, so running more
// of them pays only if they work on different devices; four leaves room for that.
inline constexpr int kRunningJobsDefault = 4;

// The largest --max-running-jobs: each job takes a thread and a set of rings.
inline constexpr int kRunningJobsMax = 64;

// Jobs that wait. A thousand jobs are hours of work; a client that submits more has lost
// control of them.
inline constexpr int kQueuedJobsMax = 1000;

// Ended jobs that are remembered, so that a client that asks later learns how they ended.
inline constexpr int kFinishedJobsMax = 1000;

// Errors kept per job; further ones are only counted. Nobody reads more, and they all
// have the same few reasons.
inline constexpr int kErrorsPerJobMax = 10000;

// Bytes of the specifications and errors of all jobs together. When they are reached, the
// oldest ended jobs are forgotten. The other limits alone would allow gigabytes.
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

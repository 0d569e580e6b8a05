// How the agent's process divides the files that it may have open among its connections
// and the jobs that run at the same time. Each job plans as if its share were the limit
// of the whole process.
//
// Thread-safety: plain values and a pure function.

#ifndef RINGCP_AGENT_FILE_SHARES_H_
#define RINGCP_AGENT_FILE_SHARES_H_

#include "absl/status/statusor.h"

namespace ringcp {

struct FileShares {
  // Files that the process has open without any job or connection: standard streams,
  // sixteen listening sockets with their directories, gRPC's pollers. About ten are
  // always open.
  static constexpr int kOwnFiles = 32;
  // The most connections at the same time: more than may watch (kWatchersMax), because
  // those without a call count, too, until they are closed after a minute.
  static constexpr int kConnectionsMax = 1200;
  // If files are few, connections get at most one file in kConnectionsShare, but at least
  // kConnectionsMin: enough to watch a job, and for somebody else to cancel it.
  static constexpr int kConnectionsShare = 8;
  static constexpr int kConnectionsMin = 4;
  // A job with fewer files is slow, because few of its files are in flight. Fewer jobs
  // run at the same time before a job gets less.
  static constexpr int kJobFilesGood = 64;
  // A job with fewer files can't copy a tree.
  static constexpr int kJobFilesMin = 20;

  int connections_max = 0;
  int running_jobs_max = 0;
  // For each running job.
  int job_files_max = 0;
};

// Divides `files_max` files among at most `running_jobs_max` jobs at the same time.
// RESOURCE_EXHAUSTED, with the number needed, if they are too few for even one job.
// REQUIRES: running_jobs_max >= 1.
absl::StatusOr<FileShares> ShareFiles(int files_max, int running_jobs_max);

}  // namespace ringcp

#endif  // RINGCP_AGENT_FILE_SHARES_H_

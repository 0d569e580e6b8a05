// How the files that the agent's process may have open are shared out: to its
// connections, and to the jobs that run at the same time, each of which plans with its
// share as if it were all there is.
//
// Thread-safety: plain values and a pure function.

#ifndef RINGCP_AGENT_FILE_SHARES_H_
#define RINGCP_AGENT_FILE_SHARES_H_

#include "absl/status/statusor.h"

namespace ringcp {

struct FileShares {
  // What the process has open without any job or connection: standard streams, sixteen
  // sockets to listen on and their directories, gRPC's pollers; some ten of that are
  // always there.
  static constexpr int kOwnFiles = 32;
  // Connections at a time: far more than the 64 that may watch, because idle ones count
  // and nothing ends them.
  static constexpr int kConnectionsMax = 1024;
  // Where files are few, connections get at most one in so many, but kConnectionsMin: a
  // job to be watched, and somebody who cancels it.
  static constexpr int kConnectionsShare = 8;
  static constexpr int kConnectionsMin = 4;
  // A job with fewer files is slow, because few of its files are in flight: then fewer
  // jobs run at a time instead.
  static constexpr int kJobFilesGood = 64;
  // With fewer a job can't copy a tree.
  static constexpr int kJobFilesMin = 20;

  int connections_max = 0;
  int running_jobs_max = 0;
  // Of each running job.
  int job_files_max = 0;
};

// Shares out `files_max` files to at most `running_jobs_max` jobs at a time.
// RESOURCE_EXHAUSTED, saying how many are needed, if they are too few for a single job.
// REQUIRES: running_jobs_max >= 1.
absl::StatusOr<FileShares> ShareFiles(int files_max, int running_jobs_max);

}  // namespace ringcp

#endif  // RINGCP_AGENT_FILE_SHARES_H_

// Chooses a job's output.
//
// Thread-safety: a pure function.

#ifndef RINGCP_CLI_MAKE_JOB_OUTPUT_H_
#define RINGCP_CLI_MAKE_JOB_OUTPUT_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "cli/job_output.h"
#include "cli/progress_mode.h"

namespace ringcp {

// The output that `mode` asks for, for a job that began at `start`. Messages for people
// begin with `program`, which is argv[0].
std::unique_ptr<JobOutput> MakeJobOutput(ProgressMode mode, const std::string& program,
                                         absl::Time start);

}  // namespace ringcp

#endif  // RINGCP_CLI_MAKE_JOB_OUTPUT_H_

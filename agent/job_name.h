// The names of jobs: `jobs/20261122-110532-4f3a9c`, the UTC second of the submission and
// six random hexadecimal digits. They sort by time, are short enough to type, and a
// restarted agent does not give one out again: it would have to be within the same second
// and, even then, one chance in 16 million.
//
// Thread-safety: pure functions.

#ifndef RINGCP_AGENT_JOB_NAME_H_
#define RINGCP_AGENT_JOB_NAME_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace ringcp {

// A name for a job submitted at `now`, different at each call. The random digits are the
// operating system's.
std::string NewJobName(absl::Time now);

// OK when `name` could be a job's ("jobs/" and something behind it), else
// INVALID_ARGUMENT naming the field "name".
absl::Status ValidateJobName(std::string_view name);

}  // namespace ringcp

#endif  // RINGCP_AGENT_JOB_NAME_H_

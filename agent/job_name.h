// The names of jobs: `jobs/20261122-110532-4f3a9c`, the UTC second of the submission and
// six random hexadecimal digits. They sort by time and are short enough to type. A
// restarted agent does not reuse a name: that would need a submission within the same
// second and, even then, has one chance in 16 million.
//
// Thread-safety: pure functions.

#ifndef RINGCP_AGENT_JOB_NAME_H_
#define RINGCP_AGENT_JOB_NAME_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace ringcp {

// A name for a job submitted at `now`. Each call returns another name, because the digits
// come from the operating system's random numbers.
std::string NewJobName(absl::Time now);

// OK if `name` could be a job's: "jobs/" with something behind it. Otherwise
// INVALID_ARGUMENT naming the field "name".
absl::Status ValidateJobName(std::string_view name);

}  // namespace ringcp

#endif  // RINGCP_AGENT_JOB_NAME_H_

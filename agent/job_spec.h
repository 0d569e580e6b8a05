// Between the API's JobSpec and the engine's CopyRequest: what of it is acceptable, and
// what it means. The agent reads specifications, the command line writes them.
//
// Thread-safety: pure functions.

#ifndef RINGCP_AGENT_JOB_SPEC_H_
#define RINGCP_AGENT_JOB_SPEC_H_

#include <sys/types.h>

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/copy_options.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

// Sources of one job: more than a shell's command line usually holds; a job for more
// names a directory.
inline constexpr int kSourcesMax = 10000;

// Bytes of a serialized JobSpec. Each answer holds the whole job, and gRPC's clients
// accept 4 MiB; a quarter of that is left for the rest of an event.
inline constexpr size_t kSpecBytesMax = 3 * 1024 * 1024;

// Labels of one job, and the bytes of a label's key and value: enough for what people
// sort jobs by, too little to store data in.
inline constexpr int kLabelsMax = 64;
inline constexpr size_t kLabelKeyBytesMax = 63;
inline constexpr size_t kLabelValueBytesMax = 256;

// Bytes of a request_id: a UUID takes 36.
inline constexpr size_t kRequestIdBytesMax = 128;

// OK, or INVALID_ARGUMENT with a google.rpc.BadRequest that names every refused field
// (see FieldViolations): no source or too many; a path that PathFromApi() refuses,
// or one that means something else to each process (/dev/stdin, /proc/self/...); no
// target; an enum value or a field that this version doesn't know (what is copied must
// not depend on an option that was overlooked); several sources for one target name
// (NOT_DIRECTORY); too many labels or malformed ones; a specification that is too large.
// Whether a path exists is not asked here: that is the job's to find out.
absl::Status ValidateJobSpec(const v1::JobSpec& spec);

// OK, or INVALID_ARGUMENT naming "request_id".
absl::Status ValidateRequestId(std::string_view request_id);

// Whether `key` may be a label's key: [a-z][a-z0-9_-]{0,62}.
bool IsLabelKey(std::string_view key);

// What `spec` asks for, to be carried out under `umask`. Refuses as ValidateJobSpec().
absl::StatusOr<CopyRequest> CopyRequestFromSpec(const v1::JobSpec& spec, mode_t umask);

// The specification of `request`, without labels. The umask is not part of it: it is the
// agent's. INVALID_ARGUMENT naming the field when a path is not absolute.
absl::StatusOr<v1::JobSpec> SpecFromCopyRequest(const CopyRequest& request);

}  // namespace ringcp

#endif  // RINGCP_AGENT_JOB_SPEC_H_

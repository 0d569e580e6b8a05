// Translates between the API's JobSpec and the engine's CopyRequest, and checks what is
// acceptable. The agent reads specifications, the command line writes them.
//
// Thread-safety: pure functions.

#ifndef RINGCP_PROTO_JOB_SPEC_H_
#define RINGCP_PROTO_JOB_SPEC_H_

#include <sys/types.h>

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/copy_options.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

// The most sources of one job. A shell's command line usually holds fewer; a larger job
// names a directory.
inline constexpr int kSourcesMax = 10000;

// The most bytes of a serialized JobSpec. Each answer holds the whole job, and gRPC's
// clients accept 4 MiB; this leaves a quarter of that for the rest of an event.
inline constexpr size_t kSpecBytesMax = 3 * 1024 * 1024;

// The most labels of one job, and the most bytes of a label's key and value: enough to
// sort jobs by, too little to store data in.
inline constexpr int kLabelsMax = 64;
inline constexpr size_t kLabelKeyBytesMax = 63;
inline constexpr size_t kLabelValueBytesMax = 256;

// The most bytes of a request_id. A UUID takes 36.
inline constexpr size_t kRequestIdBytesMax = 128;

// OK, or INVALID_ARGUMENT with a google.rpc.BadRequest that names every refused field
// (see FieldViolations): no source or too many; no target; a path that PathFromApi()
// refuses, or one that means something else in each process (/dev/stdin, /proc/self/...);
// an enum value or a field that this version doesn't know (an option must not be
// overlooked, because it may decide what is copied); several sources for one target name
// (NOT_DIRECTORY); too many or malformed labels; a specification that is too large.
// Whether a path exists is not checked here, but by the job.
absl::Status ValidateJobSpec(const v1::JobSpec& spec);

// OK, or INVALID_ARGUMENT naming "request_id".
absl::Status ValidateRequestId(std::string_view request_id);

// Whether `key` may be a label's key: [a-z][a-z0-9_-]{0,62}.
bool IsLabelKey(std::string_view key);

// What `spec` asks for, to be run with `umask`. Refuses what ValidateJobSpec() refuses.
absl::StatusOr<CopyRequest> CopyRequestFromSpec(const v1::JobSpec& spec, mode_t umask);

// The specification of `request`, without labels, and without the umask, because the
// agent's applies. INVALID_ARGUMENT naming the field if a path is not absolute.
absl::StatusOr<v1::JobSpec> SpecFromCopyRequest(const CopyRequest& request);

}  // namespace ringcp

#endif  // RINGCP_PROTO_JOB_SPEC_H_

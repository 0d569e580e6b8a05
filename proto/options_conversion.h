// Translates between the API's CopyOptions and the engine's.
//
// Thread-safety: pure functions.

#ifndef RINGCP_PROTO_OPTIONS_CONVERSION_H_
#define RINGCP_PROTO_OPTIONS_CONVERSION_H_

#include "core/base/copy_options.h"
#include "proto/field_violations.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

// What `options` ask for, but for the umask. What is not acceptable is added to
// `violations` as a field of "spec.options", and the result is meaningless then: an enum
// value that this version doesn't know; options that exclude each other; numbers and
// texts that are out of range. Unknown fields are not looked for.
CopyOptions ReadOptions(const v1::CopyOptions& options, FieldViolations* violations);

// Sets `result`, which is empty, to what `options` ask for, but for the umask.
void WriteOptions(const CopyOptions& options, v1::CopyOptions* result);

}  // namespace ringcp

#endif  // RINGCP_PROTO_OPTIONS_CONVERSION_H_

// Refuses a newer client's unknown fields in what starts or changes something, because
// one that is dropped silently may be the one that matters (a dry run's, for example).
//
// Thread-safety: pure functions.

#ifndef RINGCP_PROTO_UNKNOWN_FIELDS_H_
#define RINGCP_PROTO_UNKNOWN_FIELDS_H_

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "proto/field_violations.h"

namespace ringcp {

// Adds a violation for each message among `message` and those in it that holds such a
// field. `name` is how a client names `message` ("spec"); "" if it is the request itself.
void RefuseUnknownFields(const google::protobuf::Message& message,
                         const std::string& name, FieldViolations* violations);

// OK, or INVALID_ARGUMENT with these violations.
absl::Status RefuseUnknownFields(const google::protobuf::Message& request);

}  // namespace ringcp

#endif  // RINGCP_PROTO_UNKNOWN_FIELDS_H_

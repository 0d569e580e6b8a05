// The only place where a status of ours becomes gRPC's.
//
// Thread-safety: a pure function.

#ifndef RINGCP_AGENT_STATUS_CONVERSION_H_
#define RINGCP_AGENT_STATUS_CONVERSION_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace ringcp {

// The same code and message; the payloads of `status` become the details of a
// google.rpc.Status (the trailer grpc-status-details-bin).
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace ringcp

#endif  // RINGCP_AGENT_STATUS_CONVERSION_H_

// gRPC's server reflection, as v1 and as v1alpha: generic clients ask it which services,
// methods and messages there are. gRPC's own implementation takes a thread for each open
// stream; this one takes none.
//
// Thread-safety: gRPC calls it from many threads at the same time.

#ifndef RINGCP_AGENT_REFLECTION_SERVICE_H_
#define RINGCP_AGENT_REFLECTION_SERVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "grpcpp/impl/codegen/service_type.h"

namespace ringcp {

// The services for both versions, which tell of `services` and of themselves.
std::vector<std::unique_ptr<grpc::Service>> MakeReflectionServices(
    std::vector<std::string> services);

}  // namespace ringcp

#endif  // RINGCP_AGENT_REFLECTION_SERVICE_H_

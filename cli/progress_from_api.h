// Converts the API's Progress to the engine's; the reverse of ProgressToApi().
//
// Thread-safety: a pure function.

#ifndef RINGCP_CLI_PROGRESS_FROM_API_H_
#define RINGCP_CLI_PROGRESS_FROM_API_H_

#include "core/job/progress.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

Progress ProgressFromApi(const v1::Progress& message);

}  // namespace ringcp

#endif  // RINGCP_CLI_PROGRESS_FROM_API_H_

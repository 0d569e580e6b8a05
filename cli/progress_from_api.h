// The API's Progress as the engine's: the way back from ProgressToApi().
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

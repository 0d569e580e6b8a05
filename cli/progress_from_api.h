// Converts the API's Progress and EngineReport to the engine's; the reverse of
// ProgressToApi() and EngineReportToApi().
//
// Thread-safety: pure functions.

#ifndef RINGCP_CLI_PROGRESS_FROM_API_H_
#define RINGCP_CLI_PROGRESS_FROM_API_H_

#include "core/base/engine_report.h"
#include "core/job/progress.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

Progress ProgressFromApi(const v1::Progress& message);
// What the API does not have is 0.
EngineReport EngineReportFromApi(const v1::EngineReport& message);

}  // namespace ringcp

#endif  // RINGCP_CLI_PROGRESS_FROM_API_H_

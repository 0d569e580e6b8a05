// What --debug prints about a job's engine.
//
// Thread-safety: pure functions.

#ifndef RINGCP_CLI_ENGINE_REPORT_LINES_H_
#define RINGCP_CLI_ENGINE_REPORT_LINES_H_

#include <string>
#include <vector>

#include "core/base/engine_report.h"

namespace ringcp {

// Lines without newlines. The first one names the engine that copied, or says that no
// engine had anything to do.
std::vector<std::string> EngineReportLines(const EngineReport& report);

// Of these, what an agent tells as well: the engine, its ops, and LimitLine().
std::vector<std::string> EngineSummaryLines(const EngineReport& report);

// How much was in flight, and what limited the job; "" if that is not known.
std::string LimitLine(const EngineReport& report);

}  // namespace ringcp

#endif  // RINGCP_CLI_ENGINE_REPORT_LINES_H_

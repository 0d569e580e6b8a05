// What --debug prints about a job's engine.
//
// Thread-safety: a pure function.

#ifndef RINGCP_CLI_ENGINE_REPORT_LINES_H_
#define RINGCP_CLI_ENGINE_REPORT_LINES_H_

#include <string>
#include <vector>

#include "core/base/engine_report.h"

namespace ringcp {

// Lines without newlines. The first one names the engine that copied, or says that no
// engine had anything to do.
std::vector<std::string> EngineReportLines(const EngineReport& report);

}  // namespace ringcp

#endif  // RINGCP_CLI_ENGINE_REPORT_LINES_H_

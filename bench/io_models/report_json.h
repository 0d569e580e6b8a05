// A report for programs: one JSON object.
//
// Thread-safety: pure functions.

#ifndef RINGCP_BENCH_IO_MODELS_REPORT_JSON_H_
#define RINGCP_BENCH_IO_MODELS_REPORT_JSON_H_

#include <string>

#include "bench/io_models/report.h"

namespace ringcp::io_models {

// Times are in seconds; members that do not apply are left out.
std::string ReportJson(const Report& report);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_REPORT_JSON_H_

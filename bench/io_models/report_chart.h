// A report as a chart: throughput, system calls and CPU time of every model, for each
// work.
//
// Thread-safety: pure functions.

#ifndef RINGCP_BENCH_IO_MODELS_REPORT_CHART_H_
#define RINGCP_BENCH_IO_MODELS_REPORT_CHART_H_

#include <string>

#include "bench/io_models/report.h"

namespace ringcp::io_models {

// An SVG document.
std::string ReportChart(const Report& report);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_REPORT_CHART_H_

// A report for people: a table for each work, then notes.
//
// Thread-safety: pure functions.

#ifndef RINGCP_BENCH_IO_MODELS_REPORT_TEXT_H_
#define RINGCP_BENCH_IO_MODELS_REPORT_TEXT_H_

#include <string>

#include "bench/io_models/report.h"

namespace ringcp::io_models {

// Lines, the last without its newline.
std::string ReportText(const Report& report);

}  // namespace ringcp::io_models

#endif  // RINGCP_BENCH_IO_MODELS_REPORT_TEXT_H_

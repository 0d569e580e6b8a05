#include "bench/io_models/report_chart.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/io_models/svg_chart.h"

namespace ringcp::io_models {
namespace {

// In bytes. A longer reason would not fit into the picture; the table has it in full.
constexpr size_t kReasonBytesMax = 110;

ChartRow Row(const WorkResult& work, const ModelResult& result) {
  ChartRow row;
  row.label = result.model;
  if (result.outcome != Outcome::kMeasured) {
    row.words = WordsInstead(result);
    if (row.words.size() > kReasonBytesMax) {
      row.words.resize(kReasonBytesMax);
      row.words += "...";
    }
    return row;
  }
  row.values = {ThroughputOf(work, result.measurement), result.system_calls_per_operation,
                CpuPerOperation(result.measurement)};
  return row;
}

}  // namespace

std::string ReportChart(const Report& report) {
  std::vector<ChartGroup> groups;
  for (const WorkResult& work : report.works) {
    ChartGroup group;
    group.title =
        absl::StrCat(work.name, ": ", work.title, "; an operation is ", work.operation);
    group.measures = {work.throughput_bytes ? "MiB/s" : "operations/s",
                      "system calls/operation", "CPU µs/operation"};
    for (const ModelResult& result : work.models) group.rows.push_back(Row(work, result));
    groups.push_back(std::move(group));
  }
  return SvgChart(absl::StrCat("Models of I/O on ", report.kernel, ", ",
                               report.processors, " processors, ", report.file_system),
                  groups);
}

}  // namespace ringcp::io_models

#include "cli/engine_report_lines.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ringcp {
namespace {

std::string EngineLine(const EngineReport& report) {
  // The job ended before an engine was chosen, and has already reported why.
  if (report.engine.empty()) return "no engine: nothing was copied";
  if (report.sqes == 0 && report.ops_at_once == 0) {
    return absl::StrCat("no engine had anything to do: no contents of files were copied");
  }
  if (report.engine != "uring") {
    return absl::StrCat("engine ", report.engine, ": ", report.reason);
  }
  if (report.sqes == 0) {
    return "system calls copied all: it was in memory, so io_uring, which was ready, had "
           "nothing to do";
  }
  if (report.ops_at_once_with_opcode == 0) {
    return absl::StrCat("engine uring: ", report.reason);
  }
  return absl::StrCat("engine uring, and system calls for what was in memory: ",
                      report.reason);
}

// How the ops ran.
std::string OpsLine(const EngineReport& report) {
  if (report.engine != "uring") {
    return absl::StrCat(report.ops_at_once, " ops by system calls");
  }
  return absl::StrCat(report.sqes, " SQEs (", report.linked, " linked) in ",
                      report.chains, " chains, ", report.enters, " enters; ",
                      report.ops_at_once, " ops by system calls, ",
                      report.ops_at_once_with_opcode, " of them with an io_uring opcode");
}

}  // namespace

std::string LimitLine(const EngineReport& report) {
  if (report.limited_by.empty()) return "";
  return absl::StrFormat("%.1f in flight on average; limited by %s", report.in_flight,
                         report.limited_by);
}

std::vector<std::string> EngineSummaryLines(const EngineReport& report) {
  std::vector<std::string> lines = {EngineLine(report), OpsLine(report)};
  if (std::string limit = LimitLine(report); !limit.empty()) {
    lines.push_back(std::move(limit));
  }
  return lines;
}

std::vector<std::string> EngineReportLines(const EngineReport& report) {
  std::vector<std::string> lines = {EngineLine(report), OpsLine(report)};
  lines.push_back(absl::StrCat(report.workers, " workers, ", report.files, " files, ",
                               report.short_reads, " short reads, ", report.short_writes,
                               " short writes, ", report.retries, " retries"));
  if (report.engine == "uring" && report.files_at_once > 0) {
    lines.push_back(
        absl::StrCat("files in memory, copied by system calls: ", report.files_at_once));
  }
  if (std::string limit = LimitLine(report); !limit.empty()) {
    lines.push_back(std::move(limit));
  }
  if (report.files_direct > 0) {
    lines.push_back(absl::StrCat("files copied by O_DIRECT: ", report.files_direct));
  }
  if (report.polled > 0) {
    lines.push_back(absl::StrCat("reads and writes polled: ", report.polled));
  }
  if (report.drops_reads || report.drops_writes) {
    lines.push_back(absl::StrCat(
        "no uncached ",
        !report.drops_writes ? "reads"
        : report.drops_reads ? "reads and writes"
                             : "writes",
        " here (RWF_DONTCACHE): files are dropped from the page cache instead"));
  }
  return lines;
}

}  // namespace ringcp

#include "cli/progress_from_api.h"

#include "absl/time/time.h"

namespace ringcp {

Progress ProgressFromApi(const v1::Progress& message) {
  Progress progress = {
      .bytes_done = message.bytes_done(),
      .bytes_total = message.bytes_total(),
      .files_done = message.files_done(),
      .files_total = message.files_total(),
      .directories_done = message.directories_done(),
      .files_skipped = message.files_skipped(),
      .files_failed = message.files_failed(),
      .scan_complete = message.scan_complete(),
      .bytes_per_second = message.bytes_per_second(),
      .time_remaining = {},
  };
  if (message.has_time_remaining()) {
    progress.time_remaining = absl::Seconds(message.time_remaining().seconds()) +
                              absl::Nanoseconds(message.time_remaining().nanos());
  }
  return progress;
}

EngineReport EngineReportFromApi(const v1::EngineReport& message) {
  EngineReport report;
  report.engine = message.engine();
  report.reason = message.reason();
  report.workers = message.workers();
  report.chains = message.chains();
  report.sqes = message.sqes();
  report.linked = message.linked_sqes();
  report.ops_at_once = message.ops_at_once();
  report.ops_at_once_with_opcode = message.ops_at_once_with_opcode();
  report.enters = message.enters();
  report.files_at_once = message.files_at_once();
  report.in_flight = message.in_flight();
  report.limited_by = message.limited_by();
  return report;
}

}  // namespace ringcp

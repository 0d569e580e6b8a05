#include "proto/job_conversion.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "proto/path_codec.h"

namespace ringcp {
namespace {

static_assert(kErrorTextBytesMax >= kPathBytesMax,
              "a path that the API can express is not too long for an error");

// The largest google.protobuf.Duration: 10,000 years.
constexpr absl::Duration kDurationMax = absl::Seconds(315'576'000'000);

// The beginning of `text` (UTF-8) that fits into kErrorTextBytesMax.
std::string Shorten(std::string_view text) {
  if (text.size() <= kErrorTextBytesMax) return std::string(text);
  size_t end = kErrorTextBytesMax;
  // A byte 10xxxxxx continues a character.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

}  // namespace

v1::Progress ProgressToApi(const Progress& progress) {
  v1::Progress result;
  result.set_bytes_done(progress.bytes_done);
  result.set_bytes_total(progress.bytes_total);
  result.set_files_done(progress.files_done);
  result.set_files_total(progress.files_total);
  result.set_directories_done(progress.directories_done);
  result.set_files_skipped(progress.files_skipped);
  result.set_files_failed(progress.files_failed);
  result.set_scan_complete(progress.scan_complete);
  result.set_bytes_per_second(progress.bytes_per_second);
  if (progress.time_remaining.has_value()) {
    absl::Duration rest = std::min(*progress.time_remaining, kDurationMax);
    auto* duration = result.mutable_time_remaining();
    duration->set_seconds(absl::IDivDuration(rest, absl::Seconds(1), &rest));
    duration->set_nanos(
        static_cast<int>(absl::IDivDuration(rest, absl::Nanoseconds(1), &rest)));
  }
  return result;
}

v1::Progress ProgressToApi(const Progress& progress, const EngineReport& report) {
  v1::Progress result = ProgressToApi(progress);
  *result.mutable_engine() = EngineReportToApi(report);
  return result;
}

v1::EngineReport EngineReportToApi(const EngineReport& report) {
  v1::EngineReport result;
  result.set_engine(report.engine);
  result.set_reason(Shorten(report.reason));
  result.set_workers(report.workers);
  result.set_chains(report.chains);
  result.set_sqes(report.sqes);
  result.set_linked_sqes(report.linked);
  result.set_ops_at_once(report.ops_at_once);
  result.set_ops_at_once_with_opcode(report.ops_at_once_with_opcode);
  result.set_enters(report.enters);
  result.set_files_at_once(report.files_at_once);
  result.set_in_flight(report.in_flight);
  result.set_limited_by(report.limited_by);
  return result;
}

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

void AddCounters(const v1::EngineReport& report, v1::EngineReport* totals) {
  totals->set_chains(totals->chains() + report.chains());
  totals->set_sqes(totals->sqes() + report.sqes());
  totals->set_linked_sqes(totals->linked_sqes() + report.linked_sqes());
  totals->set_ops_at_once(totals->ops_at_once() + report.ops_at_once());
  totals->set_ops_at_once_with_opcode(totals->ops_at_once_with_opcode() +
                                      report.ops_at_once_with_opcode());
  totals->set_enters(totals->enters() + report.enters());
  totals->set_files_at_once(totals->files_at_once() + report.files_at_once());
}

v1::FileError FileErrorToApi(const FileError& error) {
  v1::FileError result;
  result.set_path(PathToApi(error.path).value_or(""));
  result.set_operation(std::string(OperationName(error.operation)));
  result.set_errno_name(ErrnoName(error.error_number));
  result.set_message(Shorten(error.message));
  return result;
}

v1::FileError WarningToApi(std::string_view message) {
  v1::FileError result;
  result.set_message(Shorten(message));
  result.set_is_warning(true);
  return result;
}

google::protobuf::Timestamp TimeToApi(absl::Time time) {
  google::protobuf::Timestamp result;
  const timespec value = absl::ToTimespec(time);
  result.set_seconds(value.tv_sec);
  result.set_nanos(static_cast<int>(value.tv_nsec));
  return result;
}

}  // namespace ringcp

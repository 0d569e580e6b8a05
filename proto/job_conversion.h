// Converts the engine's values to the API's, and back.
//
// Thread-safety: pure functions.

#ifndef RINGCP_PROTO_JOB_CONVERSION_H_
#define RINGCP_PROTO_JOB_CONVERSION_H_

#include <cstddef>
#include <string_view>

#include "absl/time/time.h"
#include "core/base/engine_report.h"
#include "core/base/file_error.h"
#include "core/job/progress.h"
#include "google/protobuf/timestamp.pb.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

// The most bytes of an error's path, and of its message. A tree can be deeper than a
// message should be long. A thousand errors of this size don't go into one event (see
// JobTable::Watch).
inline constexpr size_t kErrorTextBytesMax = 64 * 1024;

v1::Progress ProgressToApi(const Progress& progress);
v1::Progress ProgressToApi(const Progress& progress, const EngineReport& report);

v1::EngineReport EngineReportToApi(const EngineReport& report);

Progress ProgressFromApi(const v1::Progress& message);
// What the API does not have is 0.
EngineReport EngineReportFromApi(const v1::EngineReport& message);

// Adds the counters of `report` to `totals`, and nothing else.
void AddCounters(const v1::EngineReport& report, v1::EngineReport* totals);

// The path is left empty if it is too long, or not absolute because none was known. A
// message that is too long is cut between two characters.
v1::FileError FileErrorToApi(const FileError& error);

// A message that is too long is cut as above.
v1::FileError WarningToApi(std::string_view message);

google::protobuf::Timestamp TimeToApi(absl::Time time);

}  // namespace ringcp

#endif  // RINGCP_PROTO_JOB_CONVERSION_H_

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

}  // namespace ringcp

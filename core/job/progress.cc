#include "core/job/progress.h"

#include <algorithm>

namespace ringcp {
namespace {

// Samples closer together than this say nothing new.
constexpr absl::Duration kSampleInterval = absl::Milliseconds(100);

absl::Duration Between(SteadyTime begin, SteadyTime end) {
  return absl::FromChrono(end - begin);
}

int64_t Rate(int64_t bytes, absl::Duration time) {
  if (time <= absl::ZeroDuration()) return 0;
  return static_cast<int64_t>(static_cast<double>(bytes) / absl::ToDoubleSeconds(time));
}

}  // namespace

void ProgressMeter::KeepFromFalling(Progress* progress) {
  bytes_done_ = std::max(bytes_done_, progress->bytes_done);
  progress->bytes_done = bytes_done_;
  // Some files, such as those in /proc, have more bytes than their size says.
  progress->bytes_total = std::max(progress->bytes_total, bytes_done_);
}

void ProgressMeter::Measure(SteadyTime now, Progress* progress) {
  KeepFromFalling(progress);
  if (samples_.empty()) samples_.push_back({start_, 0});
  // The oldest sample kept is the last one outside of the window, so that the rate is
  // always that of a whole window.
  while (samples_.size() > 1 && Between(samples_[1].time, now) >= kWindow) {
    samples_.pop_front();
  }
  const Sample& oldest = samples_.front();
  progress->bytes_per_second =
      Rate(progress->bytes_done - oldest.bytes, Between(oldest.time, now));
  if (Between(samples_.back().time, now) >= kSampleInterval) {
    samples_.push_back({now, progress->bytes_done});
  }
  progress->time_remaining.reset();
  if (progress->scan_complete && progress->bytes_per_second > 0) {
    const int64_t left = progress->bytes_total - progress->bytes_done;
    progress->time_remaining =
        absl::Seconds(static_cast<double>(left > 0 ? left : 0) /
                      static_cast<double>(progress->bytes_per_second));
  }
}

void ProgressMeter::MeasureFinal(SteadyTime now, Progress* progress) {
  KeepFromFalling(progress);
  progress->bytes_per_second = Rate(progress->bytes_done, Between(start_, now));
  progress->time_remaining = absl::ZeroDuration();
}

}  // namespace ringcp

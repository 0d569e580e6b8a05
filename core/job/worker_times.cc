// What a worker's time is spent on, and what does not let it have more under way.

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/base/job_limit.h"
#include "core/job/worker.h"

namespace ringcp {

void Worker::CountKernel() {
  const KernelCounters now = kernel_->counters();
  counters_->chains.Add(now.chains - ring_counted_.chains);
  counters_->sqes.Add(now.sqes - ring_counted_.sqes);
  counters_->linked.Add(now.linked - ring_counted_.linked);
  counters_->ops_at_once.Add(now.at_once + now.by_helpers - ring_counted_.at_once -
                             ring_counted_.by_helpers);
  counters_->ops_at_once_with_opcode.Add(now.at_once_with_opcode -
                                         ring_counted_.at_once_with_opcode);
  counters_->polled.Add(now.polled - ring_counted_.polled);
  counters_->enters.Add(now.enters - ring_counted_.enters);
  counters_->source_us.Add(now.source_us - ring_counted_.source_us);
  counters_->target_us.Add(now.target_us - ring_counted_.target_us);
  ring_counted_ = now;
}

void Worker::CountTime(SteadyTime wait_begin, int in_flight, int by_helpers) {
  const SteadyTime now = kernel_->Now();
  const auto microseconds = [](SteadyTime::duration time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  };
  const int64_t worked = microseconds(wait_begin - *step_begin_);
  step_begin_ = now;
  const int64_t waited = microseconds(now - wait_begin);
  counters_->work_us.Add(worked);
  counters_->wait_us.Add(waited);
  // A worker that works has one call under way, its own.
  counters_->in_flight_us.Add(worked + waited * in_flight);
  if (now - wait_begin >= WorkerLimits::kLongWaitToMake) {
    waits_to_hold_back_ = WorkerLimits::kWaitsToHoldBack;
  } else if (waits_to_hold_back_ > 0) {
    --waits_to_hold_back_;
  }
  // From memory, waits are many and short.
  if (waited < kLongWait.count()) return;
  const std::optional<JobLimit> limit = LimitOf(in_flight, by_helpers);
  if (!limit.has_value()) return;
  counters_->wait_limit_us[static_cast<size_t>(*limit)].Add(waited);
}

std::optional<JobLimit> Worker::LimitOf(int in_flight, int by_helpers) const {
  if (questions_.full() || (in_flight == 0 && questions_.open() > 0)) {
    return JobLimit::kAnswers;
  }
  // More at a time would make it slower, as has been tried.
  if (wait_limits_.is_strict) return std::nullopt;
  const int copies = copies_in_flight();
  if (2 * static_cast<int>(held_back_.size()) > copies) return JobLimit::kMadeInDirectory;
  if (by_helpers > wait_limits_.kernel.helper_threads_max && 2 * by_helpers > in_flight) {
    return JobLimit::kHelperThreads;
  }
  const int queued = in_flight - by_helpers;
  if (queued >= wait_limits_.kernel.kernel_workers_max) {
    // If there may be more of these, it does not pay, or will be tried soon.
    if (!wait_limits_.is_most) return std::nullopt;
    return work_.calls_limit;
  }
  const bool has_entries =
      !to_copy_.empty() || !links_.empty() ||
      std::any_of(readings_.begin(), readings_.end(),
                  [](const ReadingTask& reading) { return reading.has_entries(); });
  if (copies >= limits_.copies_in_flight && has_entries) return limits_.copies_limit;
  if (!more_to_walk_) {
    // The last files may be large, with many blocks on their way.
    if (queued >= kLanesMax * copies && copies > 0) return JobLimit::kLanes;
    const bool has_blocks = pool_->extra_free() >= BlockPump::kLargeBlock;
    return queued > copies && !has_blocks ? std::optional(JobLimit::kBlockMemory)
                                          : std::nullopt;
  }
  if (nothing_yet_ && !work_.walk->has_room()) return JobLimit::kOpenFiles;
  const auto being_read =
      std::count_if(readings_.begin(), readings_.end(),
                    [](const ReadingTask& reading) { return reading.is_under_way; });
  const bool reads_most = being_read >= wait_limits_.directories;
  return reads_most ? std::optional(JobLimit::kDirectories) : std::nullopt;
}

}  // namespace ringcp

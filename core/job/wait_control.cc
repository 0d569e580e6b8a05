#include "core/job/wait_control.h"

#include <algorithm>
#include <chrono>

namespace ringcp {

// A kernel begins at the level that a job begins at.
static_assert(WaitLimits().kernel_workers_max == WaitController::kLevelMin);

WaitControl::WaitControl(int level_max, int workers, int cpus)
    : level_max_(level_max), workers_(workers), cpus_(cpus), controller_(level_max) {
  MutexLock lock(&mutex_);
  level_ = controller_.level();
}

WaitControl::Limits WaitControl::LimitsOf(int level, bool is_strict) const {
  const auto share = [&](int least, int most) {
    return std::clamp(level / 2, is_strict ? 1 : std::min(least, level_max_), most);
  };
  Limits limits;
  limits.kernel.kernel_workers_max = level;
  limits.kernel.helper_threads_max = share(kHelpersMin, kHelpersMax);
  limits.kernel.calls_wait = level > WaitController::kLevelMin;
  limits.directories = std::min(share(kDirectoriesMin, kDirectoriesMax),
                                std::max(kDirectoriesOfJobMax / workers_, 1));
  limits.is_strict = is_strict;
  limits.is_most = !is_strict && level >= level_max_;
  if (is_strict) {
    limits.copies = level;
  } else if (level <= kCopiesMin) {
    limits.copies = kCopiesMin;
  }
  return limits;
}

WaitControl::Limits WaitControl::Note(const Kernel& kernel, int64_t ended,
                                      bool was_at_limit) {
  if (ended > 0) {
    ended_.fetch_add(ended, std::memory_order_relaxed);
    if (was_at_limit) ended_at_limit_.fetch_add(ended, std::memory_order_relaxed);
    if (kernel.Now() >= end_.load(std::memory_order_relaxed)) {
      Sample(kernel, was_at_limit);
    }
  }
  return LimitsOf(level_.load(std::memory_order_relaxed),
                  is_strict_.load(std::memory_order_relaxed));
}

int64_t WaitControl::EndsWanted() const {
  const int level = controller_.level();
  const int files =
      std::min({kCopiesMin, level_max_, LimitsOf(level, controller_.is_strict()).copies});
  const int for_files = controller_.climbs() ? 0 : kEndsPerFile * files;
  return int64_t{std::max(kEndsPerLevel * level, for_files)} * workers_;
}

absl::Duration WaitControl::LengthMax() const {
  const double rate = controller_.rate();
  if (rate <= 0) return kSampleMax;
  const auto ends = static_cast<double>(EndsWanted());
  return std::clamp(absl::Seconds(kPatience * ends / rate), kSampleMin, kSampleMax);
}

void WaitControl::Sample(const Kernel& kernel, bool was_at_limit) {
  MutexLock lock(&mutex_);
  const SteadyTime now = kernel.Now();
  const int64_t ended = ended_.load(std::memory_order_relaxed);
  const auto elapsed = absl::FromChrono(now - begin_.value_or(now));
  // A pause says nothing. It is none if one wait for as much as may be took so long.
  const bool is_new = !begin_.has_value() || (elapsed > 2 * kSampleMax && !was_at_limit);
  if (!is_new && elapsed < kSampleMin) return;  // Another worker has just been here.
  if (!is_new && ended < EndsWanted() && elapsed < LengthMax()) return;
  const absl::Duration cpu = kernel.CpuTime();
  if (!is_new) {
    controller_.Note(
        {.elapsed = elapsed,
         .ended = ended,
         .cpu = cpu - cpu_at_begin_,
         .cpus = cpus_,
         .was_at_limit = 2 * ended_at_limit_.load(std::memory_order_relaxed) >= ended});
    level_ = controller_.level();
    is_strict_ = controller_.is_strict();
  }
  begin_ = now;
  cpu_at_begin_ = cpu;
  ended_ = 0;
  ended_at_limit_ = 0;
  end_ = now + absl::ToChronoNanoseconds(kSampleMin);
}

}  // namespace ringcp

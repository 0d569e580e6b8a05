#include "core/job/wait_controller.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace ringcp {
namespace {

// Whether `more` is larger than `less` by more than chance makes of two samples with so
// many ends, if what ends is independent of each other: by two standard errors of the
// logarithm of their ratio, which is about twice their difference by their sum.
bool IsMoreThanChance(double more, double less, int64_t ended_a, int64_t ended_b) {
  const auto variance = [](int64_t ended) {
    return 1 / static_cast<double>(std::max<int64_t>(ended, 1));
  };
  if (more <= less) return false;
  const double difference = (more - less) / (more + less);
  return difference * difference >= variance(ended_a) + variance(ended_b);
}

}  // namespace

WaitController::WaitController(int level_max)
    : level_max_(std::clamp(level_max, 1, kLevelMax)),
      level_(std::min(kLevelMin, level_max_)) {
  RINGCP_CHECK(level_max >= 1);
}

void WaitController::Try(int level, double rate, int64_t ended) {
  before_ = level_;
  rate_before_ = rate;
  ended_before_ = ended;
  trial_rate_ = 0;
  level_ = level;
}

void WaitController::Pause() {
  pause_ = next_pause_;
  next_pause_ = std::min(2 * next_pause_, kPauseMax);
}

bool WaitController::Climb(double rate, int64_t ended, bool may_rise) {
  climbs_ = climbs_ && level_ < level_max_;
  if (!climbs_) return false;
  if (!may_rise) {
    // What comes first may be in memory, or directories; it begins when something waits.
    climbs_ = !judges_climb_;
    return false;
  }
  // All of the climb is one trial, compared with where it began.
  if (!judges_climb_) Try(level_, rate, ended);
  judges_climb_ = true;
  level_ = std::min(kFirstStep * level_, level_max_);
  climbs_ = level_ < std::min(kClimb, level_max_);
  return true;
}

bool WaitController::EndTrial(double rate, int64_t ended) {
  const int before = before_;
  const bool is_rise = level_ > before;
  const bool is_first = trial_rate_ == 0;
  if (trial_rate_ > rate) {
    rate = trial_rate_;
    ended = trial_ended_;
  }
  const double loss = kLossMax * rate_before_;
  const bool harms = IsMoreThanChance(loss, rate, ended_before_, ended);
  const bool pays =
      is_rise ? rate_before_ == 0 ||
                    IsMoreThanChance(rate, kGainMin * rate_before_, ended_before_, ended)
              : !harms;
  if (!pays && is_first) {
    trial_rate_ = rate;
    trial_ended_ = ended;
    return false;
  }
  // The climb began with a short sample, which may have been a burst: a loss since then
  // is no reason to be strict.
  const bool may_be_strict = !std::exchange(judges_climb_, false);
  before_ = 0;
  if (pays) {
    next_pause_ = kPauseMin;
    is_strict_ = is_strict_ && !is_rise;
    // A descent is compared with where it began.
    const bool is_new = is_rise || rate > rate_before_;
    rate_ = is_new ? rate : rate_before_;
    ended_ = is_new ? ended : ended_before_;
    return true;
  }
  if (is_rise && may_be_strict && harms) is_strict_ = true;
  level_ = before;
  rate_ = rate_before_;
  ended_ = ended_before_;
  step_ = kStep;
  Pause();
  return false;
}

void WaitController::Note(const WaitSample& sample) {
  const double seconds = absl::ToDoubleSeconds(sample.elapsed);
  if (seconds <= 0) return;
  const double rate = static_cast<double>(sample.ended) / seconds;
  const bool is_busy = absl::ToDoubleSeconds(sample.cpu) >= kBusy * sample.cpus * seconds;
  if (Climb(rate, sample.ended, sample.was_at_limit && !is_busy)) return;
  bool lowers = false;
  if (before_ != 0 && level_ > before_ && !sample.was_at_limit) {
    // What the level could bring has not been asked of it: it does no harm.
    before_ = 0;
    judges_climb_ = false;
    rate_ = rate;
    ended_ = sample.ended;
  } else if (before_ != 0) {
    lowers = level_ < before_;
    const bool was_rise = level_ > before_;
    if (!EndTrial(rate, sample.ended)) {
      if (before_ != 0 || !was_rise || !has_fallen_) return;
      lowers = is_strict_ = true;  // More did not help, so less may.
      pause_ = 0;
    }
    has_fallen_ = false;
  } else if (rate_ > 0 && (rate < kFall * rate_ || rate > kLeap * rate_)) {
    // Less may have ended because there is less to do.
    has_fallen_ = rate < rate_ && sample.was_at_limit;
    lowers = has_fallen_ && level_ == level_max_;
    is_strict_ = lowers || (is_strict_ && rate < rate_);
    rate_ = rate;
    ended_ = sample.ended;
    pause_ = 0;
    next_pause_ = kPauseMin;
    step_ = kFirstStep;
  } else {
    rate_ = rate_ == 0 ? rate : (rate_ + rate) / 2;
    ended_ = sample.ended;
  }
  if (pause_ > 0) {
    --pause_;
    return;
  }
  // What was lowered from the highest level may have been compared with a sample in which
  // the change had begun.
  lowers = lowers || (is_strict_ && level_ == level_max_ && sample.was_at_limit);
  if (lowers && level_ > kLevelMin) {
    return Try(level_ / kStep, rate_, ended_);
  }
  if (sample.was_at_limit && !is_busy && level_ < level_max_) {
    Try(std::min(step_ * level_, level_max_), rate_, ended_);
  }
}

}  // namespace ringcp

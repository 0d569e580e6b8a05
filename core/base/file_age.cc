#include "core/base/file_age.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace ringcp {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

struct Time {
  int64_t seconds = 0;
  int64_t nanoseconds = 0;  // Less than kSecond.

  friend bool operator==(const Time&, const Time&) = default;
};

bool IsBefore(const Time& a, const Time& b) {
  return a.seconds != b.seconds ? a.seconds < b.seconds : a.nanoseconds < b.nanoseconds;
}

Time From(const struct statx_timestamp& time) { return {time.tv_sec, time.tv_nsec}; }

// The units that are guessed, in nanoseconds.
constexpr std::array<int64_t, 2> kGuesses = {kSecond, kSecond / 100};

// `time` as a file system keeps it that has this unit.
Time CutTo(int64_t unit, Time time) {
  if (unit < kSecond) {
    return {time.seconds, time.nanoseconds - time.nanoseconds % unit};
  }
  const int64_t seconds = unit / kSecond;
  const int64_t rest = (time.seconds % seconds + seconds) % seconds;  // Before 1970, too.
  return {time.seconds - rest, 0};
}

}  // namespace

bool IsOlder(const struct statx& target, const struct statx& source, bool keeps_times,
             int64_t time_unit) {
  const Time modified = From(target.stx_mtime);
  const Time changed = From(target.stx_ctime);
  int64_t unit = keeps_times ? time_unit : 1;
  if (unit == kUnknownTimeUnit) {
    const auto* const guess =
        std::find_if(kGuesses.begin(), kGuesses.end(), [&](int64_t guessed) {
          return CutTo(guessed, modified) == modified &&
                 CutTo(guessed, changed) == changed;
        });
    unit = guess == kGuesses.end() ? 1 : *guess;
  }
  return IsBefore(modified, CutTo(unit, From(source.stx_mtime)));
}

}  // namespace ringcp

#include "core/base/file_age.h"

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

// The units that file systems keep times in, in nanoseconds: two seconds (FAT), one
// (ext3, HFS+), and then each decimal.
constexpr int64_t kCoarsest = 2 * kSecond;
int64_t Finer(int64_t unit) { return unit == kCoarsest ? kSecond : unit / 10; }

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

bool IsOlder(const struct statx& target, const struct statx& source, bool keeps_times) {
  const Time modified = From(target.stx_mtime);
  const Time changed = From(target.stx_ctime);
  int64_t unit = keeps_times ? kCoarsest : 1;
  while (unit > 1 &&
         (CutTo(unit, modified) != modified || CutTo(unit, changed) != changed)) {
    unit = Finer(unit);
  }
  return IsBefore(modified, CutTo(unit, From(source.stx_mtime)));
}

}  // namespace ringcp

#include "cli/quantity_format.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ringcp {

std::string FormatBytes(int64_t bytes) {
  static constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB",
                                                             "TiB", "PiB", "EiB"};
  bytes = std::max<int64_t>(bytes, 0);
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // A value that would be rounded to 1000.0 goes to the next unit, too.
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string FormatCount(int64_t count) {
  static constexpr std::string_view kUnits = "MGTPE";
  count = std::max<int64_t>(count, 0);
  if (count < 1000000) return absl::StrCat(count);
  double value = static_cast<double>(count) / 1e6;
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return absl::StrFormat("%.*f%c", digits, value, kUnits[unit]);
}

std::string FormatSeconds(absl::Duration duration) {
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  if (duration >= absl::Hours(24 * 1000)) return ">999d";
  duration = std::max(duration, absl::ZeroDuration());
  const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1)));
  if (seconds < kHour) {
    return absl::StrFormat("%d:%02d", seconds / kMinute, seconds % kMinute);
  }
  if (seconds < 100 * kHour) {
    return absl::StrFormat("%d:%02d:%02d", seconds / kHour, seconds % kHour / kMinute,
                           seconds % kMinute);
  }
  return absl::StrFormat("%dd %02dh", seconds / kDay, seconds % kDay / kHour);
}

}  // namespace ringcp

// Sizes, counts and durations as short text for people. Each function's results have a
// greatest length, so that a layout made of them stays the same while numbers grow.
//
// Thread-safety: pure functions.

#ifndef RINGCP_CLI_QUANTITY_FORMAT_H_
#define RINGCP_CLI_QUANTITY_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace ringcp {

inline constexpr size_t kByteTextLengthMax = 9;
inline constexpr size_t kCountTextLengthMax = 6;
inline constexpr size_t kDurationTextLengthMax = 8;

// "0 B", "999 B", "1.0 KiB", "999.9 MiB", "8.0 EiB". Negative values count as 0.
std::string FormatBytes(int64_t bytes);

// "0", "999999", "1.00M", "12.3M", "123M", "9.22E". Negative values count as 0.
std::string FormatCount(int64_t count);

// Whole seconds, rounded up: "0:07", "59:59", "1:00:00", "99:59:59"; from 100 hours on
// days: "4d 04h"; from 1000 days on ">999d". Negative durations count as 0.
std::string FormatSeconds(absl::Duration duration);

}  // namespace ringcp

#endif  // RINGCP_CLI_QUANTITY_FORMAT_H_

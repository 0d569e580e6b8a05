// Which of two files is older, by their times of modification.
//
// Thread-safety: a pure function.

#ifndef RINGCP_CORE_BASE_FILE_AGE_H_
#define RINGCP_CORE_BASE_FILE_AGE_H_

#include <sys/stat.h>

#include <cstdint>

namespace ringcp {

// How exactly a file system keeps times of modification, if that is not known.
inline constexpr int64_t kUnknownTimeUnit = 0;

// Whether `target` is older than `source`. If copies keep their sources' times
// (`keeps_times`), `target` may be an earlier copy, on a file system that keeps times
// less exactly: as multiples of `time_unit` nanoseconds. Then it is not older if it has
// the source's time as far as its file system can tell.
//
// If the unit is not known, it is a second, or ten milliseconds, if the target's times of
// modification and of change are multiples of that: the kernel sets the latter, which is
// a multiple by chance once in ten million times. To believe in other units would leave
// out files that have changed; not to believe in them copies some files that have not.
bool IsOlder(const struct statx& target, const struct statx& source, bool keeps_times,
             int64_t time_unit = kUnknownTimeUnit);

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_FILE_AGE_H_

// Which of two files is older, by their times of modification.
//
// Thread-safety: a pure function.

#ifndef RINGCP_CORE_BASE_FILE_AGE_H_
#define RINGCP_CORE_BASE_FILE_AGE_H_

#include <sys/stat.h>

namespace ringcp {

// Whether `target` is older than `source`. If copies keep their sources' times
// (`keeps_times`), `target` may be an earlier copy, on a file system that keeps times
// less precisely. Then it is not older if it has the source's time as far as its own file
// system can tell. How precise that is follows from the target's times of modification
// and of change: the kernel sets the latter itself, and has no reason to choose a round
// one.
bool IsOlder(const struct statx& target, const struct statx& source, bool keeps_times);

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_FILE_AGE_H_

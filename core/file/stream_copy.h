// Copies contents from or to what is no regular file: pipes, terminals, devices, as in
// `ringcp <(command) FILE` or `ringcp FILE /dev/stdout`. One blocking read and write at a
// time, in order; waits in poll(2), so that it can be cancelled while nothing comes.
//
// Thread-safety: may be called by any thread, for different targets.

#ifndef RINGCP_CORE_FILE_STREAM_COPY_H_
#define RINGCP_CORE_FILE_STREAM_COPY_H_

#include <atomic>

#include "core/base/engine_counters.h"
#include "core/file/file_copy.h"

namespace ringcp {

// Copies names.source to names.target until its end, a failure, or *cancelled. kCopied,
// kSkipped, kCancelled, or kFailed with *failure; *old_target is set in any case. A
// regular file that was not completed is removed if this call made it, else left as it
// was or, once something was written to it, empty.
FileCopy::Outcome CopyStream(const FileCopyPolicy& policy, const FileCopyNames& names,
                             const std::atomic<bool>& cancelled, EngineCounters* counters,
                             CopyFailure* failure, OldTarget* old_target);

}  // namespace ringcp

#endif  // RINGCP_CORE_FILE_STREAM_COPY_H_

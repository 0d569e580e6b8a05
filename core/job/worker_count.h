// How many threads copy a group of sources.
//
// One for each CPU that the process may use, because copying from memory keeps them busy,
// and waiting for a device is io_uring's part; fewer where there is less to do. Within a
// Btrfs file system it is one: cloning only changes metadata, all of which is in one tree
// for each subvolume, and new files have neighbouring places in it, so threads wait for
// each other's locks (50,000 files: one thread 0.87 s, two 0.99 s, with half as much CPU
// time again; locks of our own around the calls that make entries: 1.0 to 1.3 s; GNU cp
// 0.90 s). XFS keeps several trees for that: 0.67 s and 0.44 s.
//
// Thread-safety: pure apart from looking at the file system.

#ifndef RINGCP_CORE_JOB_WORKER_COUNT_H_
#define RINGCP_CORE_JOB_WORKER_COUNT_H_

#include <vector>

#include "core/base/copy_options.h"
#include "core/job/top_level.h"
#include "core/kernel/kernel.h"

namespace ringcp {

// How many workers copy `sources` into the directory `target_fd`: 1 to
// Tuning::kWorkersMax.
int WorkerCount(Kernel* kernel, const std::vector<TopLevelSource>& sources, int target_fd,
                const CopyOptions& options);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_WORKER_COUNT_H_

// How many threads copy a group of sources.
//
// One for each CPU that the process may use, because copying from memory keeps CPUs busy,
// and io_uring does the waiting for devices; fewer if there is less to do. Within a Btrfs
// file system it is one thread. Cloning only changes metadata, which Btrfs keeps in one
// tree for each subvolume, and new files have neighbouring places in that tree, so
// several threads wait for each other's locks and are slower than one (BENCHMARKS.md,
// small-btrfs). XFS keeps several trees, and gets faster with several threads.
//
// Thread-safety: pure apart from looking at the sources' file systems.

#ifndef RINGCP_CORE_JOB_WORKER_COUNT_H_
#define RINGCP_CORE_JOB_WORKER_COUNT_H_

#include <vector>

#include "core/base/copy_options.h"
#include "core/job/top_level_source.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"

namespace ringcp {

// How many workers copy `sources` into a directory on `target`: 1 to Tuning::kWorkersMax.
int WorkerCount(Kernel* kernel, const std::vector<TopLevelSource>& sources,
                const FileSystem& target, const CopyOptions& options);

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_WORKER_COUNT_H_

#include "core/job/worker_count.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/statfs.h>

#include <algorithm>

#include "core/file/shared_file.h"

namespace ringcp {
namespace {

int AvailableCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

// Whether files are going to be cloned within one Btrfs.
bool ClonesWithinBtrfs(const std::vector<TopLevelSource>& sources, int target_fd,
                       const CopyOptions& options) {
  struct statfs target;
  if (options.reflink == Reflink::kNever || fstatfs(target_fd, &target) != 0 ||
      target.f_type != BTRFS_SUPER_MAGIC) {
    return false;
  }
  return std::all_of(sources.begin(), sources.end(), [&](const TopLevelSource& source) {
    struct statfs stat;
    // Subvolumes of one file system differ in the other half of the identifier.
    return statfs(source.source.c_str(), &stat) == 0 &&
           stat.f_type == BTRFS_SUPER_MAGIC &&
           stat.f_fsid.__val[0] == target.f_fsid.__val[0];
  });
}

}  // namespace

int WorkerCount(const std::vector<TopLevelSource>& sources, int target_fd,
                const CopyOptions& options) {
  const bool tree = std::any_of(sources.begin(), sources.end(),
                                [](const auto& source) { return source.is_directory; });
  // A large file keeps a second worker busy.
  const bool large = std::any_of(sources.begin(), sources.end(), [](const auto& source) {
    return source.size_bytes >= SharedFiles::kBytesMin;
  });
  const int work = static_cast<int>(sources.size()) + (large ? 1 : 0);
  int workers = options.tuning.workers;
  if (workers == 0) {
    workers = AvailableCpus();
    if (workers > 1 && ClonesWithinBtrfs(sources, target_fd, options)) workers = 1;
  }
  workers = std::min(workers, Tuning::kWorkersMax);
  return tree ? workers : std::min(workers, work);
}

}  // namespace ringcp

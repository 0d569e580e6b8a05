#include "core/job/worker_count.h"

#include <fcntl.h>

#include <algorithm>

#include "core/file/shared_file.h"
#include "core/kernel/preloaded_libraries.h"
#include "core/kernel/process.h"

namespace ringcp {
namespace {

// Whether files will be cloned within one file system on which threads that clone wait
// for each other.
bool ClonesOneAtATime(Kernel* kernel, const std::vector<TopLevelSource>& sources,
                      const FileSystem& target, const CopyOptions& options) {
  return options.reflink != Reflink::kNever && target.clones_one_at_a_time() &&
         std::all_of(sources.begin(), sources.end(), [&](const TopLevelSource& source) {
           return FileSystemTable::IsOnPartOf(target, kernel, AT_FDCWD,
                                              source.source.c_str());
         });
}

}  // namespace

int WorkerCount(Kernel* kernel, const std::vector<TopLevelSource>& sources,
                const FileSystem& target, const CopyOptions& options) {
  // Several workers would ask in another order each time (-i).
  if (LibrariesArePreloaded() || options.interactive) return 1;
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
    if (workers > 1 && ClonesOneAtATime(kernel, sources, target, options)) {
      workers = 1;
    }
  }
  workers = std::min(workers, Tuning::kWorkersMax);
  return tree ? workers : std::min(workers, work);
}

}  // namespace ringcp

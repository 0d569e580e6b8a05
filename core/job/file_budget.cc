#include "core/job/file_budget.h"

#include <algorithm>

#include "core/job/tally.h"
#include "core/job/worker_limits.h"
#include "core/kernel/open_files.h"
#include "core/tree/directory_parking.h"

namespace ringcp {
namespace {

constexpr int kTargetDirectory = 1;
constexpr int kFilesPerDirectory = 2;
constexpr int kDirectoriesMin = 2;
// Descriptors that each worker opens for a moment, to reopen a directory. (To get to a
// file that is given another name takes kFilesPerCopy at most, and counts as a copy.)
constexpr int kForAMoment = kFilesToReopen;
// The event that wakes the worker.
constexpr int kWakeEvent = 1;

// What a worker needs with one copy in flight, and with one directory that it enters
// although as many are open as may be (walk.h).
constexpr int LeastOfWorker(int rings) {
  return rings + kWakeEvent + kForAMoment + WorkerLimits::kFilesPerCopy +
         kFilesPerDirectory;
}

}  // namespace

int FileBudget::DirectoriesMax(int copies_in_flight) const {
  // The parent of the directory that a worker enters beyond the limit may have been
  // parked, and is opened again then. A worker alone parks another one for it.
  const int parent = workers > 1 ? kFilesPerDirectory : 0;
  const int of_worker = LeastOfWorker(rings) + parent +
                        (copies_in_flight - 1) * WorkerLimits::kFilesPerCopy;
  return std::max(kDirectoriesMin,
                  (files_max - workers * of_worker) / kFilesPerDirectory);
}

int DefaultFilesMax() {
  const int files_max = OpenFilesMax();
  return files_max -
         std::min(FileBudget::kOtherFiles, files_max / FileBudget::kOtherFilesShare);
}

FileBudget PlanFiles(int files_max, int workers, int rings) {
  FileBudget budget;
  budget.tally_directories =
      std::min(files_max / FileBudget::kTallyShare, Tally::kDirectoriesMax);
  if (budget.tally_directories < FileBudget::kTallyDirectoriesMin) {
    budget.tally_directories = 0;
  }
  budget.files_max = files_max - kTargetDirectory;
  if (budget.tally_directories > 0) {
    budget.files_max -= budget.tally_directories + kForAMoment;
  }
  const int for_workers = budget.files_max - kDirectoriesMin * kFilesPerDirectory;
  budget.rings = for_workers >= LeastOfWorker(rings) ? rings : 0;
  budget.workers = std::clamp(for_workers / LeastOfWorker(budget.rings), 1, workers);
  return budget;
}

}  // namespace ringcp

// Tests how the number of files that a job may have open is divided.

#include "core/job/file_budget.h"

#include "core/job/tally.h"
#include "core/job/worker_limits.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

constexpr int kMany = 1 << 20;

// The most files that the job may have open at the same time.
int FilesInAll(const FileBudget& budget, int copies_in_flight) {
  const int tally = budget.tally_directories > 0 ? budget.tally_directories + 2 : 0;
  const int of_worker =
      budget.rings + WorkerLimits::kFilesPerCopy * copies_in_flight + 2 + 1;
  // Each worker may enter one directory more than may be open.
  const int directories = budget.DirectoriesMax(copies_in_flight) + budget.workers;
  return 1 + tally + budget.workers * of_worker + 2 * directories;
}

TEST(FileBudgetTest, WithManyFilesNothingIsReduced) {
  const FileBudget budget = PlanFiles(kMany, /*workers=*/16, /*rings=*/2);
  EXPECT_EQ(budget.workers, 16);
  EXPECT_EQ(budget.rings, 2);
  EXPECT_EQ(budget.tally_directories, Tally::kDirectoriesMax);
  EXPECT_GT(budget.DirectoriesMax(WorkerLimits::kCopiesInFlightMax), 100'000);
}

TEST(FileBudgetTest, NoMoreIsSharedOutThanThereIs) {
  for (const int rings : {0, 1, 2}) {
    for (const int workers : {1, 2, 8, 64}) {
      for (int files_max = 12; files_max < 3000; files_max += 1 + files_max / 20) {
        SCOPED_TRACE(testing::Message() << files_max << " files, " << workers
                                        << " workers, " << rings << " rings");
        const FileBudget budget = PlanFiles(files_max, workers, rings);
        EXPECT_GE(budget.workers, 1);
        EXPECT_LE(budget.workers, workers);
        const WorkerLimits limits =
            WorkerLimits::For({}, budget.workers, budget.files_max);
        EXPECT_LE(FilesInAll(budget, limits.copies_in_flight), files_max);
      }
    }
  }
}

TEST(FileBudgetTest, WithFewThereIsOneWorkerAndNoTally) {
  const FileBudget budget = PlanFiles(/*files_max=*/13, /*workers=*/8, /*rings=*/1);
  EXPECT_EQ(budget.workers, 1);
  EXPECT_EQ(budget.rings, 1);
  EXPECT_EQ(budget.tally_directories, 0);
  EXPECT_EQ(budget.DirectoriesMax(1), 2);
}

TEST(FileBudgetTest, WithTooFewThereIsNoRing) {
  const FileBudget budget = PlanFiles(/*files_max=*/12, /*workers=*/8, /*rings=*/1);
  EXPECT_EQ(budget.rings, 0);
  EXPECT_EQ(budget.workers, 1);
}

}  // namespace
}  // namespace ringcp

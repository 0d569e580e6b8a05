// Tests how much work a worker does at a time, and what that depends on.

#include "core/job/worker_limits.h"

#include "core/file/block_pump.h"
#include "gtest/gtest.h"

namespace ringcp {
namespace {

constexpr int kManyFiles = 1 << 20;

int64_t BlockBytes(const WorkerLimits& limits, int workers) {
  return int64_t{limits.block_bytes} * workers *
         (limits.copies_in_flight + limits.extra_blocks);
}

TEST(WorkerLimitsTest, ByDefaultAsManyFilesAsPayOff) {
  const WorkerLimits limits = WorkerLimits::For({}, /*workers=*/2, kManyFiles);
  EXPECT_EQ(limits.copies_in_flight, WorkerLimits::kCopiesInFlightMax);
  EXPECT_EQ(limits.copies_in_flight_warm, WorkerLimits::kCopiesInFlightWarm);
  EXPECT_EQ(limits.extra_blocks, WorkerLimits::kExtraBlocks);
  EXPECT_EQ(limits.block_bytes, WorkerLimits::kBlockBytes);
}

TEST(WorkerLimitsTest, ADepthThatWasAskedForIsKept) {
  for (const int depth : {1, 5, 100}) {
    const WorkerLimits limits =
        WorkerLimits::For({.queue_depth = depth}, /*workers=*/1, kManyFiles);
    EXPECT_EQ(limits.copies_in_flight, depth);
    EXPECT_EQ(limits.copies_in_flight_warm, depth);
  }
}

TEST(WorkerLimitsTest, BlocksTakeNoMoreMemoryThanTheyMayWhileThereIsAChoice) {
  for (const int workers : {1, 2, 8, 16}) {
    for (const int64_t block : {4096, 65536, 262144, 1048576}) {
      const WorkerLimits limits = WorkerLimits::For(
          {.queue_depth = Tuning::kQueueDepthMax, .block_size_bytes = block}, workers,
          kManyFiles);
      EXPECT_EQ(limits.block_bytes, block);
      EXPECT_LE(BlockBytes(limits, workers), WorkerLimits::kBlockMemoryMax);
    }
  }
}

TEST(WorkerLimitsTest, HoweverManyWorkersThereAreBlocksSufficeForLargeOnes) {
  for (int workers = 1; workers <= Tuning::kWorkersMax; ++workers) {
    SCOPED_TRACE(workers);
    const WorkerLimits limits = WorkerLimits::For({}, workers, kManyFiles);
    EXPECT_GE(limits.extra_blocks, BlockPump::kExtraForLargeMin);
    EXPECT_GE(limits.copies_in_flight, WorkerLimits::kCopiesInFlightMin);
    EXPECT_LE(BlockBytes(limits, workers), WorkerLimits::kBlockMemoryMax);
  }
}

TEST(WorkerLimitsTest, TheLargestBlocksStillLeaveAFileInFlight) {
  const WorkerLimits limits = WorkerLimits::For(
      {.block_size_bytes = Tuning::kBlockBytesMax}, Tuning::kWorkersMax, kManyFiles);
  EXPECT_EQ(limits.copies_in_flight, 1);
  EXPECT_EQ(limits.extra_blocks, 1);
  EXPECT_EQ(BlockBytes(limits, Tuning::kWorkersMax), 2 * WorkerLimits::kBlockMemoryMax);
}

TEST(WorkerLimitsTest, FewOpenFilesMeanFewFilesInFlight) {
  const WorkerLimits limits =
      WorkerLimits::For({.queue_depth = 100}, /*workers=*/2, /*files_max=*/256);
  EXPECT_EQ(limits.copies_in_flight, 256 / 4 / WorkerLimits::kFilesPerCopy / 2);
}

}  // namespace
}  // namespace ringcp

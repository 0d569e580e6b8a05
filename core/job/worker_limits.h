// How much one worker does at a time, and why so much:
//  - kCopiesInFlightMax files at a time: enough that each io_uring_enter submits and
//    collects work for dozens of files. While nothing waits, only kCopiesInFlightWarm,
//    so that their blocks stay in the CPU's cache.
//  - kBlockBytes per read and write, and more where contents come slowly
//    (contents_pace.h): a file up to this size needs only one block.
//  - kBlockMemoryMax for the blocks of all workers of a job, which are most of its peak
//    memory. With many workers or larger blocks, each worker keeps fewer files in flight.

#ifndef RINGCP_CORE_JOB_WORKER_LIMITS_H_
#define RINGCP_CORE_JOB_WORKER_LIMITS_H_

#include <chrono>
#include <cstdint>

#include "core/base/copy_options.h"
#include "core/base/job_limit.h"

namespace ringcp {

struct WorkerLimits {
  static constexpr int kCopiesInFlightMax = 112;
  static constexpr int kCopiesInFlightWarm = 32;  // 3 % faster than with 64.
  // Copies in flight that a worker gets however small its share of kBlockMemoryMax is;
  // one if the user chose the size of blocks. Only then may a job take more than that: 16
  // workers with blocks of 4 MiB take 128 MiB.
  static constexpr int kCopiesInFlightMin = 8;
  // Ordinary descriptors that a copy in flight may have open.
  static constexpr int kFilesPerCopy = 2;
  // Blocks lent to large files, so that they have more than one lane.
  static constexpr int kExtraBlocks = 16;
  static constexpr int kExtraBlocksShare = 4;  // One in so many, if that is enough.
  static constexpr uint32_t kBlockBytes = 256 * 1024;
  static constexpr int64_t kBlockMemoryMax = int64_t{64} * 1024 * 1024;
  // Files of one directory that a single worker makes at a time while waits are long;
  // several workers share them, but each makes kMadeInDirectoryMin. The kernel makes one
  // after another, so two keep it busy; with more, one enter hands over and collects
  // several where making is fast. All that were handed over are made, even if the job is
  // cancelled meanwhile: at 50 ms a call that takes about two seconds.
  static constexpr int kMadeInDirectory = 16;
  static constexpr int kMadeInDirectoryMin = 2;
  // A wait that is long: a hundred files of a directory that each take so long would hold
  // up an interrupt for a second or more. From memory, waits take microseconds. One of
  // the last waits has to have been long.
  static constexpr std::chrono::milliseconds kLongWaitToMake{5};
  static constexpr int kWaitsToHoldBack = 64;

  int copies_in_flight = kCopiesInFlightMax;
  JobLimit copies_limit = JobLimit::kQueueDepth;    // What copies_in_flight comes from.
  int copies_in_flight_warm = kCopiesInFlightWarm;  // While nothing waits.
  int extra_blocks = kExtraBlocks;
  uint32_t block_bytes = kBlockBytes;
  int made_in_directory = kMadeInDirectory;

  // The limits of each of `workers` workers, by `tuning`. Of the `files_max` files that
  // the process may have open, the copies in flight take at most a quarter, or one copy
  // for each worker.
  static WorkerLimits For(const Tuning& tuning, int workers, int files_max);
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_WORKER_LIMITS_H_

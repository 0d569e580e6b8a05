#include "core/job/worker_limits.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/file/block_pump.h"

namespace ringcp {

WorkerLimits WorkerLimits::For(const Tuning& tuning, int workers, int files_max) {
  RINGCP_CHECK(workers > 0);
  WorkerLimits limits;
  if (tuning.block_size_bytes != 0) {
    limits.block_bytes = static_cast<uint32_t>(tuning.block_size_bytes);
  }
  const auto blocks = static_cast<int>(kBlockMemoryMax / limits.block_bytes / workers);
  // Enough for large blocks, however many workers there are.
  const int least_extra = tuning.block_size_bytes != 0
                              ? 1
                              : std::clamp(blocks / 2, 1, BlockPump::kExtraForLargeMin);
  limits.extra_blocks = std::clamp(blocks / kExtraBlocksShare, least_extra, kExtraBlocks);
  const int by_files = files_max / 4 / kFilesPerCopy / workers;
  const int most = tuning.queue_depth != 0 ? tuning.queue_depth : kCopiesInFlightMax;
  const int least = tuning.block_size_bytes != 0 ? 1 : std::min(kCopiesInFlightMin, most);
  limits.copies_in_flight = std::clamp(blocks - limits.extra_blocks, least, most);
  if (limits.copies_in_flight < most) limits.copies_limit = JobLimit::kBlockMemory;
  if (by_files < limits.copies_in_flight) limits.copies_limit = JobLimit::kOpenFiles;
  limits.copies_in_flight = std::clamp(by_files, 1, limits.copies_in_flight);
  limits.copies_in_flight_warm =
      tuning.queue_depth != 0
          ? limits.copies_in_flight
          : std::min(limits.copies_in_flight_warm, limits.copies_in_flight);
  limits.made_in_directory = std::max(kMadeInDirectory / workers, kMadeInDirectoryMin);
  return limits;
}

}  // namespace ringcp

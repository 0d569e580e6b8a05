// The limits of this program that can keep a job from being faster, as opposed to what it
// copies from and to.
//
// Thread-safety: plain values.

#ifndef RINGCP_CORE_BASE_JOB_LIMIT_H_
#define RINGCP_CORE_BASE_JOB_LIMIT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringcp {

enum class JobLimit : uint8_t {
  kQueueDepth,       // Files in flight.
  kBlockMemory,      // Files or blocks of files in flight, for which there is memory.
  kOpenFiles,        // Files or directories that may be open.
  kKernelWorkers,    // Ops of io_uring that wait.
  kHelperThreads,    // Tasks and system calls that wait.
  kDirectories,      // Directories that are read.
  kMadeInDirectory,  // Files that are made in one directory.
  kLanes,            // Blocks of one file.
  kAnswers,          // Questions that the user has not answered yet.
  kWorkers,          // Threads that copy.
};
inline constexpr size_t kJobLimits = 10;

// For a person, with the option that raises the limit, if there is one.
std::string_view LimitName(JobLimit limit);

}  // namespace ringcp

#endif  // RINGCP_CORE_BASE_JOB_LIMIT_H_

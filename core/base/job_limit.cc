#include "core/base/job_limit.h"

namespace ringcp {

std::string_view LimitName(JobLimit limit) {
  switch (limit) {
    case JobLimit::kQueueDepth:
      return "how many files may be in flight (--queue-depth)";
    case JobLimit::kBlockMemory:
      return "the memory for blocks (--block-size)";
    case JobLimit::kOpenFiles:
      return "how many files may be open (ulimit -n)";
    case JobLimit::kKernelWorkers:
      return "how many operations of io_uring may wait at a time";
    case JobLimit::kHelperThreads:
      return "how many helper threads there may be";
    case JobLimit::kDirectories:
      return "how many directories may be read at a time";
    case JobLimit::kMadeInDirectory:
      return "how many files may be made in one directory at a time";
    case JobLimit::kLanes:
      return "how many blocks of one file may be in flight (--block-size)";
    case JobLimit::kAnswers:
      return "the answers that are still missing (-i)";
    case JobLimit::kWorkers:
      return "how many threads copy (--workers)";
  }
  return "";
}

}  // namespace ringcp

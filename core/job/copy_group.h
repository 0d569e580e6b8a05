// The sources of a job that are copied at the same time, and what the workers that copy
// them share.
//
// Thread-safety: one thread makes and destroys the group. Any thread may call
// MakeWorker(), with a kernel of its own, and OneWorkerLess().

#ifndef RINGCP_CORE_JOB_COPY_GROUP_H_
#define RINGCP_CORE_JOB_COPY_GROUP_H_

#include <memory>
#include <vector>

#include "core/base/job_limit.h"
#include "core/file/shared_file.h"
#include "core/job/job_state.h"
#include "core/job/top_level.h"
#include "core/job/wait_control.h"
#include "core/job/worker.h"
#include "core/job/worker_limits.h"
#include "core/kernel/block_pool.h"
#include "core/kernel/kernel.h"
#include "core/tree/walk.h"

namespace ringcp {

// What has to be known of the directory that `top` copies into. REQUIRES: `job` outlives
// it.
std::unique_ptr<TargetDirectory> LookAtTarget(JobState* job, Kernel* kernel,
                                              const TopLevel& top);

class CopyGroup {
 public:
  // Kernel workers of all rings of a job: each is a thread of the system, with a stack of
  // 16 KiB, and a request that a server has to answer beside the others.
  static constexpr int kWaitsMax = 256;
  // From which time of a system call on small files are copied by chains, also from
  // memory.
  static constexpr absl::Duration kDearCall = absl::Nanoseconds(400);

  // For `workers` workers, of which at least one will be run to its end, and for at most
  // `directories_max` directories open at a time.
  // REQUIRES: `job` outlives the group, and so does `kernel`, which is the calling
  // thread's; what `target` has open stays open.
  CopyGroup(JobState* job, Kernel* kernel, const std::vector<TopLevelSource>& sources,
            std::unique_ptr<TargetDirectory> target, int workers, int directories_max);
  // REQUIRES: the workers are gone, or their rings have failed.
  ~CopyGroup();
  CopyGroup(const CopyGroup&) = delete;
  CopyGroup& operator=(const CopyGroup&) = delete;

  // Makes worker number `index`. `reads_many`: its kernel keeps many reads in flight.
  // REQUIRES: the same as Worker's constructor.
  std::unique_ptr<Worker> MakeWorker(int index, Kernel* kernel, bool reads_many,
                                     const WorkerLimits& limits, BlockPool* pool);

  // Notes that one worker fewer than announced will be made.
  void OneWorkerLess() { shared_files_.OneWorkerLess(); }

 private:
  JobState* const job_;
  Kernel* const kernel_;
  Walk walk_;
  SharedFiles shared_files_;
  WaitControl waits_;
  const JobLimit calls_limit_;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_COPY_GROUP_H_

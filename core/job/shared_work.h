// What the workers of a job share.
//
// Thread-safety: several threads may use all of it.

#ifndef RINGCP_CORE_JOB_SHARED_WORK_H_
#define RINGCP_CORE_JOB_SHARED_WORK_H_

#include <atomic>

#include "core/base/job_limit.h"
#include "core/file/calls_at_once.h"
#include "core/file/copy_policy.h"
#include "core/file/reporter.h"
#include "core/file/shared_file.h"
#include "core/file/target_claims.h"
#include "core/job/made_names.h"
#include "core/job/questions.h"
#include "core/job/wait_control.h"
#include "core/tree/link_table.h"
#include "core/tree/walk.h"

namespace ringcp {

struct SharedWork {
  FileCopyPolicy policy;
  Walk* walk = nullptr;
  LinkTable* links = nullptr;
  SharedFiles* shared_files = nullptr;
  TargetClaims* claims = nullptr;
  Reporter* reporter = nullptr;
  // Records which named sources were copied; nullptr if nobody asks.
  MadeNames* made_names = nullptr;
  WaitControl* waits = nullptr;
  Questions* questions = nullptr;  // nullptr: the user is not asked.
  const std::atomic<bool>* cancelled = nullptr;
  // Which calls are made at once for files that are in memory.
  CallsAtOnce warm_calls = CallsAtOnce::kAll;
  // What the limit on ops of io_uring that wait comes from.
  JobLimit calls_limit = JobLimit::kKernelWorkers;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_SHARED_WORK_H_

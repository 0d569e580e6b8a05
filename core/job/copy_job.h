// A copy job: one CopyRequest carried out from start to end. The command line runs one
// in its own process, the agent runs many; both get the same behaviour and messages.
//
//   CopyJob job(request, &observer);
//   JobResult result = job.Run();      // blocks; other threads may call the rest
//
// Thread-safety: one thread calls Run(), once. Any thread may call the other methods at
// any time, also before and after Run(). Cancel() is also async-signal-safe.

#ifndef RINGCP_CORE_JOB_COPY_JOB_H_
#define RINGCP_CORE_JOB_COPY_JOB_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "core/base/copy_options.h"
#include "core/base/engine_report.h"
#include "core/base/job_observer.h"
#include "core/file/target_claims.h"
#include "core/job/progress.h"

namespace ringcp {

struct JobResult {
  enum class Outcome { kSucceeded, kFailed, kCancelled };
  Outcome outcome = Outcome::kSucceeded;
  // Why the job failed as a whole, if it did; the message is a whole line, as GNU cp
  // prints it, without the program's name. OK if only single files failed, because each
  // of those failures went to the observer.
  absl::Status status;
};

// What a job may take of its process's resources.
struct JobResources {
  // Files that it may have open at a time; 0: as many as the process may, less what the
  // process needs for other things. With fewer than about 16, the job can only report
  // that there are too few.
  int files_max = 0;
  // Where its targets are claimed. Jobs that share this never write to one file at the
  // same time; nullptr: no other job shares it. It outlives the job.
  TargetClaims* claims = nullptr;
};

class CopyJob {
 public:
  // REQUIRES: `observer` outlives the job.
  CopyJob(CopyRequest request, JobObserver* observer, JobResources resources = {});
  ~CopyJob();
  CopyJob(const CopyJob&) = delete;
  CopyJob& operator=(const CopyJob&) = delete;

  // Copies. A file that fails never stops the others.
  JobResult Run();

  // Makes Run() return soon (well within a second if the devices answer), with no
  // half-written file left. Idempotent; has no effect once Run() has returned.
  void Cancel();

  // Where the job stands now.
  Progress progress() const;

  // What the engine has done so far. `engine` is empty until the engine is chosen.
  // Whether anything is dropped from the page cache is known once Run() has returned.
  EngineReport engine_report() const;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

// The engine that jobs with EngineChoice::kAuto get on this machine, "uring" or
// "threads", and why. Sets up a ring to find out, and closes it again.
EngineReport ProbeEngine();

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_COPY_JOB_H_

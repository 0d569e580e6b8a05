// A copy job: one CopyRequest carried out from start to end. The command line runs one
// in its own process, the agent runs many; both get the same behaviour and messages.
//
//   CopyJob job(request, &observer);
//   JobResult result = job.Run();      // blocks; another thread may call the others
//
// Thread-safety: Run() is called once, by one thread. The others may be called by any
// thread at any time, also before and after Run(); Cancel() is also async-signal-safe.

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
  // Why the job failed as a whole, if it did: the message is a whole line as GNU cp
  // prints it, without the program's name. OK when single files failed: each of those
  // went to the observer.
  absl::Status status;
};

// What a job may take of its process's.
struct JobResources {
  // Files that it may have open at a time; 0: as many as the process may, less what that
  // needs for other things. With fewer than some 16 it can do no more than say so.
  int files_max = 0;
  // Where its targets are claimed, so that jobs that share it never write to one file at
  // a time; nullptr: nobody else's. It outlives the job.
  TargetClaims* claims = nullptr;
};

class CopyJob {
 public:
  // REQUIRES: `observer` outlives the job.
  CopyJob(CopyRequest request, JobObserver* observer, JobResources resources = {});
  ~CopyJob();
  CopyJob(const CopyJob&) = delete;
  CopyJob& operator=(const CopyJob&) = delete;

  // Copies. One failing file never stops the others.
  JobResult Run();

  // Makes Run() return soon (well within a second while the devices answer), with no
  // half-written file left. Idempotent; without effect once Run() has returned.
  void Cancel();

  // Where the job stands now.
  Progress progress() const;

  // What the engine has done by now. Before it was chosen `engine` is empty; whether
  // anything is dropped from the page cache is known once Run() has returned.
  EngineReport engine_report() const;

 private:
  class Body;
  std::unique_ptr<Body> body_;
};

// The engine that jobs with EngineChoice::kAuto get here: "uring" or "threads", and why.
// Sets up a ring to find out, and gives it back.
EngineReport ProbeEngine();

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_COPY_JOB_H_

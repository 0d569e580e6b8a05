// A copy job: one CopyRequest carried out from start to end. The command line runs one
// in its own process, the agent runs many; both get the same behaviour and messages.
//
//   CopyJob job(request, &observer);
//   JobResult result = job.Run();      // blocks; another thread may call the others
//
// Thread-safety: Run() is called once, by one thread. The others may be called by any
// thread at any time, also before and after Run(); Cancel() is also async-signal-safe.

#ifndef RINGCP_CORE_COPY_JOB_H_
#define RINGCP_CORE_COPY_JOB_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "core/copy_options.h"
#include "core/job_observer.h"
#include "core/progress.h"

namespace ringcp {

// What the engine did, for --debug, the agent and benchmarks. What is done to
// directories, links, special files and streams is not counted: there are no ops for it.
struct EngineReport {
  // "uring" or "threads": what was there to copy with. What copied is told by the
  // counters.
  std::string engine;
  std::string reason;  // Why, in one sentence.
  int workers = 0;
  int64_t chains = 0;       // Of linked ops, handed to the ring together.
  int64_t sqes = 0;         // Ops queued to io_uring; 0 without it.
  int64_t linked = 0;       // Of the SQEs, those that are tied to the next one.
  int64_t ops_at_once = 0;  // Ops made by system calls.
  // Of these, those that io_uring could have made here: 0 with --engine=uring. Without
  // io_uring 0 as well.
  int64_t ops_at_once_with_opcode = 0;
  int64_t polled = 0;         // Of the SQEs, reads and writes that were to be polled.
  int64_t enters = 0;         // io_uring_enter calls; 0 without io_uring.
  int64_t files = 0;          // Files, links and special files made.
  int64_t short_reads = 0;    // Reads that returned less than asked and were continued.
  int64_t short_writes = 0;   // Writes likewise.
  int64_t retries = 0;        // EINTR and EAGAIN.
  int64_t files_at_once = 0;  // Files copied by calls at once, being in memory.
  int64_t files_direct = 0;   // Files copied with O_DIRECT.
  // With PageCache::kDrop and kBypass: sources, targets can't be read or written without
  // the page cache, and were dropped from it.
  bool drops_reads = false;
  bool drops_writes = false;
};

struct JobResult {
  enum class Outcome { kSucceeded, kFailed, kCancelled };
  Outcome outcome = Outcome::kSucceeded;
  // Why the job failed as a whole, if it did: the message is a whole line as GNU cp
  // prints it, without the program's name. OK when single files failed: each of those
  // went to the observer.
  absl::Status status;
};

class CopyJob {
 public:
  // REQUIRES: `observer` outlives the job.
  CopyJob(CopyRequest request, JobObserver* observer);
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

#endif  // RINGCP_CORE_COPY_JOB_H_

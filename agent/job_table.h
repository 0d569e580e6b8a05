// The agent's jobs: accepts them, runs them, and remembers how they ended. At most
// JobLimits::running_jobs_max jobs run at the same time, each on a thread of its own that
// runs a CopyJob. The others wait, and start in the order of submission; but a job whose
// target is another job's, or lies above or below it, waits until that job has ended
// (job_schedule.h). job_record.h draws a job's states. Ended jobs are remembered up to
// the limits; beyond these the job that ended first is forgotten.
//
// Thread-safety: any thread may call every member function; the destructor must come
// last.
//
// Locks, in the order they are taken: a WatchCall's, an entry's `sampling`, the locks
// inside a CopyJob,
// the table's `mutex_`, the hub's. Under `mutex_` the table calls nothing of a CopyJob
// but Cancel(), which takes no lock; otherwise a job's thread that reports an error could
// deadlock with the caller.

#ifndef RINGCP_AGENT_JOB_TABLE_H_
#define RINGCP_AGENT_JOB_TABLE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/job_limits.h"
#include "agent/job_schedule.h"
#include "agent/watch_hub.h"
#include "core/base/mutex.h"
#include "core/file/target_claims.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

class JobTable {
 public:
  struct Options {
    JobLimits limits;
    // Files that each running job may have open; see JobResources.
    int job_files_max = 0;
    // The process's umask, which the jobs use.
    mode_t umask = 022;
    // Gets one line, without a newline, when a job starts, when it ends, when it warns,
    // and when it has to wait for another job's target. Several threads may call it at
    // the same time. It may wait: only jobs do then. Optional.
    std::function<void(std::string_view line)> log;
  };

  struct Counts {
    int running = 0;
    int queued = 0;
  };

  class Watch;

  explicit JobTable(Options options);

  // Drains. REQUIRES: no Watch of this table is left.
  ~JobTable();

  JobTable(const JobTable&) = delete;
  JobTable& operator=(const JobTable&) = delete;

  // Accepts a job and returns it, which is QUEUED: it starts soon if there is room. If a
  // remembered job has the same `request_id` (empty: none), returns that job instead.
  // INVALID_ARGUMENT with field violations for a bad specification, a bad request_id, or
  // a request_id that came with another specification; RESOURCE_EXHAUSTED if the queue or
  // the memory is full; UNAVAILABLE once Drain() was called.
  absl::StatusOr<v1::Job> Submit(v1::JobSpec spec, std::string_view request_id);

  // The job as it is now. Here and below: NOT_FOUND for an unknown job, INVALID_ARGUMENT
  // for a name that can't be a job's.
  absl::StatusOr<v1::Job> Get(std::string_view name,
                              v1::JobView view = v1::JOB_VIEW_FULL);

  // One page of the jobs, newest first. Jobs that are submitted between two pages of one
  // listing are not listed; no other job is listed twice or left out.
  absl::StatusOr<v1::ListJobsResponse> List(const v1::ListJobsRequest& request);

  // One page of what a job could not copy, in the order it was found.
  absl::StatusOr<v1::ListJobErrorsResponse> ListErrors(
      const v1::ListJobErrorsRequest& request);

  // Ends a queued job, or asks a running one to stop; then returns the job.
  absl::StatusOr<v1::Job> Cancel(std::string_view name);

  // A reader of the job's changes, which gets the errors found after version
  // `since_version`, and of which each event has the job in `view`. INVALID_ARGUMENT
  // naming the field if that is negative, or unknown. REQUIRES: the table outlives the
  // Watch.
  absl::StatusOr<std::unique_ptr<Watch>> OpenWatch(std::string_view name,
                                                   int64_t since_version,
                                                   v1::JobView view = v1::JOB_VIEW_BASIC);

  Counts counts();

  // The counters of all jobs that were started, added up; see AgentInfo.engine_totals.
  v1::EngineReport EngineTotals();

  const JobLimits& limits() const { return options_.limits; }

  // Refuses new jobs, cancels all that haven't ended, and returns when they have ended.
  // Later calls wait in the same way.
  void Drain();

 private:
  struct Entry;
  using EntryPtr = std::shared_ptr<Entry>;

  // A job and its specification, which the job lacks until Whole(). Call Whole() without
  // a lock, because the specification may be large.
  struct Snapshot {
    v1::Job job;
    std::shared_ptr<const v1::JobSpec> spec;

    v1::Job Whole() &&;
  };

  absl::StatusOr<EntryPtr> Find(std::string_view name);
  Snapshot TakeSnapshot(Entry& entry, v1::JobView view = v1::JOB_VIEW_FULL)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Brings the counters of a running job up to date.
  void Sample(Entry& entry) ABSL_LOCKS_EXCLUDED(mutex_);

  // The same for a job by its number, if it is still remembered.
  void SampleJob(int64_t sequence) ABSL_LOCKS_EXCLUDED(mutex_);

  // Starts the jobs that may run; returns lines for the log.
  std::vector<std::string> StartJobs() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Does what follows the end of a job, whatever ended it.
  void NoteEnd(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Cancels a job that hasn't ended, giving `reason`.
  void CancelEntry(Entry& entry, std::string_view reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether `bytes` more can be remembered; forgets ended jobs to make room for them.
  bool MakeRoom(int64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The loop of the threads that run jobs, one after another, until the table ends. They
  // also look at the targets of jobs that may be next.
  void RunJobs() ABSL_LOCKS_EXCLUDED(mutex_);
  // What a thread has to do next.
  struct Work {
    EntryPtr to_run;
    EntryPtr to_look_at;
    std::vector<std::string> log_lines;
  };
  // Returns nothing when the table ends.
  std::optional<Work> TakeWork() ABSL_LOCKS_EXCLUDED(mutex_);
  void LookAtTargetOf(const Entry& entry) ABSL_LOCKS_EXCLUDED(mutex_);
  void RunJob(const EntryPtr& entry) ABSL_LOCKS_EXCLUDED(mutex_);

  void Log(std::string_view line) const;

  const Options options_;
  // Tells this run of the agent from other runs, for page tokens.
  const std::string instance_;
  // Shared by all jobs, because two of them may reach the same file through links below
  // their targets.
  TargetClaims claims_;

  Mutex mutex_;
  // Signalled when a running job has ended.
  CondVar job_ended_;
  // Signalled when there may be something for TakeWork().
  CondVar work_available_;

  // In the order of submission.
  std::map<int64_t, EntryPtr> entries_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, EntryPtr, std::less<>> by_name_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, EntryPtr, std::less<>> by_request_id_ ABSL_GUARDED_BY(mutex_);
  int64_t last_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  // The QUEUED and RUNNING jobs, by their sequence.
  JobSchedule schedule_ ABSL_GUARDED_BY(mutex_);
  // RUNNING jobs that no thread has taken yet.
  std::deque<EntryPtr> started_ ABSL_GUARDED_BY(mutex_);
  // Ended jobs, in the order they ended.
  std::deque<EntryPtr> ended_ ABSL_GUARDED_BY(mutex_);
  // For the log, which the threads that run jobs write to.
  std::vector<std::string> log_lines_ ABSL_GUARDED_BY(mutex_);
  v1::EngineReport engine_totals_ ABSL_GUARDED_BY(mutex_);  // Of jobs that have ended.
  int64_t remembered_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  WatchHub hub_{[this](int64_t sequence) { SampleJob(sequence); }};

  // One per job that may run at the same time; idle threads cost only address space.
  std::vector<std::thread> threads_;
};

// One reader's place in the course of a job.
//
// Thread-safety: one thread at a time.
class JobTable::Watch {
 public:
  // The most errors in one event, and the most bytes of these: even with the largest
  // specification an event stays below the 4 MiB that gRPC's clients accept.
  static constexpr size_t kEventErrorsMax = 1000;
  static constexpr size_t kEventErrorBytesMax = 256 * 1024;

  ~Watch();

  // Lets `watcher` know when Next() may have something new. REQUIRES: not called before.
  void Tell(std::weak_ptr<Watcher> watcher);

  // What is new since the last event, or nothing if nothing is. The first call returns
  // the present state. Together, the events hold all errors that were kept, in order and
  // without gaps, except that the final event leaves out the last ones if they don't fit.
  std::optional<v1::JobEvent> Next();

  // The approximate size of the largest event.
  size_t event_bytes_max() const;

  // Whether the last event had no room for all errors that there were.
  bool has_more_errors() const { return has_more_errors_; }

  // Whether the last event's state is final.
  bool ended() const { return ended_; }

 private:
  friend class JobTable;

  Watch(JobTable* table, EntryPtr entry, v1::JobView view)
      : table_(table), entry_(std::move(entry)), view_(view) {}

  JobTable* const table_;
  const EntryPtr entry_;
  const v1::JobView view_;
  std::optional<int64_t> told_as_;  // The watcher's number at the hub.
  // As of the last event.
  int64_t version_ = 0;
  size_t errors_sent_ = 0;
  bool has_more_errors_ = false;
  bool ended_ = false;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_JOB_TABLE_H_

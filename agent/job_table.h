// The agent's jobs: accepts them, runs them, keeps what became of them. At most
// JobLimits::running_jobs_max run at a time, each on a thread of its own that runs a
// CopyJob; the others wait and are started in the order they came, but for those whose
// targets are another job's, or above or below them: these wait for the other one to end
// (job_schedule.h). JobRecord draws a job's states. Ended jobs are remembered up to
// limits, then the one that ended first is forgotten.
//
// Thread-safety: every member function may be called by any thread, except that the
// destructor comes last.
//
// Locks, in the order they are taken: an entry's `sampling`, whatever a CopyJob locks
// inside, the table's `mutex_`. Under `mutex_` nothing of a CopyJob is called but
// Cancel(), which takes no lock, so that a job's thread that reports an error never waits
// for somebody who waits for it.

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
    // The process's umask, for the jobs.
    mode_t umask = 022;
    // Hears one line when a job starts, one when it ends, and one when it has to wait for
    // another one's target, without an end of line. May be called by several threads at
    // the same time, never under a lock. Optional.
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

  // Takes a job and returns it: RUNNING when there is room, else QUEUED; so as well when
  // its target's file system does not answer within JobSchedule::kLookPatience. With the
  // `request_id` (may be empty: none) of a job that is still remembered it returns that
  // one instead. INVALID_ARGUMENT with field violations for a bad specification, a bad
  // request_id or one that came with another specification; RESOURCE_EXHAUSTED when the
  // queue or the memory is full; UNAVAILABLE once Drain() was called.
  absl::StatusOr<v1::Job> Submit(v1::JobSpec spec, std::string_view request_id);

  // The job as it is now. Here and below NOT_FOUND for an unknown job, INVALID_ARGUMENT
  // for what is no job's name.
  absl::StatusOr<v1::Job> Get(std::string_view name);

  // One page of the jobs, newest first. Jobs that come while somebody turns the pages
  // are not among them; none is listed twice or left out.
  absl::StatusOr<v1::ListJobsResponse> List(const v1::ListJobsRequest& request);

  // One page of what a job could not copy, in the order it was found.
  absl::StatusOr<v1::ListJobErrorsResponse> ListErrors(
      const v1::ListJobErrorsRequest& request);

  // Ends a queued job at once and asks a running one to stop; then it returns the job.
  absl::StatusOr<v1::Job> Cancel(std::string_view name);

  // A reader of the job's changes. Of the errors it gets those that came after version
  // `since_version`. INVALID_ARGUMENT naming the field when that is negative.
  // REQUIRES: the table outlives it.
  absl::StatusOr<std::unique_ptr<Watch>> OpenWatch(std::string_view name,
                                                   int64_t since_version);

  Counts counts();

  // The counters of all jobs that were started, added up; see AgentInfo.engine_totals.
  v1::EngineReport EngineTotals();

  const JobLimits& limits() const { return options_.limits; }

  // Refuses new jobs, cancels all that haven't ended, and returns when they have. Later
  // calls wait likewise.
  void Drain();

 private:
  struct Entry;
  using EntryPtr = std::shared_ptr<Entry>;

  // A job and the specification that its snapshot lacks; whole once no lock is held.
  struct Snapshot {
    v1::Job job;
    std::shared_ptr<const v1::JobSpec> spec;

    v1::Job Whole() &&;
  };

  absl::StatusOr<EntryPtr> Find(std::string_view name);
  Snapshot TakeSnapshot(Entry& entry) ABSL_LOCKS_EXCLUDED(mutex_);

  // Brings the counters of a running job up to date.
  void Sample(Entry& entry) ABSL_LOCKS_EXCLUDED(mutex_);

  // Starts the jobs that may run; returns lines for the log.
  std::vector<std::string> StartJobs() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What follows the end of a job, whatever ended it.
  void NoteEnd(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Cancels a job that hasn't ended, giving `reason`.
  void CancelEntry(Entry& entry, std::string_view reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ForgetOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether `bytes` more can be remembered; forgets ended jobs for them.
  bool MakeRoom(int64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // The threads that run jobs: one job after another, until the table ends. They also
  // look at the targets of those that may be next.
  void RunJobs() ABSL_LOCKS_EXCLUDED(mutex_);
  // What a thread is to do next.
  struct Work {
    EntryPtr to_run;
    EntryPtr to_look_at;
    std::vector<std::string> log_lines;
  };
  // Nothing at the end.
  std::optional<Work> TakeWork() ABSL_LOCKS_EXCLUDED(mutex_);
  void LookAtTargetOf(const Entry& entry) ABSL_LOCKS_EXCLUDED(mutex_);
  void RunJob(const EntryPtr& entry) ABSL_LOCKS_EXCLUDED(mutex_);

  void Log(std::string_view line) const;

  const Options options_;
  // Tells this run of the agent from others, for page tokens.
  const std::string instance_;
  // Of all jobs: two may come to one file through links below their targets.
  TargetClaims claims_;

  Mutex mutex_;
  // A job changed its state.
  CondVar state_changed_;
  // There may be something for TakeWork().
  CondVar work_available_;

  // By the order of submission.
  std::map<int64_t, EntryPtr> entries_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, EntryPtr, std::less<>> by_name_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, EntryPtr, std::less<>> by_request_id_ ABSL_GUARDED_BY(mutex_);
  int64_t last_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  // QUEUED and RUNNING jobs, by their sequence.
  JobSchedule schedule_ ABSL_GUARDED_BY(mutex_);
  // RUNNING jobs that no thread has taken yet.
  std::deque<EntryPtr> started_ ABSL_GUARDED_BY(mutex_);
  // Ended jobs, the one that ended first first.
  std::deque<EntryPtr> ended_ ABSL_GUARDED_BY(mutex_);
  v1::EngineReport engine_totals_ ABSL_GUARDED_BY(mutex_);  // Of jobs that have ended.
  int64_t remembered_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // One per job that may run; idle ones cost nothing but an address range.
  std::vector<std::thread> threads_;
};

// One reader's place in the life of a job.
//
// Thread-safety: one thread at a time.
class JobTable::Watch {
 public:
  // Errors in one event, and their bytes: with the largest specification an event stays
  // below the 4 MiB that gRPC's clients accept.
  static constexpr size_t kEventErrorsMax = 1000;
  static constexpr size_t kEventErrorBytesMax = 512 * 1024;

  // Waits until the job's state differs from the last event's, or `until` has come. Then
  // returns what is new since the last event; nothing when nothing is. The first call
  // returns the present state at once. The errors of all events together are the errors
  // that were kept, in order, without gaps; the final event may leave out the last ones
  // when there are more than an event holds.
  std::optional<v1::JobEvent> Next(SteadyTime until);

  // Whether the last event's state is final.
  bool ended() const { return ended_; }

 private:
  friend class JobTable;

  Watch(JobTable* table, EntryPtr entry) : table_(table), entry_(std::move(entry)) {}

  JobTable* const table_;
  const EntryPtr entry_;
  // As of the last event.
  v1::Job::State state_ = v1::Job::STATE_UNSPECIFIED;
  int64_t version_ = 0;
  size_t errors_sent_ = 0;
  bool ended_ = false;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_JOB_TABLE_H_

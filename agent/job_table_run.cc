// The part of JobTable that starts jobs, runs them, and notes how they ended.

#include <chrono>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "agent/job_table.h"
#include "agent/job_table_entry.h"
#include "agent/target_footprint.h"
#include "agent/target_look.h"
#include "core/base/check.h"
#include "core/base/file_error.h"
#include "core/job/copy_job.h"
#include "proto/job_conversion.h"
#include "proto/job_spec.h"

namespace ringcp {
namespace {

// OK, or an error naming one of the job's paths that leads to something that is different
// in each process.
absl::Status RefusePathsOfThisProcess(const CopyRequest& request) {
  const absl::StatusOr<std::string> path = PathToOwnOfProcess(request);
  if (!path.ok() || path->empty()) return path.status();
  return absl::InvalidArgumentError(
      absl::StrCat(Quote(*path),
                   " leads to what is the agent's own there (such as its "
                   "/dev/stdin); copy it without an agent"));
}

v1::Job::State FinalState(JobResult::Outcome outcome) {
  switch (outcome) {
    case JobResult::Outcome::kSucceeded:
      return v1::Job::SUCCEEDED;
    case JobResult::Outcome::kFailed:
      return v1::Job::FAILED;
    case JobResult::Outcome::kCancelled:
      break;
  }
  return v1::Job::CANCELLED;
}

absl::Time ToTime(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

}  // namespace

std::string EndLine(const v1::Job& job) {
  const std::string outcome = absl::AsciiStrToLower(v1::Job::State_Name(job.state()));
  if (!job.has_start_time()) {
    return absl::StrCat(job.name(), " ", outcome, " before it started");
  }
  const absl::Duration run_time = ToTime(job.end_time()) - ToTime(job.start_time());
  std::string line =
      absl::StrFormat("%s %s: %d files, %d bytes, %.3f s", job.name(), outcome,
                      job.progress().files_done(), job.progress().bytes_done(),
                      absl::ToDoubleSeconds(run_time));
  if (job.progress().files_failed() > 0) {
    absl::StrAppend(&line, ", ", job.progress().files_failed(), " failed");
  }
  if (!job.error().empty()) absl::StrAppend(&line, ": ", job.error());
  return line;
}

std::vector<std::string> JobTable::StartJobs() {
  std::vector<std::string> lines;
  const JobSchedule::Decisions decisions =
      schedule_.Start(std::chrono::steady_clock::now());
  for (const int64_t sequence : decisions.started) {
    const EntryPtr& entry = entries_.at(sequence);
    entry->record.Start(absl::Now());
    started_.push_back(entry);
    hub_.NoteChange(sequence);
  }
  for (const auto& [sequence, other] : decisions.waits) {
    Entry& entry = *entries_.at(sequence);
    if (std::exchange(entry.wait_is_logged, true)) continue;
    lines.push_back(absl::StrCat(entry.name, " waits for ", entries_.at(other)->name,
                                 ", which copies to the same place"));
  }
  if (!decisions.started.empty()) work_available_.NotifyAll();
  return lines;
}

void JobTable::RunJobs() {
  while (std::optional<Work> work = TakeWork()) {
    for (const std::string& line : work->log_lines) Log(line);
    if (work->to_look_at != nullptr) LookAtTargetOf(*work->to_look_at);
    if (work->to_run != nullptr) RunJob(work->to_run);
  }
}

std::optional<JobTable::Work> JobTable::TakeWork() {
  Work work;
  MutexLock lock(&mutex_);
  while (true) {
    work.log_lines = std::exchange(log_lines_, {});
    for (std::string& line : StartJobs()) work.log_lines.push_back(std::move(line));
    if (!started_.empty()) {
      work.to_run = std::move(started_.front());
      started_.pop_front();
      return work;
    }
    const SteadyTime now = std::chrono::steady_clock::now();
    if (const std::optional<int64_t> job = schedule_.TakeToLookAt(now)) {
      work.to_look_at = entries_.at(*job);
      // Another thread may look at the next job in the meantime.
      work_available_.NotifyOne();
      return work;
    }
    if (!work.log_lines.empty()) return work;
    if (stopping_) return std::nullopt;
    if (const std::optional<SteadyTime> until = schedule_.PatienceEnds(now)) {
      work_available_.WaitUntil(&mutex_, *until);
    } else {
      work_available_.Wait(&mutex_);
    }
  }
}

void JobTable::LookAtTargetOf(const Entry& entry) {
  // The job was accepted, so its specification is valid.
  const absl::StatusOr<CopyRequest> request =
      CopyRequestFromSpec(*entry.record.spec(), options_.umask);
  RINGCP_CHECK(request.ok());
  TargetFootprint footprint = LookAtTarget(*request);
  MutexLock lock(&mutex_);
  schedule_.Looked(entry.sequence, std::move(footprint));
}

void JobTable::RunJob(const EntryPtr& entry) {
  // The job was accepted, so its specification is valid.
  absl::StatusOr<CopyRequest> request =
      CopyRequestFromSpec(*entry->record.spec(), options_.umask);
  RINGCP_CHECK(request.ok());
  Log(absl::StrCat(entry->name, " started"));
  // Checked only now, not at submission, because a file system may not answer.
  const absl::Status allowed = RefusePathsOfThisProcess(*request);
  const auto copy_job = std::make_shared<CopyJob>(
      *std::move(request), entry.get(),
      JobResources{.files_max = options_.job_files_max, .claims = &claims_});
  {
    MutexLock lock(&mutex_);
    entry->copy_job = copy_job;
    if (!entry->cancel_reason.empty()) copy_job->Cancel();
  }
  const JobResult result =
      allowed.ok() ? copy_job->Run()
                   : JobResult{.outcome = JobResult::Outcome::kFailed, .status = allowed};

  v1::Job job;
  {
    MutexLock sampling(&entry->sampling);
    const v1::Progress progress = ProgressOf(*copy_job);
    const v1::Job::State state = FinalState(result.outcome);
    MutexLock lock(&mutex_);
    std::string reason(result.status.message());
    if (state == v1::Job::CANCELLED && !entry->cancel_reason.empty()) {
      reason = entry->cancel_reason;
    }
    entry->record.UpdateProgress(progress);
    AddCounters(progress.engine(), &engine_totals_);
    entry->record.End(state, std::move(reason), absl::Now());
    entry->copy_job.reset();
    job = entry->record.snapshot();
    schedule_.End(entry->sequence);
    NoteEnd(*entry);
  }
  Log(EndLine(job));
}

}  // namespace ringcp

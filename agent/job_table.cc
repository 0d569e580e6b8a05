#include "agent/job_table.h"

#include <chrono>
#include <random>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "agent/job_filter.h"
#include "agent/job_name.h"
#include "agent/job_record.h"
#include "agent/page_token.h"
#include "agent/target_footprint.h"
#include "agent/target_look.h"
#include "core/base/check.h"
#include "core/base/file_error.h"
#include "core/job/copy_job.h"
#include "google/protobuf/util/message_differencer.h"
#include "proto/field_violations.h"
#include "proto/job_conversion.h"
#include "proto/job_spec.h"

namespace ringcp {
namespace {

// The most warnings of one job that are logged, because the log is for the operator of
// many jobs.
constexpr int kWarningsLoggedMax = 10;

// One in so many of the errors that are kept of a job may be a warning, so that warnings
// leave room for what was not copied.
constexpr int kErrorsPerWarning = 10;

std::string NewInstance() {
  std::random_device random;
  return absl::StrCat(random(), "-", random());
}

v1::Progress ProgressOf(const CopyJob& job) {
  return ProgressToApi(job.progress(), job.engine_report());
}

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

// `view`, or `otherwise` if it is not specified. INVALID_ARGUMENT if it is unknown.
absl::StatusOr<v1::JobView> ChooseView(v1::JobView view, v1::JobView otherwise) {
  switch (view) {
    case v1::JOB_VIEW_UNSPECIFIED:
      return otherwise;
    case v1::JOB_VIEW_BASIC:
    case v1::JOB_VIEW_FULL:
      return view;
    default:
      return FieldViolation("view", "must be a value that this version knows");
  }
}

const std::shared_ptr<const v1::JobSpec>& SpecOf(const JobRecord& record,
                                                 v1::JobView view) {
  return view == v1::JOB_VIEW_BASIC ? record.basic_spec() : record.spec();
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

// The log's line for a job that has ended.
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

}  // namespace

// A job in the table. It is also the observer of its CopyJob.
struct JobTable::Entry final : public JobObserver {
  Entry(JobTable* owner, int64_t number, std::string id, JobRecord first_record)
      : table(owner),
        sequence(number),
        request_id(std::move(id)),
        record(std::move(first_record)) {}

  void OnError(const FileError& error) override { Note(FileErrorToApi(error)); }

  void OnWarning(std::string_view message) override {
    // JobObserver's calls come one at a time.
    if (++warnings <= table->limits().errors_per_job_max / kErrorsPerWarning) {
      Note(WarningToApi(message));
    }
    if (warnings > kWarningsLoggedMax) return;
    // Some say themselves that they are warnings, as GNU cp's do.
    const bool says_so = message.starts_with("warning: ");
    table->Log(absl::StrCat(name, says_so ? ": " : ": warning: ", std::string(message)));
  }

  // Keeps an error or a warning, if there is room for it.
  void Note(v1::FileError error) {
    MutexLock lock(&table->mutex_);
    const int64_t bytes = JobRecord::ErrorBytes(error);
    const auto errors_max = static_cast<size_t>(table->limits().errors_per_job_max);
    const bool keep = record.errors_size() < errors_max && table->MakeRoom(bytes);
    record.AddError(std::move(error), keep);
    if (keep) table->remembered_bytes_ += bytes;
  }

  JobTable* const table;
  // The order of submission, from 1.
  const int64_t sequence;
  const std::string request_id;
  int warnings = 0;

  // Held from reading the CopyJob's counters until the record has them, so that an older
  // snapshot never replaces a newer one.
  Mutex sampling;

  // The table's mutex_ guards the members below, but for the record's name and
  // specification, which never change.
  JobRecord record;
  const std::string name = record.name();
  // Set while the job runs.
  std::shared_ptr<CopyJob> copy_job;
  // Why the job was asked to stop; empty if it was not.
  std::string cancel_reason;
  // Whether the log says that this job waits for another one.
  bool wait_is_logged = false;
};

JobTable::JobTable(Options options)
    : options_(std::move(options)),
      instance_(NewInstance()),
      schedule_(limits().running_jobs_max) {
  RINGCP_CHECK(limits().queued_jobs_max >= 1);
  threads_.reserve(limits().running_jobs_max);
  for (int i = 0; i < limits().running_jobs_max; ++i) {
    threads_.emplace_back([this] { RunJobs(); });
  }
}

JobTable::~JobTable() {
  Drain();
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    work_available_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

absl::StatusOr<v1::Job> JobTable::Submit(v1::JobSpec spec, std::string_view request_id) {
  absl::Status status = ValidateRequestId(request_id);
  if (status.ok()) status = ValidateJobSpec(spec);
  if (!status.ok()) return status;
  const auto shared_spec = std::make_shared<const v1::JobSpec>(std::move(spec));

  EntryPtr known;
  Snapshot snapshot;
  {
    MutexLock lock(&mutex_);
    const auto found =
        request_id.empty() ? by_request_id_.end() : by_request_id_.find(request_id);
    if (found != by_request_id_.end()) {
      known = found->second;
    } else {
      if (draining_) return absl::UnavailableError("the agent is shutting down");
      if (schedule_.waiting() >= static_cast<size_t>(limits().queued_jobs_max)) {
        return absl::ResourceExhaustedError(absl::StrCat(
            "the queue is full: ", schedule_.waiting(), " jobs are waiting"));
      }
      const absl::Time now = absl::Now();
      std::string name = NewJobName(now);
      while (by_name_.count(name) > 0) name = NewJobName(now);
      const auto entry =
          std::make_shared<Entry>(this, last_sequence_ + 1, std::string(request_id),
                                  JobRecord(std::move(name), shared_spec, now));
      if (!MakeRoom(entry->record.bytes())) {
        return absl::ResourceExhaustedError(
            absl::StrCat("the jobs that have not ended take up all of the agent's ",
                         limits().remembered_bytes_max, " bytes"));
      }
      ++last_sequence_;
      remembered_bytes_ += entry->record.bytes();
      entries_.emplace(entry->sequence, entry);
      by_name_.emplace(entry->name, entry);
      if (!request_id.empty()) by_request_id_.emplace(request_id, entry);
      schedule_.Add(entry->sequence);
      work_available_.NotifyOne();
      snapshot = {entry->record.snapshot(), shared_spec};
    }
  }
  if (known == nullptr) return std::move(snapshot).Whole();
  if (!google::protobuf::util::MessageDifferencer::Equals(*shared_spec,
                                                          *known->record.spec())) {
    return FieldViolation(
        "request_id", absl::StrCat("must not be that of another specification's job (",
                                   known->name, ")"));
  }
  return TakeSnapshot(*known).Whole();
}

absl::StatusOr<v1::Job> JobTable::Get(std::string_view name, v1::JobView view) {
  const absl::StatusOr<v1::JobView> chosen = ChooseView(view, v1::JOB_VIEW_FULL);
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<EntryPtr> entry = Find(name);
  if (!entry.ok()) return entry.status();
  return TakeSnapshot(**entry, *chosen).Whole();
}

absl::StatusOr<v1::ListJobsResponse> JobTable::List(const v1::ListJobsRequest& request) {
  const absl::StatusOr<int> page_size = PageSize(request.page_size());
  if (!page_size.ok()) return page_size.status();
  const absl::StatusOr<JobFilter> filter = JobFilter::Parse(request.filter());
  if (!filter.ok()) return filter.status();
  const absl::StatusOr<v1::JobView> view = ChooseView(request.view(), v1::JOB_VIEW_BASIC);
  if (!view.ok()) return view.status();
  const PageTokens tokens(absl::StrCat(instance_, "|jobs|", request.filter()));
  const absl::StatusOr<std::optional<int64_t>> last = tokens.Decode(request.page_token());
  if (!last.ok()) return last.status();

  std::vector<EntryPtr> running;
  {
    MutexLock lock(&mutex_);
    for (const auto& [sequence, entry] : entries_) {
      if (entry->record.state() == v1::Job::RUNNING) running.push_back(entry);
    }
  }
  for (const EntryPtr& entry : running) Sample(*entry);

  std::vector<Snapshot> page;
  int64_t last_listed = 0;
  bool more = false;
  {
    MutexLock lock(&mutex_);
    size_t page_bytes = 0;
    auto next = last->has_value() ? entries_.lower_bound(**last) : entries_.end();
    while (next != entries_.begin()) {
      --next;
      const Entry& entry = *next->second;
      if (!filter->Matches(entry.record.state(), *entry.record.spec())) continue;
      const auto& spec = SpecOf(entry.record, *view);
      page_bytes += entry.record.snapshot().ByteSizeLong() + spec->ByteSizeLong();
      if (!page.empty() && (page.size() == static_cast<size_t>(*page_size) ||
                            page_bytes > kPageBytesMax)) {
        more = true;
        break;
      }
      page.push_back({entry.record.snapshot(), spec});
      last_listed = entry.sequence;
    }
  }
  v1::ListJobsResponse response;
  for (Snapshot& snapshot : page) *response.add_jobs() = std::move(snapshot).Whole();
  if (more) response.set_next_page_token(tokens.Encode(last_listed));
  return response;
}

absl::StatusOr<v1::ListJobErrorsResponse> JobTable::ListErrors(
    const v1::ListJobErrorsRequest& request) {
  absl::StatusOr<EntryPtr> entry = Find(request.name());
  if (!entry.ok()) return entry.status();
  const absl::StatusOr<int> page_size = PageSize(request.page_size());
  if (!page_size.ok()) return page_size.status();
  const PageTokens tokens(absl::StrCat(instance_, "|errors|", request.name()));
  const absl::StatusOr<std::optional<int64_t>> first =
      tokens.Decode(request.page_token());
  if (!first.ok()) return first.status();

  v1::ListJobErrorsResponse response;
  MutexLock lock(&mutex_);
  const JobRecord& record = (*entry)->record;
  size_t page_bytes = 0;
  for (auto i = static_cast<size_t>(first->value_or(0)); i < record.errors_size(); ++i) {
    page_bytes += record.error(i).ByteSizeLong();
    if (response.errors_size() > 0 &&
        (response.errors_size() == *page_size || page_bytes > kPageBytesMax)) {
      response.set_next_page_token(tokens.Encode(static_cast<int64_t>(i)));
      break;
    }
    *response.add_errors() = record.error(i);
  }
  return response;
}

absl::StatusOr<v1::Job> JobTable::Cancel(std::string_view name) {
  absl::StatusOr<EntryPtr> entry = Find(name);
  if (!entry.ok()) return entry.status();
  bool ended_here = false;
  {
    MutexLock lock(&mutex_);
    if (!(*entry)->record.ended()) {
      CancelEntry(**entry, "CancelJob was called");
      ended_here = (*entry)->record.ended();
    }
  }
  Snapshot snapshot = TakeSnapshot(**entry);
  if (ended_here) Log(EndLine(snapshot.job));
  return std::move(snapshot).Whole();
}

absl::StatusOr<std::unique_ptr<JobTable::Watch>> JobTable::OpenWatch(
    std::string_view name, int64_t since_version, v1::JobView view) {
  if (since_version < 0) return FieldViolation("since_version", "must not be negative");
  const absl::StatusOr<v1::JobView> chosen = ChooseView(view, v1::JOB_VIEW_BASIC);
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<EntryPtr> entry = Find(name);
  if (!entry.ok()) return entry.status();
  auto watch = std::unique_ptr<Watch>(new Watch(this, *entry, *chosen));
  MutexLock lock(&mutex_);
  watch->errors_sent_ = (*entry)->record.ErrorsUpTo(since_version);
  return watch;
}

JobTable::Counts JobTable::counts() {
  MutexLock lock(&mutex_);
  return {.running = schedule_.running(),
          .queued = static_cast<int>(schedule_.waiting())};
}

v1::EngineReport JobTable::EngineTotals() {
  v1::EngineReport totals;
  std::vector<std::shared_ptr<CopyJob>> running;
  {
    MutexLock lock(&mutex_);
    totals = engine_totals_;
    for (const auto& [sequence, entry] : entries_) {
      if (entry->copy_job != nullptr) running.push_back(entry->copy_job);
    }
  }
  for (const auto& copy_job : running) {
    AddCounters(EngineReportToApi(copy_job->engine_report()), &totals);
  }
  return totals;
}

void JobTable::Drain() {
  std::vector<std::string> lines;
  {
    MutexLock lock(&mutex_);
    draining_ = true;
    // A copy of the map, because a job that ends may push an older one out.
    for (const auto& [sequence, entry] : std::map(entries_)) {
      if (entry->record.ended()) continue;
      CancelEntry(*entry, "the agent was shut down");
      if (entry->record.ended()) lines.push_back(EndLine(entry->record.snapshot()));
    }
  }
  for (const std::string& line : lines) Log(line);
  MutexLock lock(&mutex_);
  while (schedule_.running() > 0) job_ended_.Wait(&mutex_);
}

v1::Job JobTable::Snapshot::Whole() && {
  *job.mutable_spec() = *spec;
  return std::move(job);
}

absl::StatusOr<JobTable::EntryPtr> JobTable::Find(std::string_view name) {
  absl::Status status = ValidateJobName(name);
  if (!status.ok()) return status;
  MutexLock lock(&mutex_);
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return found->second;
  return absl::NotFoundError(absl::StrCat(
      "there is no job ", absl::CHexEscape(std::string(name.substr(0, 64)))));
}

JobTable::Snapshot JobTable::TakeSnapshot(Entry& entry, v1::JobView view) {
  Sample(entry);
  MutexLock lock(&mutex_);
  return {entry.record.snapshot(), SpecOf(entry.record, view)};
}

void JobTable::Sample(Entry& entry) {
  MutexLock sampling(&entry.sampling);
  std::shared_ptr<CopyJob> copy_job;
  {
    MutexLock lock(&mutex_);
    copy_job = entry.copy_job;
  }
  if (copy_job == nullptr) return;
  const v1::Progress progress = ProgressOf(*copy_job);
  MutexLock lock(&mutex_);
  // The job is still running, because its end is noted under `sampling`.
  entry.record.UpdateProgress(progress);
}

void JobTable::SampleJob(int64_t sequence) {
  EntryPtr entry;
  {
    MutexLock lock(&mutex_);
    const auto found = entries_.find(sequence);
    if (found == entries_.end()) return;
    entry = found->second;
  }
  Sample(*entry);
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

void JobTable::NoteEnd(Entry& entry) {
  ended_.push_back(entries_.at(entry.sequence));
  while (ended_.size() > static_cast<size_t>(limits().finished_jobs_max)) ForgetOldest();
  job_ended_.NotifyAll();
  hub_.NoteChange(entry.sequence);
}

void JobTable::CancelEntry(Entry& entry, std::string_view reason) {
  if (entry.cancel_reason.empty()) entry.cancel_reason = std::string(reason);
  if (entry.record.state() == v1::Job::RUNNING) {
    // If there is no CopyJob yet, RunJob() cancels it as soon as there is one.
    if (entry.copy_job != nullptr) entry.copy_job->Cancel();
    return;
  }
  schedule_.Remove(entry.sequence);
  // Other jobs may have waited for this one.
  work_available_.NotifyOne();
  entry.record.End(v1::Job::CANCELLED, entry.cancel_reason, absl::Now());
  NoteEnd(entry);
}

void JobTable::ForgetOldest() {
  const EntryPtr entry = std::move(ended_.front());
  ended_.pop_front();
  remembered_bytes_ -= entry->record.bytes();
  entries_.erase(entry->sequence);
  by_name_.erase(entry->name);
  if (!entry->request_id.empty()) by_request_id_.erase(entry->request_id);
}

bool JobTable::MakeRoom(int64_t bytes) {
  const int64_t room_for = limits().remembered_bytes_max - bytes;
  while (remembered_bytes_ > room_for && !ended_.empty()) ForgetOldest();
  return remembered_bytes_ <= room_for;
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
    work.log_lines = StartJobs();
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

void JobTable::Log(std::string_view line) const {
  if (options_.log) options_.log(line);
}

JobTable::Watch::~Watch() {
  if (told_as_.has_value()) table_->hub_.Remove(entry_->sequence, *told_as_);
}

void JobTable::Watch::Tell(std::weak_ptr<Watcher> watcher) {
  RINGCP_CHECK(!told_as_.has_value());
  told_as_ = table_->hub_.Add(entry_->sequence, std::move(watcher));
}

std::optional<v1::JobEvent> JobTable::Watch::Next() {
  // Later the hub sees to it that the counters are up to date.
  if (version_ == 0) table_->Sample(*entry_);

  v1::JobEvent event;
  Snapshot snapshot;
  {
    MutexLock lock(&table_->mutex_);
    const JobRecord& record = entry_->record;
    if (record.version() == version_ && errors_sent_ == record.errors_size()) {
      return std::nullopt;
    }
    snapshot = {record.snapshot(), SpecOf(record, view_)};
    size_t error_bytes = 0;
    for (; errors_sent_ < record.errors_size(); ++errors_sent_) {
      const v1::FileError& error = record.error(errors_sent_);
      error_bytes += error.ByteSizeLong();
      const auto errors = static_cast<size_t>(event.errors_size());
      if (errors > 0 &&
          (errors == kEventErrorsMax || error_bytes > kEventErrorBytesMax)) {
        break;
      }
      *event.add_errors() = error;
    }
    version_ = record.version();
    ended_ = record.ended();
  }
  *event.mutable_job() = std::move(snapshot).Whole();
  return event;
}

}  // namespace ringcp

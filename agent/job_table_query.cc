// The part of JobTable that tells of jobs.

#include <chrono>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/job_filter.h"
#include "agent/job_table.h"
#include "agent/job_table_entry.h"
#include "agent/page_token.h"
#include "core/base/check.h"
#include "proto/field_violations.h"
#include "proto/job_conversion.h"

namespace ringcp {
namespace {

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

}  // namespace

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

v1::Job JobTable::Snapshot::Whole() && {
  *job.mutable_spec() = *spec;
  return std::move(job);
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

JobTable::Watch::~Watch() {
  if (told_as_.has_value()) table_->hub_.Remove(entry_->sequence, *told_as_);
}

size_t JobTable::Watch::event_bytes_max() const {
  return SpecOf(entry_->record, view_)->ByteSizeLong() + kEventErrorBytesMax;
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
    has_more_errors_ = errors_sent_ < record.errors_size();
    version_ = record.version();
    ended_ = record.ended();
  }
  *event.mutable_job() = std::move(snapshot).Whole();
  return event;
}

}  // namespace ringcp

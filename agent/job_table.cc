#include "agent/job_table.h"

#include <random>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agent/job_name.h"
#include "agent/job_record.h"
#include "agent/job_table_entry.h"
#include "core/base/check.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "proto/field_violations.h"
#include "proto/job_spec.h"
#include "third_party/google_rpc/rpc_status.pb.h"

namespace ringcp {
namespace {

std::string NewInstance() {
  std::random_device random;
  return absl::StrCat(random(), "-", random());
}

// A status by which a client knows that the agent itself has refused its call.
absl::Status RefusedBecause(const std::string& reason, std::string_view message) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("ringcp");
  google::protobuf::Any packed;
  packed.PackFrom(info);
  absl::Status status = absl::UnavailableError(std::string(message));
  status.SetPayload(packed.type_url(), absl::Cord(packed.value()));
  return status;
}

}  // namespace

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
      if (draining_) return RefusedBecause("SHUTTING_DOWN", "the agent is shutting down");
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

absl::StatusOr<v1::Job> JobTable::Cancel(std::string_view name) {
  absl::StatusOr<EntryPtr> entry = Find(name);
  if (!entry.ok()) return entry.status();
  {
    MutexLock lock(&mutex_);
    if (!(*entry)->record.ended()) {
      CancelEntry(**entry, "CancelJob was called");
      // The log may wait for its reader, but no caller does.
      if ((*entry)->record.ended()) {
        log_lines_.push_back(EndLine((*entry)->record.snapshot()));
        work_available_.NotifyOne();
      }
    }
  }
  return TakeSnapshot(**entry).Whole();
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

absl::StatusOr<JobTable::EntryPtr> JobTable::Find(std::string_view name) {
  absl::Status status = ValidateJobName(name);
  if (!status.ok()) return status;
  MutexLock lock(&mutex_);
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return found->second;
  return absl::NotFoundError(absl::StrCat(
      "there is no job ", absl::CHexEscape(std::string(name.substr(0, 64)))));
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

void JobTable::Log(std::string_view line) const {
  if (options_.log) options_.log(line);
}

}  // namespace ringcp

// A job in a JobTable: for the files of job_table alone.
//
// Thread-safety: see the members.

#ifndef RINGCP_AGENT_JOB_TABLE_ENTRY_H_
#define RINGCP_AGENT_JOB_TABLE_ENTRY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/job_record.h"
#include "agent/job_table.h"
#include "core/base/file_error.h"
#include "core/base/mutex.h"
#include "core/job/copy_job.h"
#include "proto/job_conversion.h"

namespace ringcp {

// The most warnings of one job that are logged, because the log is for the operator of
// many jobs.
inline constexpr int kWarningsLoggedMax = 10;

// One in so many of the errors that are kept of a job may be a warning, so that warnings
// leave room for what was not copied.
inline constexpr int kErrorsPerWarning = 10;

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

inline v1::Progress ProgressOf(const CopyJob& job) {
  return ProgressToApi(job.progress(), job.engine_report());
}

// The log's line for a job that has ended.
std::string EndLine(const v1::Job& job);

}  // namespace ringcp

#endif  // RINGCP_AGENT_JOB_TABLE_ENTRY_H_

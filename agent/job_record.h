// What the agent knows about one job: its state, counters and errors, and a version that
// grows with every change of these.
//
//                       Start                 End
//   (submitted) ─► QUEUED ─────► RUNNING ─────────────► SUCCEEDED
//                     │             ├─────────────────► FAILED
//                     │     End     │
//                     └─────────────┴─────────────────► CANCELLED
//
// Thread-safety: none; JobTable guards its records with its lock.

#ifndef RINGCP_AGENT_JOB_RECORD_H_
#define RINGCP_AGENT_JOB_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/ringcp.pb.h"

namespace ringcp {

class JobRecord {
 public:
  JobRecord(std::string name, std::shared_ptr<const v1::JobSpec> spec,
            absl::Time create_time);

  // REQUIRES: QUEUED.
  void Start(absl::Time now);

  // Stores a snapshot of the counters; an equal snapshot is no change.
  // REQUIRES: RUNNING.
  void UpdateProgress(const v1::Progress& progress);

  // Something was not copied. Without `keep` the error itself is dropped, but the version
  // grows.
  // REQUIRES: RUNNING.
  void AddError(v1::FileError error, bool keep);

  // `state` is final; `reason` becomes Job.error.
  // REQUIRES: RUNNING, or QUEUED if `state` is CANCELLED.
  void End(v1::Job::State state, std::string reason, absl::Time now);

  const std::string& name() const { return job_.name(); }
  const std::shared_ptr<const v1::JobSpec>& spec() const { return spec_; }
  v1::Job::State state() const { return job_.state(); }
  bool ended() const;
  int64_t version() const { return job_.version(); }

  // The specification with its first source only.
  const std::shared_ptr<const v1::JobSpec>& basic_spec() const { return basic_spec_; }

  // The job without its specification, which may be large: a caller that takes a snapshot
  // under a lock adds it after releasing the lock.
  const v1::Job& snapshot() const { return job_; }

  // The errors that were kept, in the order they came. An error's index never changes.
  const v1::FileError& error(size_t index) const { return errors_[index].error; }
  size_t errors_size() const { return errors_.size(); }

  // How many of the errors came up to `version`.
  size_t ErrorsUpTo(int64_t version) const;

  // The approximate memory that this record takes.
  int64_t bytes() const { return bytes_; }

  // The approximate memory that keeping `error` takes.
  static int64_t ErrorBytes(const v1::FileError& error);

 private:
  struct KeptError {
    int64_t version;
    v1::FileError error;
  };

  void NoteChange() { job_.set_version(job_.version() + 1); }

  const std::shared_ptr<const v1::JobSpec> spec_;
  const std::shared_ptr<const v1::JobSpec> basic_spec_;
  v1::Job job_;
  std::vector<KeptError> errors_;
  int64_t bytes_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_JOB_RECORD_H_

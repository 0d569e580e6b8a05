// What all parts of a job share from its beginning to its end: the rules that follow from
// its options, what it has reported, counted and learned, and which files it has copied.
// It decides what is copied and in which order; whoever carries the job out (CopyJob with
// threads, a simulator step by step) adds kernels and workers.
//
// Thread-safety: each member states its own; ResolveSources() and CopySources() belong to
// one thread.

#ifndef RINGCP_CORE_JOB_JOB_STATE_H_
#define RINGCP_CORE_JOB_JOB_STATE_H_

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/copy_options.h"
#include "core/base/engine_counters.h"
#include "core/base/engine_report.h"
#include "core/base/job_observer.h"
#include "core/file/copy_policy.h"
#include "core/file/reporter.h"
#include "core/file/target_claims.h"
#include "core/job/made_names.h"
#include "core/job/progress.h"
#include "core/job/questions.h"
#include "core/job/top_level.h"
#include "core/kernel/file_system_table.h"
#include "core/kernel/kernel.h"
#include "core/tree/directory_copy.h"
#include "core/tree/link_table.h"

namespace ringcp {

// The owner of the files that the process creates.
struct ProcessIds {
  uid_t user = 0;
  gid_t group = 0;
};

class JobState {
 public:
  // `claims`: nullptr if no other job may write to this job's targets.
  // REQUIRES: `observer` and `claims` outlive it.
  JobState(CopyRequest request, JobObserver* observer, TargetClaims* claims,
           ProcessIds ids);
  JobState(const JobState&) = delete;
  JobState& operator=(const JobState&) = delete;

  // Finds out what is copied to where; see ResolveTopLevel().
  absl::StatusOr<TopLevel> ResolveSources(Kernel* kernel);

  // Copies one group of sources after another, each by calling `copy`. Sources that may
  // get the same name in the target are in different groups. A source that must not
  // overwrite the copy of an earlier one is left out and reported.
  using CopyFunction =
      std::function<absl::Status(const std::vector<TopLevelSource>& sources)>;
  absl::Status CopySources(Kernel* kernel, TopLevel* top, const CopyFunction& copy);

  // These add what the job has counted so far. They may be called by any thread.
  void AddCounters(Progress* progress) const;
  void AddCounters(EngineReport* report) const;

  const CopyOptions& options() const { return request.options; }
  bool is_cancelled() const { return cancelled.load(std::memory_order_relaxed); }

  const CopyRequest request;
  const ProcessIds ids;
  TargetClaims own_claims;  // Used if the job was given none.
  TargetClaims* const claims;
  Reporter reporter;
  FileSystemTable file_systems;
  // The parts of the policy that are the same for all workers. Stays as it is once the
  // sources are resolved.
  FileCopyPolicy policy;
  std::set<std::string> named_targets;  // FileCopyPolicy::named_targets
  KnownDirectories known_parents;       // FileCopyPolicy::known_parents
  DirectoryCopy directories;
  LinkTable links;
  MadeNames made_names;
  Questions questions;            // Used with -i.
  bool notes_made_names = false;  // Some source must not overwrite another one's copy.
  std::atomic<bool> cancelled = false;
  // One for each worker, which alone writes to it; any thread may read.
  std::array<EngineCounters, Tuning::kWorkersMax> counters;

 private:
  // Whether `source` would be copied over the copy of an earlier source; if so, reports
  // it.
  bool WouldOverwriteCopy(Kernel* kernel, const TopLevelSource& source,
                          const TopLevel& top);

  std::atomic<int64_t> sources_refused_ = 0;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_JOB_STATE_H_

// Which of the agent's jobs runs next. At most `running_max` run at the same time. A job
// does not run while it overlaps with a running job, or with a waiting one that was
// submitted earlier; so jobs for one place run one after the other, in the order of their
// submission, and other jobs may overtake them while they wait.
//
//            TakeToLookAt        Looked              Start           End
//   waiting ─────────────► looked at ─────► decided ───────► running ────►
//      ▲                                       │
//      └───────────────────────────────────────┘
//              a job ended: the target may be another file now
//
// To know where a job writes, somebody has to look at its target, which may take long. So
// the owner of the schedule does that outside its lock, on a thread that could also run a
// job. Jobs are decided on in the order of their submission; only a job whose target's
// file system does not answer within kLookPatience is passed over.
//
// Thread-safety: none; JobTable guards its schedule with its lock. Does no I/O.

#ifndef RINGCP_AGENT_JOB_SCHEDULE_H_
#define RINGCP_AGENT_JOB_SCHEDULE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "agent/target_footprint.h"
#include "core/base/mutex.h"

namespace ringcp {

class JobSchedule {
 public:
  // How long a look at a target may take before later jobs go on without it: a thousand
  // times what a disk needs.
  static constexpr std::chrono::milliseconds kLookPatience{1000};

  struct Decisions {
    // These run now.
    std::vector<int64_t> started;
    // In each pair, the first job waits for the second one to end.
    std::vector<std::pair<int64_t, int64_t>> waits;
  };

  // REQUIRES: `running_max` >= 1.
  explicit JobSchedule(int running_max);

  // A job was submitted. REQUIRES: `job` is greater than every earlier one.
  void Add(int64_t job);

  // A waiting job will not run. If its target is being looked at, the result is ignored.
  void Remove(int64_t job);

  // A job whose target has to be looked at next, if there is room for one more to run.
  // The caller looks, and reports with Looked().
  std::optional<int64_t> TakeToLookAt(SteadyTime now);
  // REQUIRES: TakeToLookAt() returned `job`, and Looked() was not called for it since.
  void Looked(int64_t job, TargetFootprint footprint);

  // Decides on as many jobs as possible, and starts those that may run.
  Decisions Start(SteadyTime now);

  // A running job has ended.
  void End(int64_t job);

  // When the next of the looks under way will have taken too long, so that Start() may
  // decide on more jobs.
  std::optional<SteadyTime> PatienceEnds(SteadyTime now) const;

  int running() const { return static_cast<int>(running_.size()); }
  size_t waiting() const { return waiting_.size(); }

 private:
  using FootprintPtr = std::shared_ptr<const TargetFootprint>;

  struct Waiting {
    // Set while the job's target is looked at.
    std::optional<SteadyTime> look_ends;
    // The footprints of jobs that have ended since the look began: these jobs may have
    // changed what was seen.
    std::vector<FootprintPtr> ended_meanwhile;
    FootprintPtr footprint;
    // The job waits for another one.
    bool decided = false;
  };

  bool has_room() const { return running() + looking_ < running_max_; }
  // After this, all waiting jobs have to be looked at and decided on again.
  void ForgetLooks();

  const int running_max_;
  // Both in the order of submission.
  std::map<int64_t, Waiting> waiting_;
  std::map<int64_t, FootprintPtr> running_;
  // Threads that are looking, also at the targets of jobs that were removed in the
  // meantime.
  int looking_ = 0;
  // The footprints of running jobs and of waiting ones that are decided on.
  TakenPlaces taken_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_JOB_SCHEDULE_H_

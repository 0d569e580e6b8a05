// Which of the agent's jobs runs next. At most so many run at a time, and none that
// overlaps with one that runs, or with one that was submitted earlier and still waits; so
// jobs for one place run one after the other, in the order of their submission, and
// others may overtake them while they wait.
//
//            TakeToLookAt        Looked              Start           End
//   waiting ─────────────► looked at ─────► decided ───────► running ────►
//      ▲                                       │
//      └───────────────────────────────────────┘
//              a job ended: what is there may be another file now
//
// Where a job writes has to be looked at, which may take long, so whoever has this does
// it meanwhile, with a thread that could run a job as well. Jobs are decided about in the
// order of their submission; only a job whose target's file system does not answer is
// passed over after kLookPatience.
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
  // How long a look at a target may take before the jobs behind it go on without it: a
  // thousand times what a disk needs for it.
  static constexpr std::chrono::milliseconds kLookPatience{1000};

  struct Decisions {
    // These run now.
    std::vector<int64_t> started;
    // Each first one waits for the second one to end.
    std::vector<std::pair<int64_t, int64_t>> waits;
  };

  // REQUIRES: `running_max` >= 1.
  explicit JobSchedule(int running_max);

  // A job was submitted. REQUIRES: `job` is greater than every one before.
  void Add(int64_t job);

  // A waiting job will not run. What comes of a look at its target doesn't matter.
  void Remove(int64_t job);

  // A job whose target is to be looked at next, if there is room for one more to run. The
  // caller looks, and says what it saw.
  std::optional<int64_t> TakeToLookAt(SteadyTime now);
  // REQUIRES: TakeToLookAt() returned `job`, which wasn't said since.
  void Looked(int64_t job, TargetFootprint footprint);

  // Decides about as many jobs as it can, and starts those that may run.
  Decisions Start(SteadyTime now);

  // A running job has ended.
  void End(int64_t job);

  // When the next one of the looks under way will have taken too long, so that Start()
  // may decide about more jobs.
  std::optional<SteadyTime> PatienceEnds(SteadyTime now) const;

  // Whether it will soon be known if `job` can run, or if it has to wait for another one.
  bool is_undecided(int64_t job) const;

  int running() const { return static_cast<int>(running_.size()); }
  size_t waiting() const { return waiting_.size(); }

 private:
  using FootprintPtr = std::shared_ptr<const TargetFootprint>;

  struct Waiting {
    // Set while its target is looked at.
    std::optional<SteadyTime> look_ends;
    // Those of jobs that have ended since the look began: they may have changed what was
    // seen.
    std::vector<FootprintPtr> ended_meanwhile;
    FootprintPtr footprint;
    // It waits for another one.
    bool decided = false;
  };

  bool has_room() const { return running() + looking_ < running_max_; }
  // All jobs are to be looked at and decided about anew.
  void ForgetLooks();

  const int running_max_;
  // Both by the order of submission.
  std::map<int64_t, Waiting> waiting_;
  std::map<int64_t, FootprintPtr> running_;
  // Threads that look, also at targets of jobs that were removed meanwhile.
  int looking_ = 0;
  // Those of running jobs and of those that are decided about.
  TakenPlaces taken_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_JOB_SCHEDULE_H_

// Decides how many calls that wait each worker of a job has under way, from what comes of
// it: more as long as that makes the job faster, fewer when it makes it slower.
//
// What waits for a server, a disk or a file system in user space gains by being asked for
// together with much else, up to a point that nobody knows beforehand: a server answers
// hundreds of requests at a time, one disk a few, and some get slower the more is asked
// of them. So the level is raised to kClimb without delay, and further while that pays,
// by four times until it has once not paid, by twice later. A rise that does not pay is
// taken back, and tried again after a pause, which grows each time. If a rise has made
// the job slower, or what is waited for has changed for the worse, the level becomes
// strict: then it bounds all that is in flight, and it is lowered as long as that does no
// harm. When less comes than before at the same level, more is tried first, if there may
// be more.
//
// Nothing is raised while less is under way than may be, because then something else is
// what limits; nor while the CPUs have no time left: what is waited for then is a CPU.
//
// Pure: samples in, a level out. It knows no clock and no kernel.
//
// Thread-safety: none of its own.

#ifndef RINGCP_CORE_JOB_WAIT_CONTROLLER_H_
#define RINGCP_CORE_JOB_WAIT_CONTROLLER_H_

#include <cstdint>

#include "absl/time/time.h"

namespace ringcp {

// What a while has brought.
struct WaitSample {
  absl::Duration elapsed;
  // Queued ops of all workers that have ended.
  int64_t ended = 0;
  // CPU time that the process has used, and how many CPUs it may use.
  absl::Duration cpu;
  int cpus = 1;
  // As many were under way as may be, most of the time.
  bool was_at_limit = false;
};

class WaitController {
 public:
  // What a ring has before anything was observed: one kernel worker is busy while nothing
  // blocks, and another one sees to what does.
  static constexpr int kLevelMin = 2;
  // More than this did not make anything faster that was tried: at 10 ms a request, 128
  // of two workers ask 25,600 times in a second.
  static constexpr int kLevelMax = 128;
  // As far as this the level is raised before it is judged whether that has paid: what
  // comes first are short samples, of opening files alone, say.
  static constexpr int kClimb = 32;
  static constexpr int kFirstStep = 4;  // Times the level.
  static constexpr int kStep = 2;
  // A rise has to bring so much, and what costs more than kLossMax does harm: both
  // beyond what chance makes of the few ops that a sample may have.
  static constexpr double kGainMin = 1.1;
  static constexpr double kLossMax = 0.85;
  // Another bottleneck has taken over when the rate is at most kFall, or at least kLeap,
  // times the one before.
  static constexpr double kFall = 0.5;
  static constexpr double kLeap = 2.0;
  // Samples until another level is tried: at first, and at most.
  static constexpr int kPauseMin = 1;
  static constexpr int kPauseMax = 32;
  // Of the CPUs' time, from which on they count as busy.
  static constexpr double kBusy = 0.9;

  // `level_max`: as far as kLevelMax; at least 1.
  explicit WaitController(int level_max = kLevelMax);

  int level() const { return level_; }
  // Whether the level is being raised to kClimb, so that short samples are enough.
  bool climbs() const { return climbs_; }
  // Whether the level bounds all that is in flight.
  bool is_strict() const { return is_strict_; }
  // Ops in a second that are to be expected at this level; 0 if that is not known.
  double rate() const { return before_ == 0 ? rate_ : 0; }
  void Note(const WaitSample& sample);

 private:
  // Tries another level, to be compared with the present one, at which `rate` was seen,
  // in a sample with so many ends.
  void Try(int level, double rate, int64_t ended);
  // Takes in what `rate` has come of a trial; whether the level that was tried stays.
  // Only after two samples that do not pay it does not: what is copied changes all the
  // time.
  bool EndTrial(double rate, int64_t ended);
  void Pause();
  // Goes on with raising the level to kClimb. False if that is over.
  bool Climb(double rate, int64_t ended, bool may_rise);

  const int level_max_;
  int level_;
  bool climbs_ = true;         // Has not begun, or goes on.
  bool judges_climb_ = false;  // The trial is the climb.
  bool is_strict_ = false;
  // The rate has fallen, and it is not known yet whether more would help or less.
  bool has_fallen_ = false;
  // The level that the present one is compared with; 0: no other is tried.
  int before_ = 0;
  double rate_before_ = 0;
  int64_t ended_before_ = 0;
  // Of the first sample of the trial; 0 before that.
  double trial_rate_ = 0;
  int64_t trial_ended_ = 0;
  double rate_ = 0;    // Ops in a second, of late, at the level that was kept.
  int64_t ended_ = 0;  // In the last sample that rate_ is from.
  int step_ = kFirstStep;
  int pause_ = 0;  // Samples that are left of it.
  int next_pause_ = kPauseMin;
};

}  // namespace ringcp

#endif  // RINGCP_CORE_JOB_WAIT_CONTROLLER_H_

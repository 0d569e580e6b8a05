// When the events of one WatchJob stream are due: at most ten a second, one in each tenth
// of a second since the first event. Only the second event comes early, in place of the
// next tenth's event, so that a short job's counters are seen soon. A change of the job's
// state is not delayed.
//
// Thread-safety: one thread at a time.

#ifndef RINGCP_AGENT_EVENT_PACER_H_
#define RINGCP_AGENT_EVENT_PACER_H_

#include <chrono>

#include "core/base/mutex.h"

namespace ringcp {

class EventPacer {
 public:
  // The eye takes this rate for motion, and terminals are redrawn no faster.
  static constexpr std::chrono::milliseconds kInterval{100};
  // People notice no delay below a twentieth of a second; this leaves half of that time
  // for the way to the screen.
  static constexpr std::chrono::milliseconds kEarly{25};

  // `first` is when the first event was sent.
  explicit EventPacer(SteadyTime first) : first_(first), due_(first + kEarly) {}

  // When the next event is due at the earliest.
  SteadyTime due() const { return due_; }

  // Called when an event was sent, or there was none to send. `now` never decreases.
  void Advance(SteadyTime now);

 private:
  const SteadyTime first_;
  SteadyTime due_;
};

}  // namespace ringcp

#endif  // RINGCP_AGENT_EVENT_PACER_H_

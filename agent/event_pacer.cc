#include "agent/event_pacer.h"

namespace ringcp {

void EventPacer::Advance(SteadyTime now) {
  const auto tenth = (now - first_) / kInterval;
  // The first tenth has the first event and the early one; the second tenth has no event.
  due_ = first_ + (tenth == 0 ? 2 : tenth + 1) * kInterval;
}

}  // namespace ringcp

// Files that are being made: where calls wait, a few of each directory at a time.
//
// The kernel makes the entries of one directory one after another. What it has been
// handed waits for the directory's lock, in a thread of its own, and is made even if the
// job is cancelled meanwhile. So a hundred files of one directory would gain nothing, and
// an interrupt would take effect when the last of them is made and removed again.

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "core/job/worker.h"

namespace ringcp {

bool Worker::MayMake(int index) const {
  if (!wait_limits_.kernel.calls_wait) return true;
  int made = 0;
  for (const Flight& flight : flights_) {
    made += flight.is_making && flight.entry.directory == flights_[index].entry.directory
                ? 1
                : 0;
  }
  return made < limits_.made_in_directory;
}

void Worker::MakeKeptBack() {
  for (size_t i = 0; i < kept_back_.size();) {
    const auto [id, chain] = kept_back_[i];
    const int index = IndexOf(id);
    if (!MayMake(index)) {
      ++i;
      continue;
    }
    kept_back_.erase(kept_back_.begin() + static_cast<ptrdiff_t>(i));
    next_.size = 0;
    next_.Add(LaneOf(id)) = chain;
    Continue(index);
  }
}

void Worker::DropKeptBack() {
  std::array<int32_t, Chain::kOpsMax> results;
  results.fill(-ECANCELED);
  for (const auto& [id, chain] : std::exchange(kept_back_, {})) {
    next_.size = 0;
    flights_[IndexOf(id)].copy.Settle(
        LaneOf(id), absl::MakeConstSpan(results).first(chain.size()), &next_);
    Continue(IndexOf(id));
  }
}

}  // namespace ringcp

// Files that are being made: where waits are long, a few of each directory at a time.
//
// The kernel makes the entries of one directory one after another. What it has been
// handed waits for the directory's lock, in a thread of its own, and is made even if the
// job is cancelled meanwhile. So a hundred files of one directory would gain nothing, and
// an interrupt would take effect when the last of them is made, and filled or removed
// again.
//
// A file whose old target has to be removed counts from before that. So no old target is
// removed for a file that then has to wait, or is dropped.

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "core/base/check.h"
#include "core/job/worker.h"

namespace ringcp {

bool Worker::HoldsBack(ChainId id, const Chain& chain) {
  Flight& flight = flights_[IndexOf(id)];
  const bool begins_to_make = flight.copy.is_making() && !flight.has_place &&
                              flight.copy.old_target() == OldTarget::kKept;
  if (!begins_to_make || chain[0].at_once) return false;
  RINGCP_CHECK(next_.size == 1);
  if (stopping_) {
    Drop(id, chain);
    return true;
  }
  const Directory* const directory = flight.entry.directory;
  if (!MayMake(directory)) {
    held_back_.emplace_back(id, chain);
    next_.size = 0;
    return true;
  }
  flight.has_place = true;
  made_in_.push_back(directory);
  return false;
}

bool Worker::MayMake(const Directory* directory) const {
  if (waits_to_hold_back_ == 0) return true;
  return std::count(made_in_.begin(), made_in_.end(), directory) <
         limits_.made_in_directory;
}

void Worker::NoteMade(int index) {
  Flight& flight = flights_[index];
  if (!flight.has_place || flight.copy.is_making()) return;
  flight.has_place = false;
  const Directory* const directory = flight.entry.directory;
  made_in_.erase(std::find(made_in_.begin(), made_in_.end(), directory));
  if (!held_back_.empty()) has_room_.push_back(directory);
}

void Worker::MakeHeldBack() {
  while (!has_room_.empty()) {
    const Directory* const directory = has_room_.back();
    const auto first =
        std::find_if(held_back_.begin(), held_back_.end(), [&](const auto& held) {
          return flights_[IndexOf(held.first)].entry.directory == directory;
        });
    if (first == held_back_.end() || !MayMake(directory)) {
      has_room_.pop_back();
      continue;
    }
    const auto [id, chain] = *first;
    held_back_.erase(first);
    next_.size = 0;
    next_.Add(LaneOf(id)) = chain;
    Continue(IndexOf(id));
  }
}

void Worker::Drop(ChainId id, const Chain& chain) {
  std::array<int32_t, Chain::kOpsMax> results;
  results.fill(-ECANCELED);
  const auto of_chain = absl::MakeConstSpan(results).first(chain.size());
  next_.size = 0;
  flights_[IndexOf(id)].copy.Settle(LaneOf(id), of_chain, &next_);
}

void Worker::DropHeldBack() {
  for (const auto& [id, chain] : std::exchange(held_back_, {})) {
    Drop(id, chain);
    Continue(IndexOf(id));
  }
}

}  // namespace ringcp

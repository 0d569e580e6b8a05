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

bool Worker::HoldsBack(int index, const Chain& chain) {
  Flight& flight = flights_[index];
  const bool begins_to_make = flight.copy.is_making() && flight.made_in == nullptr &&
                              flight.copy.old_target() == OldTarget::kKept;
  if (!begins_to_make || chain[0].at_once) return false;
  RINGCP_CHECK(next_.size == 1);
  if (stopping_) {
    Drop(index, chain);
    return true;
  }
  const Directory* const directory = flight.entry.directory;
  if (!MayMake(directory)) {
    kept_back_.push_back({.directory = directory, .index = index, .chain = chain});
    next_.size = 0;
    return true;
  }
  flight.made_in = directory;
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
  if (flight.made_in == nullptr || flight.copy.is_making()) return;
  const Directory* const directory = std::exchange(flight.made_in, nullptr);
  made_in_.erase(std::find(made_in_.begin(), made_in_.end(), directory));
  if (!kept_back_.empty()) has_room_.push_back(directory);
}

void Worker::MakeKeptBack() {
  while (!has_room_.empty()) {
    const Directory* const directory = has_room_.back();
    const auto first =
        std::find_if(kept_back_.begin(), kept_back_.end(),
                     [&](const KeptBack& kept) { return kept.directory == directory; });
    if (first == kept_back_.end() || !MayMake(directory)) {
      has_room_.pop_back();
      continue;
    }
    const KeptBack kept = *first;
    kept_back_.erase(first);
    next_.size = 0;
    next_.Add(kLaneOfMaking) = kept.chain;
    Continue(kept.index);
  }
}

void Worker::Drop(int index, const Chain& chain) {
  std::array<int32_t, Chain::kOpsMax> results;
  results.fill(-ECANCELED);
  const auto of_chain = absl::MakeConstSpan(results).first(chain.size());
  next_.size = 0;
  flights_[index].copy.Settle(kLaneOfMaking, of_chain, &next_);
}

void Worker::DropKeptBack() {
  for (const KeptBack& kept : std::exchange(kept_back_, {})) {
    Drop(kept.index, kept.chain);
    Continue(kept.index);
  }
}

}  // namespace ringcp

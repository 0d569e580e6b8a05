// Directories: pieces of them are read, as many at a time as waiting for them needs, and
// they are left, by tasks that a helper thread may carry out.

#include <algorithm>
#include <cstddef>
#include <optional>

#include "core/base/check.h"
#include "core/job/worker.h"

namespace ringcp {

WalkBatch* Worker::NextBatch() {
  // From memory there is one directory at a time.
  const bool spreads = kernel_->helps_with_tasks();
  if (spreads) NoteCopiedFrom();
  struct Candidate {
    size_t index = 0;
    int64_t copies = 0;  // In flight.
    int64_t left = 0;    // Entries.
    bool has_few() const { return copies < kCopiesOfDirectory; }
    bool GoesBefore(const Candidate& other) const {
      if (has_few() != other.has_few()) return has_few();
      return (copies + 1) * other.left < (other.copies + 1) * left;
    }
  };
  std::optional<Candidate> next;
  bool any_under_way = false;
  for (size_t i = 0; i < readings_.size(); ++i) {
    Candidate one = {.index = (next_reading_ + i) % readings_.size()};
    const ReadingTask& reading = readings_[one.index];
    any_under_way = any_under_way || reading.is_under_way;
    if (!reading.has_entries()) continue;
    if (spreads) {
      one.copies =
          std::count(copied_from_.begin(), copied_from_.end(), reading.batch.directory());
    }
    one.left = static_cast<int64_t>(reading.batch.entries().size());
    if (!next.has_value() || one.GoesBefore(*next)) next = one;
    if (!spreads) break;
  }
  if (!next.has_value()) return nullptr;
  if (!next->has_few() && any_under_way) return nullptr;
  next_reading_ = (next->index + 1) % readings_.size();
  return &readings_[next->index].batch;
}

void Worker::NoteCopiedFrom() {
  copied_from_.clear();
  for (const Flight& flight : flights_) {
    if (flight.active) copied_from_.push_back(flight.entry.directory);
  }
  for (const NodeTask& node : nodes_) {
    if (node.is_in_hand) copied_from_.push_back(node.entry.directory);
  }
}

int Worker::readings_in_hand() const {
  int in_hand = 0;
  for (const ReadingTask& reading : readings_) {
    in_hand += reading.is_in_hand() ? 1 : 0;
  }
  return in_hand;
}

int Worker::tasks_in_flight() const {
  size_t tasks =
      leavings_.size() - free_leavings_.size() + nodes_.size() - free_nodes_.size();
  for (const ReadingTask& reading : readings_) tasks += reading.is_under_way ? 1 : 0;
  return static_cast<int>(tasks);
}

bool Worker::Read() {
  // A helper thread is not asked for nothing; and if there is nothing else to do, others
  // are to know that this worker waits.
  const bool has_nothing_else = idle();
  const auto not_begun = std::count_if(
      readings_.begin(), readings_.end(),
      [](const ReadingTask& other) { return other.is_under_way && !other.has_begun; });
  bool in_vain =
      nothing_yet_ || work_.walk->PiecesToTake() <= static_cast<size_t>(not_begun);
  if (in_vain && !has_nothing_else) {
    // What is in flight takes long: others need not keep their entries until it has
    // ended.
    const bool asks = kernel_->helps_with_tasks() && readings_in_hand() == 0;
    if (!asks || !work_.walk->AskForShare(kernel_)) return false;
    in_vain = false;  // Another worker has given a share away since.
  }
  uint32_t index = 0;
  while (index < readings_.size() && readings_[index].is_in_hand()) ++index;
  if (index == readings_.size()) readings_.emplace_back(work_.walk);
  ReadingTask& reading = readings_[index];
  reading.may_wait = in_vain;
  if (in_vain) {
    reading.Run(kernel_);
  } else {
    reading.is_under_way = true;
    reading.has_begun = false;
    const ChainId id = {kReadings + index};
    if (kernel_->SubmitTask(id, &reading) == Submitted::kQueued) return true;
    reading.is_under_way = false;
  }
  waits_.Skip(*kernel_);  // For other threads or a directory: that does not count either.
  if (TakeIn(reading)) return true;
  return !in_vain && nothing_yet_ && idle() && Read();
}

bool Worker::TakeIn(const ReadingTask& reading) {
  // A reading may have seen the end before others that are under way have found
  // something, or before this worker has found an entry to be a directory
  // (Walk::AddDirectory).
  more_to_walk_ = reading.result != Walk::Result::kFinished || readings_in_hand() > 0 ||
                  work_.walk->PiecesToTake() > 0;
  more_to_start_ = reading.result == Walk::Result::kMore;
  nothing_yet_ = reading.result == Walk::Result::kNothingYet;
  return reading.has_entries();
}

void Worker::OnTaskEnded(ChainId id) {
  if (id.value >= kLeavings) {
    free_leavings_.push_back(id.value - kLeavings);
    nothing_yet_ = false;
    return;
  }
  if (id.value >= kNodes) {
    nothing_yet_ = false;
    return OnNodeEnded(static_cast<int>(id.value - kNodes));
  }
  ReadingTask& reading = readings_[id.value - kReadings];
  reading.is_under_way = false;
  if (stopping_) return DropEntries(&reading);
  TakeIn(reading);
}

void Worker::DropEntries(ReadingTask* reading) {
  while (!reading->batch.entries().empty()) {
    work_.walk->Take(&reading->batch);
    Release(reading->batch.directory());
  }
}

void Worker::Release(Directory* directory) {
  if (!work_.walk->GiveBack(directory)) return;
  // In later phases nothing else may be in flight.
  const bool is_later = phase_ != Phase::kEntries && phase_ != Phase::kAlone;
  if (is_later || !work_.walk->has_room()) {
    return work_.walk->Leave(kernel_, directory);
  }
  if (free_leavings_.empty()) {
    free_leavings_.push_back(static_cast<uint32_t>(leavings_.size()));
    leavings_.emplace_back(work_.walk);
  }
  const uint32_t index = free_leavings_.back();
  LeavingTask& leaving = leavings_[index];
  leaving.directory = directory;
  if (kernel_->SubmitTask({kLeavings + index}, &leaving) == Submitted::kQueued) {
    free_leavings_.pop_back();
  }
}

}  // namespace ringcp

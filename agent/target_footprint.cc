#include "agent/target_footprint.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace ringcp {

TargetFootprint TargetFootprint::Everywhere() {
  TargetFootprint footprint;
  footprint.everywhere_ = true;
  return footprint;
}

void TargetFootprint::AddPlace(const PathSteps& steps, size_t known) {
  RINGCP_CHECK(known < steps.size() && steps.front().identity.has_value());
  const size_t last = steps.size() - 1;
  for (size_t i = known; i < last; ++i) AddStep(steps, i, &ways_);
  AddStep(steps, last, &places_);
}

void TargetFootprint::AddWay(const PathSteps& steps) {
  RINGCP_CHECK(!steps.empty() && steps.front().identity.has_value());
  for (size_t i = 0; i < steps.size(); ++i) AddStep(steps, i, &ways_);
}

bool TargetFootprint::Overlaps(const TargetFootprint& other) const {
  if (empty() || other.empty()) return false;
  return everywhere_ || other.everywhere_ || IsAbove(other) || other.IsAbove(*this);
}

void TargetFootprint::AddStep(const PathSteps& steps, size_t index, Keys* keys) {
  const PathStep& step = steps[index];
  if (step.identity.has_value()) keys->insert({*step.identity, ""});
  if (index == 0) return;
  size_t nearest = index - 1;
  while (!steps[nearest].identity.has_value()) --nearest;
  keys->insert(KeyOf(steps, nearest, index, &PathStep::name));
  // Between two looks a directory on the way may be made, become unreadable, or get
  // another identity; its name stays the same.
  keys->insert(KeyOf(steps, 0, index, &PathStep::exact_name));
}

TargetFootprint::Key TargetFootprint::KeyOf(const PathSteps& steps, size_t from,
                                            size_t to, std::string PathStep::*name) {
  Key key = {*steps[from].identity, ""};
  for (size_t i = from + 1; i <= to; ++i) {
    absl::StrAppend(&key.names, "/", steps[i].*name);
  }
  return key;
}

bool TargetFootprint::IsAbove(const TargetFootprint& other) const {
  return std::any_of(places_.begin(), places_.end(), [&other](const Key& key) {
    return other.places_.contains(key) || other.ways_.contains(key);
  });
}

void TakenPlaces::Add(int64_t job, const TargetFootprint& footprint) {
  if (footprint.empty()) return;
  if (!anybody_.has_value()) anybody_ = job;
  if (footprint.everywhere_) everywhere_ = job;
  for (const TargetFootprint::Key& key : footprint.places_) places_.try_emplace(key, job);
  for (const TargetFootprint::Key& key : footprint.ways_) ways_.try_emplace(key, job);
}

std::optional<int64_t> TakenPlaces::FindOverlap(const TargetFootprint& footprint) const {
  if (footprint.empty()) return std::nullopt;
  if (footprint.everywhere_) return anybody_;
  if (everywhere_.has_value()) return everywhere_;
  const auto find = [](const Jobs& jobs,
                       const TargetFootprint::Keys& keys) -> std::optional<int64_t> {
    for (const TargetFootprint::Key& key : keys) {
      if (const auto found = jobs.find(key); found != jobs.end()) return found->second;
    }
    return std::nullopt;
  };
  std::optional<int64_t> job = find(places_, footprint.places_);
  if (!job.has_value()) job = find(ways_, footprint.places_);
  if (!job.has_value()) job = find(places_, footprint.ways_);
  return job;
}

}  // namespace ringcp

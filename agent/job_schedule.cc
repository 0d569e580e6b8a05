#include "agent/job_schedule.h"

#include <algorithm>

#include "core/base/check.h"

namespace ringcp {

JobSchedule::JobSchedule(int running_max) : running_max_(running_max) {
  RINGCP_CHECK(running_max >= 1);
}

void JobSchedule::Add(int64_t job) {
  RINGCP_CHECK(waiting_.empty() || waiting_.rbegin()->first < job);
  waiting_.emplace_hint(waiting_.end(), job, Waiting());
}

void JobSchedule::Remove(int64_t job) {
  const auto found = waiting_.find(job);
  RINGCP_CHECK(found != waiting_.end());
  const bool others_may_wait_for_it = found->second.decided;
  waiting_.erase(found);
  if (others_may_wait_for_it) ForgetLooks();
}

std::optional<int64_t> JobSchedule::TakeToLookAt(SteadyTime now) {
  if (!has_room()) return std::nullopt;
  for (auto& [job, waiting] : waiting_) {
    if (waiting.footprint != nullptr || waiting.look_ends.has_value()) continue;
    waiting.look_ends = now + kLookPatience;
    waiting.ended_meanwhile.clear();
    ++looking_;
    return job;
  }
  return std::nullopt;
}

void JobSchedule::Looked(int64_t job, TargetFootprint footprint) {
  RINGCP_CHECK(looking_ > 0);
  --looking_;
  const auto found = waiting_.find(job);
  if (found == waiting_.end()) return;
  Waiting& waiting = found->second;
  RINGCP_CHECK(waiting.look_ends.has_value());
  waiting.look_ends.reset();
  const bool is_old =
      std::any_of(waiting.ended_meanwhile.begin(), waiting.ended_meanwhile.end(),
                  [&](const FootprintPtr& ended) { return ended->Overlaps(footprint); });
  if (is_old) return;
  waiting.footprint = std::make_shared<const TargetFootprint>(std::move(footprint));
}

JobSchedule::Decisions JobSchedule::Start(SteadyTime now) {
  Decisions decisions;
  for (auto next = waiting_.begin(); next != waiting_.end() && has_room();) {
    const auto current = next++;
    auto& [job, waiting] = *current;
    if (waiting.decided) continue;
    if (waiting.footprint == nullptr) {
      const bool overdue = waiting.look_ends.has_value() && *waiting.look_ends <= now;
      if (overdue) continue;
      break;
    }
    const std::optional<int64_t> other = taken_.FindOverlap(*waiting.footprint);
    taken_.Add(job, *waiting.footprint);
    if (other.has_value()) {
      waiting.decided = true;
      decisions.waits.emplace_back(job, *other);
      continue;
    }
    decisions.started.push_back(job);
    running_.emplace(job, std::move(waiting.footprint));
    waiting_.erase(current);
  }
  return decisions;
}

void JobSchedule::End(int64_t job) {
  const auto found = running_.find(job);
  RINGCP_CHECK(found != running_.end());
  for (auto& [other, waiting] : waiting_) {
    if (waiting.look_ends.has_value()) waiting.ended_meanwhile.push_back(found->second);
  }
  running_.erase(found);
  ForgetLooks();
}

std::optional<SteadyTime> JobSchedule::PatienceEnds(SteadyTime now) const {
  std::optional<SteadyTime> first;
  for (const auto& [job, waiting] : waiting_) {
    if (!waiting.look_ends.has_value() || *waiting.look_ends <= now) continue;
    if (!first.has_value() || *waiting.look_ends < *first) first = waiting.look_ends;
  }
  return first;
}

void JobSchedule::ForgetLooks() {
  taken_.Clear();
  for (const auto& [job, footprint] : running_) taken_.Add(job, *footprint);
  for (auto& [job, waiting] : waiting_) {
    waiting.decided = false;
    waiting.footprint.reset();
  }
}

}  // namespace ringcp

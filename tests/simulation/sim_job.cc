#include "tests/simulation/sim_job.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/job_observer.h"
#include "core/base/mutex.h"
#include "core/job/copy_group.h"
#include "core/job/job_state.h"
#include "core/job/top_level.h"
#include "core/kernel/block_pool.h"

namespace ringcp {
namespace {

// More steps than any job takes that ends at all.
constexpr int64_t kStepsMax = 200'000;

class Recorder : public JobObserver {
 public:
  Recorder(SimWorld* world, SimJobResult* result) : world_(world), result_(result) {}
  void OnError(const FileError& error) override { result_->errors.push_back(error); }
  void OnWarning(std::string_view message) override {
    result_->warnings.emplace_back(message);
  }
  bool WantsCopied() const override { return true; }
  void OnCopied(std::string_view /*source*/, std::string_view target,
                std::string_view /*backup*/, const ContentsRoute* /*route*/) override {
    result_->copied.insert(std::string(target));
  }
  bool OnAsk(std::string_view target, mode_t /*mode*/, bool /*removes*/) override {
    const bool is_yes = world_->RandomBelow(3) != 0;
    result_->answers[std::string(target)].insert(is_yes);
    return is_yes;
  }

 private:
  SimWorld* const world_;
  SimJobResult* const result_;
};

// A worker and what belongs to it alone.
class Seat {
 public:
  Seat(SimWorld* world, const SimJobOptions& options, CopyGroup* group, int index)
      : world_(world),
        limits_(options.limits),
        pool_(limits_.copies_in_flight, limits_.extra_blocks, limits_.block_bytes),
        kernel_(world, options.kernel),
        worker_(
            group->MakeWorker(index, &kernel_, /*reads_many=*/true, limits_, &pool_)) {}

  bool has_ended() const { return worker_ == nullptr; }
  absl::Duration idle_max() const { return worker_->idle_max(); }
  // The latest time at which it looks for work again by itself.
  SteadyTime idle_until() const { return idle_until_; }
  bool is_ready() const {
    return !has_ended() &&
           (kernel_.is_woken() || kernel_.has_settled() || world_->now() >= idle_until_);
  }

  void Step() {
    if (!is_first_) worker_->Wait();
    is_first_ = false;
    if (worker_->Step()) {
      idle_until_ = world_->now() + absl::ToChronoNanoseconds(worker_->idle_max());
    } else {
      worker_.reset();
    }
  }

  // REQUIRES: has_ended().
  void FindLeaks(std::string* leaks) {
    if (kernel_.chains_in_flight() > 0) absl::StrAppend(leaks, "a chain is in flight\n");
    if (kernel_.slots_open() > 0) absl::StrAppend(leaks, "a slot is open\n");
    int blocks = 0;
    std::vector<char*> taken;
    for (; blocks < limits_.extra_blocks; ++blocks) {
      taken.push_back(pool_.TakeExtra(1));
      if (taken.back() == nullptr) break;
    }
    if (blocks < limits_.extra_blocks) absl::StrAppend(leaks, "a block is lent\n");
    for (char* const block : taken) {
      if (block != nullptr) pool_.GiveBack(block, /*extra=*/1);
    }
    // Take() stops the program if a block is missing.
    taken.clear();
    for (int i = 0; i < limits_.copies_in_flight; ++i) taken.push_back(pool_.Take());
    for (char* const block : taken) pool_.GiveBack(block, /*extra=*/0);
  }

 private:
  SimWorld* const world_;
  const WorkerLimits limits_;
  BlockPool pool_;
  SimKernel kernel_;
  std::unique_ptr<Worker> worker_;
  SteadyTime idle_until_;
  bool is_first_ = true;
};

class Driver {
 public:
  Driver(SimWorld* world, const SimJobOptions& options, JobState* state,
         SimJobResult* result)
      : world_(world), options_(options), state_(state), result_(result) {}

  void CopyTogether(Kernel* kernel, const std::vector<TopLevelSource>& sources,
                    const TopLevel& top) {
    auto group = std::make_unique<CopyGroup>(state_, kernel, sources,
                                             LookAtTarget(state_, kernel, top),
                                             options_.workers, options_.directories_max);
    std::vector<std::unique_ptr<Seat>> seats;
    for (int i = 0; i < options_.workers; ++i) {
      seats.push_back(std::make_unique<Seat>(world_, options_, group.get(), i));
    }
    while (Seat* const seat = Choose(seats)) {
      if (result_->steps++ == options_.cancelled_after) state_->cancelled = true;
      seat->Step();
    }
    const bool ended = std::all_of(seats.begin(), seats.end(),
                                   [](const auto& seat) { return seat->has_ended(); });
    if (!ended) {
      result_->leaks = "the job does not come to an end\n";
      // What is in flight can't be given back, so what it uses is never destroyed.
      for (auto& seat : seats) [[maybe_unused]] const Seat* const lost = seat.release();
      [[maybe_unused]] const CopyGroup* const lost_group = group.release();
      is_stuck_ = true;
      return;
    }
    if (result_->waits_in_vain) absl::StrAppend(&result_->leaks, "a wake was lost\n");
    for (const auto& seat : seats) seat->FindLeaks(&result_->leaks);
  }
  bool is_stuck() const { return is_stuck_; }

 private:
  // Whether no event is left and nobody looks again soon by itself. Then somebody waits
  // for a wake-up that never comes.
  bool WaitsInVain(const std::vector<std::unique_ptr<Seat>>& seats) const {
    // Without -r there are streams, whose copies look again by themselves.
    return state_->options().recursive && !state_->is_cancelled() &&
           !world_->NextEvent().has_value() &&
           std::all_of(seats.begin(), seats.end(), [](const auto& seat) {
             return seat->has_ended() || seat->idle_max() >= Worker::kPollInterval;
           });
  }

  // Whose turn it is; nullptr if all have ended or the job does not end.
  Seat* Choose(const std::vector<std::unique_ptr<Seat>>& seats) {
    while (result_->steps < kStepsMax) {
      std::vector<Seat*> ready;
      std::optional<SteadyTime> next = world_->NextEvent();
      bool any = false;
      for (const auto& seat : seats) {
        if (seat->is_ready()) ready.push_back(seat.get());
        if (seat->has_ended()) continue;
        any = true;
        next = std::min(next.value_or(seat->idle_until()), seat->idle_until());
      }
      if (!ready.empty()) return ready[world_->RandomBelow(ready.size())];
      if (!any) return nullptr;
      if (WaitsInVain(seats)) result_->waits_in_vain = true;
      world_->AdvanceTo(std::max(*next, world_->now()));
    }
    return nullptr;
  }

  SimWorld* const world_;
  const SimJobOptions& options_;
  JobState* const state_;
  SimJobResult* const result_;
  bool is_stuck_ = false;
};

}  // namespace

SimJobResult RunSimJob(SimWorld* world, const CopyRequest& request,
                       const SimJobOptions& options) {
  SimJobResult result;
  Recorder recorder(world, &result);
  SimKernelOptions alone = options.kernel;
  alone.wait_advances = true;
  SimKernel kernel(world, alone);
  auto state = std::make_unique<JobState>(request, &recorder, nullptr, ProcessIds{});
  Driver driver(world, options, state.get(), &result);
  absl::StatusOr<TopLevel> top = state->ResolveSources(&kernel);
  result.status = top.status();
  if (top.ok()) {
    result.status.Update(state->CopySources(&kernel, &*top, [&](const auto& sources) {
      driver.CopyTogether(&kernel, sources, *top);
      return absl::OkStatus();
    }));
    kernel.Close(top->target_fd);
  }
  state->AddCounters(&result.progress);
  result.cancelled = state->is_cancelled();
  if (driver.is_stuck()) {
    [[maybe_unused]] const JobState* const lost = state.release();
    return result;
  }
  absl::StrAppend(&result.leaks, kernel.Leaks());
  return result;
}

}  // namespace ringcp

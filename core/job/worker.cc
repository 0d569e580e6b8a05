#include "core/job/worker.h"

#include <algorithm>

#include "core/base/check.h"

namespace ringcp {

Worker::Worker(const SharedWork& work, Kernel* kernel, const WorkerLimits& limits,
               BlockPool* pool, EngineCounters* counters)
    : work_(work),
      claims_(work.claims, kernel),
      questions_(work.questions, kernel),
      kernel_(kernel),
      limits_(limits),
      counters_(counters),
      pool_(pool),
      reports_(&work_, kernel, counters),
      at_once_chooser_(work.warm_calls) {
  work_.policy.claims = &claims_;
  work_.policy.kernel = kernel;
  RINGCP_CHECK(kernel->slots() >= limits.copies_in_flight);
  RINGCP_CHECK(limits.made_in_directory > 0);
}

Worker::~Worker() = default;

absl::Status Worker::Run() {
  while (Step()) Wait();
  return kernel_->status();
}

bool Worker::Step() {
  if (!step_begin_.has_value()) step_begin_ = kernel_->Now();
  idle_max_ = absl::ZeroDuration();
  if (phase_ == Phase::kEntries && CopyEntries()) phase_ = Phase::kAlone;
  if (phase_ == Phase::kAlone && CopyAlone()) phase_ = Phase::kStreams;
  if (phase_ == Phase::kStreams && CopyStreams()) phase_ = Phase::kHelp;
  if (phase_ == Phase::kHelp && HelpOthers()) phase_ = Phase::kEnded;
  if (phase_ == Phase::kEnded) {
    // The worker outlives its kernel if its ring has failed; so that kernel must not be
    // woken any more.
    claims_.StopWaiting();
    CountKernel();
    CountTime(kernel_->Now(), /*in_flight=*/0, /*by_helpers=*/0);
  }
  return phase_ != Phase::kEnded;
}

bool Worker::CopyEntries() {
  TakeInSettled();
  StopIfCancelled();
  TakeInAnswers();
  const bool has_more =
      more_to_walk_ || !to_copy_.empty() || !links_.empty() || readings_in_hand() > 0;
  if (has_more && !stopping_) Fill();
  if (!more_to_walk_ && idle()) {
    stopping_ = false;
    return true;
  }
  if (more_to_start_ || !blocks_at_once_.empty()) return false;
  idle_max_ = kPollInterval;
  if (!awaiting_targets_.empty()) {
    claims_.WakeOnRelease();
    idle_max_ = kTargetPollInterval;
  }
  return false;
}

bool Worker::CopyAlone() {
  for (;;) {
    if (copies_alone_ && !CopyEntries()) return false;
    if (alone_.empty()) {
      if (copies_alone_) next_alone_ = kernel_->Now() + kOpensAlonePause;
      copies_alone_ = false;
      if (to_open_alone_.empty() || opens_alone_ == kOpensAloneMax) return true;
      if (const auto now = kernel_->Now(); now < next_alone_ && !cancelled()) {
        idle_max_ = absl::FromChrono(next_alone_ - now);
        return false;
      }
      alone_.swap(to_open_alone_);
      opens_again_ = ++opens_alone_ < kOpensAloneMax;
    }
    copies_alone_ = true;
    to_copy_.push_back(std::move(alone_.front()));
    alone_.pop_front();
  }
}

bool Worker::CopyStreams() {
  // What settled, if anything, was a poll. The stream finds out by itself what is ready;
  // but if a descriptor can't be polled, the stream has to be tried every now and then.
  const bool can_poll = settled_.empty() || settled_.front().results()[0] >= 0;
  settled_.clear();
  StopIfCancelled();
  TakeInAnswers();
  streams_.insert(streams_.end(), to_copy_.begin(), to_copy_.end());
  to_copy_.clear();
  for (; !streams_.empty(); streams_.pop_front()) {
    const WaitingEntry& entry = streams_.front();
    if (stream_ == nullptr) {
      stream_ = std::make_unique<StreamCopy>(work_.policy, NamesOf(entry),
                                             *work_.cancelled, counters_);
    }
    // The only chain in flight is the poll that the stream waits for.
    if (kernel_->chains_in_flight() > 0) {
      idle_max_ = kPollInterval;
      return false;
    }
    if (!stream_->Step()) {
      const StreamCopy::Waiting& waiting = stream_->waiting();
      idle_max_ = waiting.max;
      if (!can_poll) {
        idle_max_ = std::min(waiting.max, kTargetPollInterval);
      } else if (waiting.file != FileRef()) {
        const auto most = static_cast<int>(absl::ToInt64Milliseconds(waiting.max));
        kernel_->Queue({}, Chain().Add(Poll(waiting.file, waiting.events, most)).ops());
      }
      return false;
    }
    OnStreamEnded(entry, *stream_);
    stream_.reset();
  }
  if (questions_.open() == 0) return true;
  idle_max_ = kPollInterval;
  return false;
}

void Worker::StopIfCancelled() {
  if (stopping_ || !cancelled()) return;
  stopping_ = true;
  more_to_start_ = false;
  more_to_walk_ = false;
  work_.walk->Stop(kernel_, [this](Directory* directory) { Release(directory); });
  for (ReadingTask& reading : readings_) {
    if (!reading.is_under_way) DropEntries(&reading);
  }
  for (Flight& flight : flights_) {
    if (flight.active) flight.copy.Stop();
  }
  DropHeldBack();
  for (const WaitingEntry& entry : to_copy_) Release(entry);
  to_copy_.clear();
  for (const FurtherName& name : links_) Release(name.entry);
  links_.clear();
  for (Questions::Question& question : questions_.TakeAll()) DropAsked(&question.entry);
}

void Worker::Wait() {
  const int in_flight = kernel_->chains_in_flight();
  const int by_helpers = kernel_->helpers_in_flight();
  const bool is_at_limit =
      in_flight - tasks_in_flight() >= wait_limits_.kernel.kernel_workers_max;
  const SteadyTime begin = kernel_->Now();
  kernel_->Wait(idle_max_, &settled_);
  CountKernel();
  CountTime(begin, in_flight, by_helpers);
  // It was woken, or has waited for long: others may have found something.
  if (settled_.empty()) nothing_yet_ = false;
  int64_t ended = 0;
  for (const ChainResults& settled : settled_) ended += std::max(settled.size, 1);
  wait_limits_ = work_.waits->Note(*kernel_, ended, is_at_limit);
  kernel_->SetWaitLimits(wait_limits_.kernel);
  if (ring_failed_ || kernel_->status().ok()) return;
  ring_failed_ = true;
  // The copies are stopped before any of them gets its results, so that none takes
  // another block: the kernel may still write to that block.
  for (Flight& flight : flights_) {
    if (flight.active) flight.copy.Stop();
  }
}

}  // namespace ringcp

// The part of UringKernel that enters Linux, waits for it, and takes in what it has done.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/kernel/call_side.h"
#include "core/kernel/system_calls.h"
#include "core/kernel/uring.h"
#include "core/kernel/uring_kernel.h"

namespace ringcp {
namespace {

// Whether entering Linux succeeded, or was only interrupted: then what was queued stays
// queued, and the next time may succeed.
bool IsEntered(int result) { return result >= 0 || result == -EINTR; }
// Whether Linux is out of memory, or of room for completions, for the moment.
bool IsNoMemory(int result) {
  return result == -EAGAIN || result == -EBUSY || result == -ENOMEM;
}

}  // namespace

void UringKernel::EnterToSubmit(Uring* uring) {
  ++counters_.enters;
  NoteEntered(uring, io_uring_submit(&uring->ring));
}

void UringKernel::NoteEntered(Uring* uring, int result) {
  if (IsEntered(result)) {
    uring->TakeBackTail();
    if (result >= 0) refused_since_.reset();
  } else if (IsNoMemory(result)) {
    OnNoMemory(uring, -result);
  } else {
    uring->is_lost = result == -EBADF;
    FailForGood(-result);
  }
}

void UringKernel::OnNoMemory(Uring* uring, int error_number) {
  // Ops that have ended give their memory back, but only to a call that asks for
  // completions and submits nothing.
  ++counters_.enters;
  io_uring_get_events(&uring->ring);
  const auto now = std::chrono::steady_clock::now();
  if (!refused_since_.has_value()) {
    refused_since_ = now;
  } else if (now - *refused_since_ > kNoMemoryMax) {
    FailForGood(error_number);
  } else {
    std::this_thread::sleep_for(kNoMemoryPause);
  }
}

void UringKernel::FailForGood(int error_number) {
  status_ = absl::UnavailableError(
      absl::StrCat("io_uring_enter: ", std::strerror(error_number)));
}

void UringKernel::NotePoll(uint32_t entry, const Op& poll) {
  polls_.push_back(
      {.entry = entry,
       .until = Now() + std::chrono::milliseconds(poll.poll.milliseconds_max)});
}

absl::Duration UringKernel::EndLatePolls(absl::Duration timeout) {
  if (polls_.empty()) return timeout;
  const SteadyTime now = Now();
  for (PollInFlight& poll : polls_) {
    if (poll.is_late) continue;
    if (poll.until > now) {
      timeout = std::min(timeout, absl::FromChrono(poll.until - now));
    } else if (uring_->HasRoomFor(1)) {
      io_uring_sqe* const sqe = io_uring_get_sqe(&uring_->ring);
      io_uring_prep_poll_remove(sqe, OpTag{.entry = poll.entry}.Encode());
      io_uring_sqe_set_data64(sqe, OpTag{.entry = Uring::kNoEntry}.Encode());
      ++uring_->ops_outstanding;
      poll.is_late = true;
    } else {
      timeout = absl::ZeroDuration();  // There is room once the queue is submitted.
    }
  }
  return timeout;
}

int32_t UringKernel::PollResult(uint32_t entry, int32_t result) {
  const auto poll = std::find_if(polls_.begin(), polls_.end(),
                                 [&](const auto& one) { return one.entry == entry; });
  if (poll == polls_.end()) return result;
  const bool is_late = poll->is_late;
  *poll = polls_.back();
  polls_.pop_back();
  if (is_late && result == -ECANCELED) return 0;
  // As in poll(2), a file that is not open does not make anybody wait.
  return result > 0 || result == -EBADF ? 1 : result;
}

void UringKernel::Wait(absl::Duration timeout, std::vector<ChainResults>* settled) {
  has_waited_ = true;
  if (!carried_out_.empty()) timeout = absl::ZeroDuration();
  // If the ring watches for wake-ups, it takes them in even without a chain in flight.
  const bool by_ring =
      chains_.in_flight() > 0 || (uring_->watches() && timeout > absl::ZeroDuration());
  if (status_.ok() && by_ring) {
    const int on_target = chains_.on_target();
    const int on_source = chains_.in_flight() - on_target;
    const SteadyTime start = Now();
    SettleByKernel(timeout, settled);
    const auto waited = Now() - start;
    side_times()->Add(Side::kSource, waited * on_source);
    side_times()->Add(Side::kTarget, waited * on_target);
  } else if (chains_.in_flight() == 0) {
    Await(timeout, settled);
  }
  helpers_.TakeSettled(settled);
  settled->insert(settled->end(), carried_out_.begin(), carried_out_.end());
  carried_out_.clear();
  if (status_.ok()) return;
  stalled_.clear();
  polls_.clear();
  chains_.GiveUp(-EIO, settled);
}

void UringKernel::SettleByKernel(absl::Duration timeout,
                                 std::vector<ChainResults>* settled) {
  QueueStalledSteps();
  timeout = EndLatePolls(timeout);
  if (polled_ != nullptr && polled_->ops_outstanding > 0) return Poll(timeout, settled);
  if (uring_->ops_outstanding == 0 && !uring_->watches()) return;
  const SteadyTime until = Now() + absl::ToChronoNanoseconds(timeout);
  while (WaitForRing(timeout, settled)) timeout = absl::FromChrono(until - Now());
}

bool UringKernel::WaitForRing(absl::Duration timeout,
                              std::vector<ChainResults>* settled) {
  bool waits = timeout > absl::ZeroDuration();
  bool watches = false;
  if (!waits) {
    wake_up()->Take();
  } else if (waits = wake_up()->BeginWait(); waits) {
    if (!uring_->watches() && !uring_->HasRoomFor(Uring::kWatchOps)) {
      EnterToSubmit(uring_.get());
    }
    watches = uring_->Watch(wake_up()->event());
    if (!uring_->watches()) {
      timeout = std::min(timeout, absl::FromChrono(WakeUp::kBlindWait));
    }
  }
  // Never waits for more than is outstanding, because that would hang. Polls do not
  // count, because they may take long.
  const int ops = uring_->ops_outstanding - static_cast<int>(polls_.size());
  const int share = waits_for_few_ > 0 ? kFewShare : kShare;
  waits_for_few_ = std::max(0, waits_for_few_ - 1);
  const unsigned wait_for = watches ? std::max(1, ops / share) : 1;
  const timespec wait = absl::ToTimespec(waits ? timeout : absl::ZeroDuration());
  __kernel_timespec kernel_wait = {.tv_sec = wait.tv_sec, .tv_nsec = wait.tv_nsec};
  io_uring_cqe* cqe = nullptr;
  ++counters_.enters;
  const SteadyTime start = Now();
  const int result = io_uring_submit_and_wait_timeout(&uring_->ring, &cqe, wait_for,
                                                      &kernel_wait, nullptr);
  if (share == kShare && Now() - start >= kLongWait) waits_for_few_ = kWaitsForFew;
  const bool is_woken = !waits || wake_up()->EndWait();
  NoteEntered(uring_.get(), result == -ETIME ? 0 : result);
  const int ops_before = uring_->ops_outstanding;
  const int watch_ops_before = uring_->watch_ops_outstanding;
  Reap(uring_.get(), settled);
  return !is_woken && uring_->ops_outstanding == ops_before &&
         uring_->watch_ops_outstanding < watch_ops_before;
}

void UringKernel::Poll(absl::Duration timeout, std::vector<ChainResults>* settled) {
  const auto deadline =
      std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(timeout);
  const size_t settled_before = settled->size();
  do {
    Ask(polled_.get(), settled);
    if (uring_->ops_outstanding > 0) Ask(uring_.get(), settled);
  } while (status_.ok() && settled->size() == settled_before && !wake_up()->Take() &&
           std::chrono::steady_clock::now() < deadline);
}

void UringKernel::Ask(Uring* uring, std::vector<ChainResults>* settled) {
  ++counters_.enters;
  NoteEntered(uring, io_uring_submit_and_get_events(&uring->ring));
  Reap(uring, settled);
}

void UringKernel::Reap(Uring* uring, std::vector<ChainResults>* settled) {
  io_uring_cqe* cqe = nullptr;
  unsigned head = 0;
  int seen = 0;
  int of_watch = 0;
  io_uring_for_each_cqe(&uring->ring, head, cqe) {
    const OpTag tag = OpTag::Decode(io_uring_cqe_get_data64(cqe));
    const int32_t result = tag.is_taken_back ? -ECANCELED : cqe->res;
    ++seen;
    if (tag.entry == Uring::kWatchEntry) {
      ++of_watch;
      if (uring->NoteWatch(tag, result)) wake_up()->Drain();
    } else if (tag.entry == Uring::kNoEntry) {
      // A poll that could not be ended had not begun yet, or has ended. In the first case
      // it has to be ended again, so all late polls are tried again.
      for (PollInFlight& poll : polls_) poll.is_late = poll.is_late && result == 0;
    } else if (!polls_.empty()) {
      NoteResult(uring, tag, PollResult(tag.entry, result), settled);
    } else {
      NoteResult(uring, tag, result, settled);
    }
  }
  if (seen > of_watch) refused_since_.reset();
  io_uring_cq_advance(&uring->ring, seen);
  uring->ops_outstanding -= seen - of_watch;
}

void UringKernel::NoteResult(Uring* uring, OpTag tag, int32_t result,
                             std::vector<ChainResults>* settled) {
  if (uring->is_sqpoll()) return OnStep(tag, result, settled);
  if (!calls_.empty() && calls_[tag.entry].has_value()) {
    if (result == -ECANCELED) result = RunTimed(*calls_[tag.entry]);
    calls_[tag.entry].reset();
  }
  chains_.NoteResult(tag, result, settled);
}

}  // namespace ringcp

// Helping other workers with their large files.

#include "core/job/worker.h"

namespace ringcp {

bool Worker::HelpOthers() {
  for (;;) {
    if (helped_ == nullptr) {
      // The failed ring may still write to blocks of the pool, so none must be used.
      if (ring_failed_) {
        work_.shared_files->GiveUp(kernel_);
        return true;
      }
      switch (work_.shared_files->Join(kernel_, &helped_)) {
        case SharedFiles::Joined::kFile:
          break;
        case SharedFiles::Joined::kNothingYet:
          idle_max_ = kPollInterval;
          return false;
        case SharedFiles::Joined::kOver:
          return true;
      }
      BeginToHelp();
    }
    if (!CopyItsBlocks()) return false;
    helped_->Count(help_->sink.TakeCounted());
    work_.shared_files->Leave(helped_);
    helped_ = nullptr;
  }
}

void Worker::BeginToHelp() {
  help_.emplace(pool_, counters_);
  const bool is_uncached = work_.policy.leaves_cache();
  help_->source.io().SetFileSystem(helped_->source_file_system(), is_uncached);
  help_->sink.io().SetFileSystem(helped_->target_file_system(), is_uncached);
  help_->source.SetFile(helped_->source());
  help_->source.Start(helped_);
  help_->sink.SetFile(helped_->target());
  help_->pump.Start();
  waits_.Skip(*kernel_);  // Waits for other files don't count.
  // Other workers only offer files that are in memory.
  helps_at_once_ = CopiesBlocksAtOnce(work_.warm_calls) && !is_uncached;
}

bool Worker::CopyItsBlocks() {
  BlockPump& pump = help_->pump;
  const auto settle = [&pump](const ChainResults& settled) {
    const absl::Span<const int32_t> results = settled.results();
    pump.Settle(LaneOf(settled.id), results[0], results.back());
  };
  for (const ChainResults& settled : settled_) settle(settled);
  settled_.clear();
  QueueBacklog();
  const auto end = kernel_->Now() + kRowTime;
  do {
    if (cancelled()) pump.Stop();
    next_.size = 0;
    pump.SetOneLane(helps_at_once_);
    pump.Advance(&next_);
    if (!pump.busy()) return true;
    if (!helps_at_once_) {
      QueueChains(/*index=*/0);
      idle_max_ = kPollInterval;
      return false;
    }
    auto& [lane, chain] = next_.chains[0];
    chain.SetAtOnce(/*may_ask=*/true);
    ChainResults settled;
    bool was_read = false;
    const bool is_queued = !RunBlock(IdOf(/*index=*/0, lane), chain, &settled, &was_read);
    if (is_queued || was_read) helps_at_once_ = false;
    if (is_queued) {
      idle_max_ = kPollInterval;
      return false;
    }
    settle(settled);
  } while (kernel_->Now() < end);
  return false;
}

}  // namespace ringcp

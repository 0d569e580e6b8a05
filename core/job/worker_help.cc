// Helping other workers with their large files.

#include "core/job/worker.h"

namespace ringcp {

bool Worker::HelpOthers() {
  for (;;) {
    if (helped_ == nullptr) {
      // The kernel may still write to blocks that would be taken for it.
      if (ring_failed_) {
        work_.shared_files->OneWorkerLess();
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
    if (!Help()) return false;
    work_.shared_files->Leave(helped_);
    helped_ = nullptr;
  }
}

void Worker::BeginToHelp() {
  help_.emplace(pool_, counters_);
  help_->SetFileSystems(helped_->source_file_system(), helped_->target_file_system(),
                        work_.policy.page_cache != PageCache::kKeep);
  help_->Start(helped_);
  WaitSinceLastCall();  // For other files.
  // Only what is in memory is offered.
  helps_at_once_ = work_.warm_calls == CallsAtOnce::kAll &&
                   work_.policy.page_cache == PageCache::kKeep;
}

bool Worker::Help() {
  const auto settle = [this](const ChainResults& settled) {
    const absl::Span<const int32_t> results = settled.results();
    help_->Settle(LaneOf(settled.id), results[0], results.back());
  };
  for (const ChainResults& settled : settled_) settle(settled);
  settled_.clear();
  QueueBacklog();
  const auto end = kernel_->Now() + kRowTime;
  do {
    if (cancelled()) help_->Stop();
    next_.size = 0;
    help_->SetOneLane(helps_at_once_);
    help_->Advance(FileRef::Descriptor(helped_->source_fd()),
                   FileRef::Descriptor(helped_->target_fd()), &next_);
    if (!help_->busy()) return true;
    if (!helps_at_once_) {
      QueueChains(/*index=*/0);
      idle_max_ = kPollInterval;
      return false;
    }
    auto& [lane, chain] = next_.chains[0];
    chain.SetAtOnce();
    bool was_read = false;
    settle(RunBlock(IdOf(/*index=*/0, lane), chain, &was_read));
    if (was_read) helps_at_once_ = false;
  } while (kernel_->Now() < end);
  return false;
}

}  // namespace ringcp
